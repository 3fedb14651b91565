"""Begin an import, work on it, and tell what came of it."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.imports import writes as imports
from redundancy.models import (
    ImportProblem,
    PresenceUser,
    UserImport,
)

GOOD = "ann,Ann A,ann@example.com,imp-pub\nbob,,bob@example.com,imp-sub\ncid,Cid,cid@example.com\n"


def begin(text: str | bytes, *, at_once: bool = True, name: str = "users.csv") -> UserImport:
    data = text.encode() if isinstance(text, str) else text
    return imports.begin_import(name=name, chunks=[data], at_once=at_once, actor="ann")


def go(job: UserImport, steps: int = 10_000) -> UserImport:
    """Work on a job until nothing is left to do, or so many steps."""
    job.refresh_from_db()
    step: int | None = job.step
    while step is not None and steps:
        step = imports.work(job_id=job.pk, step=step)
        steps -= 1
    job.refresh_from_db()
    return job


def done(text: str | bytes) -> UserImport:
    return go(begin(text))


def homes() -> dict[str, tuple[str, str | None, str | None]]:
    rows = PresenceUser.objects.values_list(
        "userid", "display_name", "home__name", "session__node__name"
    )
    return {userid: (name, home, active) for userid, name, home, active in rows}


def problems(job: UserImport) -> list[tuple[int, int, str]]:
    return list(ImportProblem.objects.filter(job=job).values_list("line", "column", "rule"))


def statements(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)
