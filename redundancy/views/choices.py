"""What can be chosen from a list that may be long: of many only those whose names contain what was typed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from redundancy.models import RedundancyGroup, Server
from redundancy.srm.words import say

M = TypeVar("M", Server, RedundancyGroup)

# So many are offered at once; where there are no more, all are, and nothing is typed.
MOST = 100
# The query parameter with a part of the name, and how much of it counts.
NAMED, LONGEST = "named", 200
LABELS: dict[type[Server] | type[RedundancyGroup], str] = {
    Server: say("Find a server by a part of its name"),
    RedundancyGroup: say("Find a group by a part of its name"),
}


@dataclass(frozen=True, slots=True)
class Choices(Generic[M]):
    """The ``rows`` to choose from: the first of ``number`` whose names contain ``text``.

    ``is_long``: there are more to choose from than are offered, so a search is, under ``label``.
    ``carried``: the other parameters of the page.
    """

    rows: list[M]
    number: int
    text: str = ""
    label: str = ""
    is_long: bool = False
    carried: tuple[tuple[str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """Say how many are offered, of how many."""
        if not self.number:
            return say("No name contains {text!r}.", text=self.text)
        return say(
            "{shown:,} of {number:,} are offered, by name.",
            shown=min(self.number, MOST),
            number=self.number,
        )


def choices(
    request: HttpRequest, all_of_them: QuerySet[M], chosen: int | None = None
) -> Choices[M]:
    """Return what to offer of ``all_of_them``, in their order.

    ``chosen``: the key of what is chosen already; it is offered unless something else is searched for.
    """
    rows = list(all_of_them[: MOST + 1])
    if len(rows) <= MOST:
        return Choices(rows, len(rows))
    text = request.GET.get(NAMED, "").replace("\0", "").strip()[:LONGEST]
    if text:
        found = all_of_them.filter(name__icontains=text)
        rows, number = list(found[:MOST]), found.count()
    else:
        rows, number = rows[:MOST], all_of_them.count()
        if chosen is not None and all(row.pk != chosen for row in rows):
            rows[:0] = all_of_them.filter(pk=chosen)
    carried = [
        (name, value) for name, values in request.GET.lists() if name != NAMED for value in values
    ]
    return Choices(rows, number, text, LABELS[all_of_them.model], True, tuple(carried))


def offer(field: forms.Field, offered: Choices[M]) -> None:
    """Let a form's field offer these only; it takes any of its queryset."""
    assert isinstance(field, forms.ModelChoiceField)
    empty: Iterable[tuple[str, str]] = (
        [] if field.empty_label is None else [("", str(field.empty_label))]
    )
    field.widget.choices = [*empty, *((row.pk, str(row)) for row in offered.rows)]
