"""The parts into which the groups are divided for their sweeps (``SWEEP_SHARDS``).

A shard is swept by whoever takes its task: any worker, and several at once take several. The nodes of a
group are always in one shard, so that what a pair tells itself is told within one sweep.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, F, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact


def shard_of(group: int | None, of: int) -> int:
    """Return the number of the shard, of so many, that a group (by its key) is in; what is of no group is in the first."""
    return (group or 0) % of


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard ``number``, from 0 on, of ``of``."""

    number: int = 0
    of: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it does what is done once for all shards."""
        return self.number == 0

    @property
    def order(self) -> dict[str, int]:
        """Return how a task is told that this one is meant; nothing of the only one."""
        return {} if self.of == 1 else {"shard": self.number, "of": self.of}

    def whose(self, group: str) -> Q:
        """Return the condition for what is of its groups, as ``shard_of`` has it; ``group``: the way to the group."""
        if self.of == 1:
            return Q()
        key = Coalesce(F(group), Value(0), output_field=BigIntegerField())
        return Q(Exact(key % self.of, self.number))

    def holds(self, group: int) -> bool:
        """Return whether it has the group (by its key)."""
        return shard_of(group, self.of) == self.number


WHOLE = Shard()


def every(of: int) -> list[Shard]:
    """Return all shards of so many."""
    return [Shard(number, of) for number in range(of)]


def of_facts(facts: Mapping[str, Any] | None) -> Shard:
    """Return the shard that a kept event is about, by its facts; all groups where it names none."""
    named = (facts or {}).get("shard")
    return Shard(*named) if named else WHOLE


def of_groups(groups: Iterable[int | None], of: int) -> list[Shard]:
    """Return the shards, of so many, that these groups are in, in their order."""
    return [Shard(number, of) for number in sorted({shard_of(group, of) for group in groups})]
