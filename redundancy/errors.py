"""The one error of operations."""

from collections.abc import Iterable, Sequence
from typing import Self

from django.core.exceptions import ValidationError

from redundancy.srm.words import together


class Refused(ValidationError):
    """An operation was refused and changed nothing.

    ``rule`` says what is required; ``field`` is the form's field it belongs to, None for the whole.
    ``rules`` holds every rule that was broken, each with its field; ``rule`` says all of them.
    """

    def __init__(self, rule: str, *, field: str | None = None) -> None:
        super().__init__(rule, code="refused")
        self.rule = rule
        self.field = field
        self.rules: tuple[tuple[str, str | None], ...] = ((rule, field),)

    @classmethod
    def together(cls, refusals: Sequence["Refused"]) -> Self:
        """Return one refusal that carries all of ``refusals``, of which there is at least one."""
        joined = cls(together(each.rule for each in refusals), field=refusals[0].field)
        joined.rules = tuple(pair for each in refusals for pair in each.rules)
        return joined

    @classmethod
    def unless_none(cls, refusals: Iterable["Refused"]) -> None:
        """Raise one refusal that carries all of ``refusals``; do nothing when there are none."""
        if listed := list(refusals):
            raise cls.together(listed)


class Taken(Refused):
    """A name that must be unique is another item's. Nothing was changed."""


class Stale(Refused):
    """What was to be changed is not any more as the administrator saw it. Nothing was changed."""
