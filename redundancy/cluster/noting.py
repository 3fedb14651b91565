"""What is noted while a lab is planned: what is assumed, left out and refused. Pure."""

from collections.abc import Iterable

from redundancy.cluster.facts import Place
from redundancy.cluster.lab_plan import Judge, Note, Refusal, Sort
from redundancy.cluster.snapshot import Value
from redundancy.srm.words import say

NOT_TOLD, DISPUTED = say("not told"), say("disputed")


def told_as(value: Value | None, judge: Judge) -> tuple[str | None, str]:
    """Return a value as it is stored, or None and why it cannot be used."""
    if value is None:
        return None, NOT_TOLD
    if value.disputed:
        return None, DISPUTED
    text, rule = judge(value.text)
    if rule:
        return None, say("{value} is told, which the lab does not take", value=value.text)
    return text, ""


class Notes:
    """Takes the notes of a plan."""

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._refusals: dict[Refusal, None] = {}

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes, by what they tell."""
        order = list(Sort)
        return tuple(sorted(self._notes, key=lambda note: order.index(note.sort)))

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Why no lab can be made; none where it can."""
        return tuple(self._refusals)

    def add(self, sort: Sort, sentence: str, *places: Place) -> None:
        """Note a sentence."""
        self._notes.append(Note(sort, sentence, places))

    def assume(self, what: str, whose: str, why: str, value: str, *places: Place) -> None:
        """Note as what something is taken, and why."""
        words = {"what": what, "whose": whose, "why": why, "value": value}
        self.add(Sort.ASSUMED, say("{what} of {whose}: {why}; taken as {value}.", **words), *places)

    def leave_out(self, what: str, examples: list[str]) -> None:
        """Note what is not carried over, if there is any."""
        if examples:
            words = {"what": what, "number": len(examples), "example": examples[0]}
            self.add(Sort.LEFT_OUT, say("{what}: {number:,}, such as {example}.", **words))

    def refuse(self, field: str, rule: str) -> None:
        """Note that no lab can be made."""
        self._refusals[Refusal(field, rule)] = None

    def unique(self, field: str, names: Iterable[str]) -> None:
        """Refuse names of which two differ in upper and lower case at most."""
        seen: set[str] = set()
        for name in names:
            if name.lower() in seen:
                self.refuse(field, say("{name} is told twice.", name=name))
            seen.add(name.lower())
