"""A comparison as text for a change ticket and as data for programs, in English. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from redundancy.cluster.comparing import Comparison, Difference, Verdict
from redundancy.cluster.facts import Place
from redundancy.cluster.report import when
from redundancy.cluster.snapshot import Snapshot
from redundancy.srm.words import english, say

WORDS: dict[Verdict, str] = {
    Verdict.BACK: say("Back as it was, as far as the first one tells."),
    Verdict.NOT_BACK: say("Not back as it was."),
    Verdict.UNKNOWN: say("It cannot be told whether it is back as it was."),
}
# Of each kind of line, in the text; the data has all.
_SHOWN = 200


def text(comparison: Comparison, before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Yield the lines of a report."""
    for label, snapshot in (("Before", before), ("After", after)):
        yield f"{label}: {', '.join(snapshot.files[:10])}, {english(when(snapshot))}"
    yield english(WORDS[comparison.verdict])
    amounts = [f"{what.lower()} {number:,}" for what, number in comparison.compared.items()]
    yield f"Compared: {', '.join(amounts) or 'nothing'}."
    yield from _lines("Differences", comparison.differences)
    yield from _lines("Cannot be told", comparison.doubts)
    yield from _lines("Changed beside, and not judged", comparison.beside)


def _lines(title: str, found: tuple[Difference, ...]) -> Iterator[str]:
    if not found:
        return
    yield ""
    yield f"{title}: {len(found):,}"
    for each in found[:_SHOWN]:
        places = [str(place) for place in (each.before, each.after) if place is not None]
        where = f" ({', '.join(places)})" if places else ""
        yield f"  - {english(each.sentence)}{where}"
    if len(found) > _SHOWN:
        yield f"  and {len(found) - _SHOWN:,} more"


def data(comparison: Comparison, before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """Return the comparison as JSON has it."""
    return {
        "verdict": comparison.verdict.name.lower().replace("_", "-"),
        "before": _side(before),
        "after": _side(after),
        "compared": dict(comparison.compared),
        "differences": _all(comparison.differences),
        "cannot_be_told": _all(comparison.doubts),
        "beside": _all(comparison.beside),
    }


def _side(snapshot: Snapshot) -> dict[str, Any]:
    taken = None if snapshot.taken is None else snapshot.taken.isoformat()
    return {"files": list(snapshot.files), "taken": taken}


def _all(found: Iterable[Difference]) -> list[dict[str, Any]]:
    return [
        {
            "kind": each.change.value,
            "fields": {k: english(v) if isinstance(v, str) else v for k, v in each.fields.items()},
            "sentence": english(each.sentence),
            "before": _place(each.before),
            "after": _place(each.after),
        }
        for each in found
    ]


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "line": place.line}
