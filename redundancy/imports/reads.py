"""Reads of imports of users: how far they are, and whether somebody works on them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import Lower

from redundancy.imports.users_csv import COLUMNS
from redundancy.models import ImportProblem, ImportRow, ImportState, PresenceUser, UserImport
from redundancy.selectors.spread import newcomers
from redundancy.srm.words import english, say

# In these a worker has something to do.
ACTIVE = (ImportState.CHECKING, ImportState.IMPORTING)
# Wall seconds without a step after which the worker is taken for gone.
STALE = timedelta(seconds=20)
# How much of the bar is reading the file; the rest is comparing and adding.
_READING = 90
_TONES = {
    ImportState.READY: "ok",
    ImportState.DONE: "ok",
    ImportState.REFUSED: "bad",
    ImportState.FAILED: "bad",
    ImportState.CANCELLED: "off",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """An import as it is shown. ``percent``: 0 to 100."""

    job: UserImport
    interrupted: bool

    @property
    def active(self) -> bool:
        """Whether there is something to wait for."""
        return self.job.state in ACTIVE

    @property
    def percent(self) -> int:
        """How much of the work is done."""
        if self.job.state != ImportState.CHECKING:
            return _READING + 5 if self.job.state == ImportState.IMPORTING else 100
        return _READING * self.job.read // max(1, self.job.size)

    @property
    def label(self) -> str:
        """The state in words."""
        shown = ImportState(self.job.state).label
        return say("{state}: interrupted", state=shown) if self.interrupted else shown

    @property
    def tone(self) -> str:
        """How the state is marked."""
        return "warn" if self.interrupted else _TONES.get(ImportState(self.job.state), "busy")


def import_jobs() -> QuerySet[UserImport]:
    """Return all imports, the last one first."""
    return UserImport.objects.all()


def progress(job: UserImport, now: datetime) -> Progress:
    """Return how far ``job`` is at wall time ``now``."""
    return Progress(job, job.state in ACTIVE and now - job.touched_at > STALE)


def unfinished(before: datetime) -> list[tuple[int, int]]:
    """Return key and step of what a worker has to do and nobody has touched since ``before``."""
    waiting = UserImport.objects.filter(kept=True, touched_at__lte=before)
    return list(waiting.exclude(state=ImportState.READY).order_by("pk").values_list("pk", "step"))


def problems(job: UserImport) -> QuerySet[ImportProblem]:
    """Return the errors that are kept of ``job``, by line: as many as it counts, if more were found since."""
    return ImportProblem.objects.filter(job=job)[: job.problems]


def repetitions(job: UserImport, field: str) -> Iterator[tuple[int, str, int]]:
    """Yield line, value and first line of every ``field`` that is in the file already."""
    first = Window(Min("line"), partition_by=[Lower(field)])
    rows = ImportRow.objects.filter(job=job).annotate(first=first).filter(line__gt=F("first"))
    return rows.order_by("line").values_list("line", field, "first").iterator()


def clashes(job: UserImport, field: str) -> Iterator[tuple[int, str]]:
    """Yield line and value of every ``field`` that a user has already."""
    having = PresenceUser.objects.filter(**{f"{field}__lower": Lower(OuterRef(field))})
    rows = ImportRow.objects.filter(job=job).annotate(other=Subquery(having.values("pk")[:1]))
    return rows.filter(other__isnull=False).order_by("line").values_list("line", field).iterator()


def entering(job: UserImport) -> dict[int, int]:
    """Return how many users of a checked file each node gets, by its key."""
    staged = ImportRow.objects.filter(job=job).order_by()
    named = dict(staged.values_list("node").annotate(n=Count("pk")))
    gets = newcomers(named.pop(None, 0))
    return {node: named.get(node, 0) + gets.get(node, 0) for node in {*named, *gets}}


def export_rows() -> Iterator[tuple[str, str, str, str]]:
    """Yield every user as the file has them; memory does not grow with their number."""
    users = PresenceUser.objects.order_by(Lower("userid"))
    rows = users.values_list("userid", "display_name", "im_address", "home__name")
    for userid, name, address, home in rows.iterator(chunk_size=2000):
        yield userid, name, address, home or ""


def problem_lines(job: UserImport) -> Iterable[tuple[str, str, str]]:
    """Yield line, column and rule of each error that is kept, in English."""
    for problem in problems(job).iterator():
        column = COLUMNS[problem.column - 1] if problem.column else ""
        yield str(problem.line), column, english(problem.rule)
