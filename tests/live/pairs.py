"""Many pairs that a test sweeps by hand, as one or shard by shard, and what each sweep asks of the database."""

from collections.abc import Sequence

from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.live import sweep as sweeping
from redundancy.models import MessageKind, NodeRuntime, RedundancyGroup, Server, SrmMessage
from redundancy.operations import moves
from redundancy.operations.moves import MoveRequest
from redundancy.shards import WHOLE, Shard
from redundancy.srm.states import State
from tests.bench.population import add_pairs
from tests.live.pair import Clock

# Lab seconds between two heartbeats. All pairs beat in the same second.
INTERVAL = 15


class Pairs:
    """Pairs that are Normal, at a lab time that the test moves on."""

    def __init__(self, clock: Clock, count: int, shards: Sequence[Shard] = (WHOLE,)) -> None:
        self.clock = clock
        self.shards = shards
        self.wanted: list[MoveRequest] = []
        self.groups = add_pairs(count)
        RedundancyGroup.objects.update(ha_enabled=True, ha_generation=1)
        self.run(INTERVAL)
        assert self.states(self.groups, 1) == self.states(self.groups, 2) == {State.NORMAL}

    def run(self, seconds: int) -> list[int]:
        """Sweep all shards each second; return the number of statements of each second, moves not counted."""
        counted = []
        for _ in range(seconds):
            self.clock.now += 1
            with CaptureQueriesContext(connection) as seen:
                for shard in self.shards:
                    sweeping.sweep(self.wanted.extend, shard=shard)
            counted.append(len(seen))
            asked, self.wanted = self.wanted, []
            moves.move_all(asked)
        return counted

    def ask(self, groups: Sequence[RedundancyGroup], kind: MessageKind, slot: int) -> None:
        """Let the SRM of one node of each group be told something."""
        payload = {"reboot": False} if kind == MessageKind.SHUTDOWN else {}
        SrmMessage.objects.bulk_create(
            SrmMessage(node=node, kind=kind, payload=payload) for node in nodes(groups, slot)
        )

    @staticmethod
    def states(groups: Sequence[RedundancyGroup], slot: int) -> set[str]:
        """Return the states of these nodes, without doubles."""
        found = NodeRuntime.objects.filter(server__group__in=groups, server__slot=slot)
        return set(found.values_list("state", flat=True))


def nodes(groups: Sequence[RedundancyGroup], slot: int) -> list[Server]:
    return list(Server.objects.filter(group__in=groups, slot=slot).order_by("pk"))
