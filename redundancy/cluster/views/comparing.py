"""*Bulk Administration > Compare Clusters*: two snapshots, or one and the lab; to print, and as text for a ticket."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from redundancy.cluster import change_report, reads
from redundancy.cluster.comparing import Comparison, Difference, Verdict, compare
from redundancy.cluster.document import Unusable
from redundancy.cluster.lab import LAB, lab_snapshot
from redundancy.cluster.snapshot import Snapshot
from redundancy.models import ClusterSnapshot
from redundancy.srm.words import say
from redundancy.views.chrome import Link, Tool
from redundancy.views.numbers import whole_number

_TONES = {Verdict.BACK: "ok", Verdict.NOT_BACK: "bad", Verdict.UNKNOWN: "unseen"}
# Of each kind, on the page; the text has all it may have.
_SHOWN = 200
THE_LAB = say("The lab, now")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. ``key``: of a snapshot, or the lab's; ``all_read``: whether all of its input was."""

    key: str
    title: str
    snapshot: Snapshot
    all_read: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of differences: the first of them, and how many there are beyond."""

    title: str
    differences: tuple[Difference, ...]
    number: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.number - len(self.differences)


@require_safe
def compare_page(request: HttpRequest) -> HttpResponse:
    """Choose two, and show what changed between them; with ``format=text`` return it as text."""
    asked = {name: request.GET.get(name, "") for name in ("before", "after")}
    rows = list(reads.snapshots())
    context: dict[str, Any] = {
        "title": say("Compare Clusters"),
        "choices": [*((str(row.pk), _numbered(row)) for row in rows), (LAB, THE_LAB)],
        "asked": asked,
        "related_links": [Link(say("Cluster Snapshots"), reverse("cluster_snapshots"))],
    }
    if all(asked.values()):
        try:
            before, after = (_side(asked[name]) for name in ("before", "after"))
        except Unusable as unusable:
            error = say("They cannot be compared: {why}", why=str(unusable))
            return render(
                request, "cluster/compare.html", context | {"status_error": error}, status=409
            )
        found = compare(
            before.snapshot, after.snapshot, all_read=before.all_read and after.all_read
        )
        if request.GET.get("format") == "text":
            return _as_text(found, before, after)
        context |= _compared(found, before, after, asked)
    elif any(asked.values()):
        context["status_error"] = say("Choose both: one from before, and one from after.")
    return render(request, "cluster/compare.html", context)


def _side(key: str) -> Side:
    """Return what a key stands for; 404 where there is none."""
    if key == LAB:
        return Side(LAB, THE_LAB, lab_snapshot(), all_read=True)
    row = ClusterSnapshot.objects.defer("rest").filter(pk=whole_number(key) or 0, kept=True).first()
    if row is None:
        raise Http404
    return Side(key, _numbered(row), reads.whole(row), row.all_read)


def _numbered(row: ClusterSnapshot) -> str:
    """Return what a snapshot is called among others of the same cluster and time; commands name it so, too."""
    return say("{snapshot} (snapshot:{number})", snapshot=row.title, number=row.pk)


def _compared(
    found: Comparison, before: Side, after: Side, asked: Mapping[str, str]
) -> dict[str, Any]:
    text = f"{reverse('cluster_compare')}?{urlencode({**asked, 'format': 'text'})}"
    return {
        "before": before,
        "after": after,
        "verdict": change_report.WORDS[found.verdict],
        "tone": _TONES[found.verdict],
        "compared": list(found.compared.items()),
        "parts": [
            part
            for part in (
                _part(say("Differences"), found.differences),
                _part(say("Cannot be told"), found.doubts),
                _part(say("Changed beside, and not judged"), found.beside),
            )
            if part.number
        ],
        "tools": [Tool(say("Text for a Change Ticket"), "copy", href=text)],
    }


def _part(title: str, differences: Iterable[Difference]) -> Part:
    every = tuple(differences)
    return Part(title, every[:_SHOWN], len(every))


def _as_text(found: Comparison, before: Side, after: Side) -> HttpResponse:
    """Return the comparison as text in English, as the command prints it."""
    lines = change_report.text(found, before.snapshot, after.snapshot)
    return HttpResponse(
        "".join(f"{line}\n" for line in lines),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="comparison.txt"'},
    )
