"""Import users from a file: begin, go on step by step, confirm, cancel.

The file is read and checked in steps, each a short transaction of its own; checked rows wait in a
table. Only the last step touches users, in one transaction: all of them or none. Every step is
claimed by compare-and-set, so that a worker may be killed at any moment, and two may try the same.
"""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice, zip_longest
from pathlib import PurePath

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone

from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.imports import reads
from redundancy.imports.lines import LineReader, read_lines
from redundancy.models import (
    EventKind,
    ImportPiece,
    ImportProblem,
    ImportRow,
    ImportState,
    PresenceUser,
    UserImport,
)
from redundancy.models.bulk import insert
from redundancy.operations import events, locks
from redundancy.operations.pairs import Pairs
from redundancy.operations.records import record_assignment
from redundancy.operations.sessions import log_in
from redundancy.operations.users import check_cluster, check_homes
from redundancy.selectors import capacity
from redundancy.selectors.spread import newcomers
from redundancy.srm.words import say, say_count, together

# Bytes of a piece of the file in the database.
PIECE = 256 * 1024
# Lines of a step: a session move that waits behind it waits less than a second.
LINES = 5000
# Errors kept of a file; all of them are counted.
MOST_PROBLEMS = 10_000
# How long a checked file waits for somebody to import it.
KEPT = timedelta(days=1)
_EXPIRED = say("Nobody imported it within a day after the check. Nothing was imported.")
# A step that kills its worker is not tried for ever.
MOST_RESTARTS = 20

ENDED = (ImportState.DONE, ImportState.REFUSED, ImportState.CANCELLED, ImportState.FAILED)


class _Overtaken(Exception):
    """Somebody else has done this step."""


def begin_import(
    *, name: str, chunks: Iterable[bytes], at_once: bool = False, actor: str
) -> UserImport:
    """Keep a file and return the job that imports it; ``work`` does it, step by step.

    ``name``: of the file, to be shown. ``at_once``: add the users when the check finds no error,
    without asking.
    """
    limit = settings.MAX_IMPORT_MB
    file_name = PurePath(name.replace("\\", "/")).name[:255] or "users.csv"
    with transaction.atomic():
        job = UserImport.objects.create(file_name=file_name, actor=actor, at_once=at_once, size=0)
        for number, data in enumerate(_pieces(chunks)):
            if not number and data.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise Refused(say("The file is UTF-16; save it as UTF-8."), field="file")
            job.size += len(data)
            if job.size > limit * 1024 * 1024:
                rule = say("The file must not be larger than {limit} MB.", limit=limit)
                raise Refused(rule, field="file")
            ImportPiece.objects.create(job=job, number=number, data=data)
        if not job.size:
            raise Refused(say("The file is empty."), field="file")
        job.save(update_fields=["size"])
    return job


def confirm_import(*, job: UserImport, actor: str) -> UserImport:
    """Let the users of a checked file be added; return the job as it is now."""
    check_cluster()
    refusal = say("The import of {file} cannot be imported now.", file=job.file_name)
    return _turn(job, ImportState.READY, ImportState.IMPORTING, refusal, actor)


def cancel_import(*, job: UserImport, actor: str) -> UserImport:
    """Drop a file that is not being added; return the job as it is now."""
    sentence = say("Cancelled by {actor}. Nothing was imported.", actor=actor)
    refusal = say("The import of {file} cannot be cancelled now.", file=job.file_name)
    for state in (ImportState.READY, ImportState.CHECKING):
        if job.state == state:
            return _turn(job, state, ImportState.CANCELLED, refusal, actor, sentence)
    raise Refused(refusal)


def _turn(
    job: UserImport,
    old: ImportState,
    new: ImportState,
    refusal: str,
    actor: str,
    sentence: str = "",
) -> UserImport:
    """Take the job from one state to another; refuse when it is in the old one no more."""
    now = timezone.now()
    if not UserImport.objects.filter(pk=job.pk, state=old).update(
        state=new,
        step=F("step") + 1,
        actor=actor,
        sentence=sentence,
        touched_at=now,
        ended_at=now if new in ENDED else None,
    ):
        raise Refused(refusal)
    job.refresh_from_db()
    return job


def work(*, job_id: int, step: int, again: bool = False) -> int | None:
    """Do step ``step`` of an import; return the next one, or None when there is none to do.

    Asked twice for the same step, it is done once. ``again``: the worker that had it is gone.
    """
    job = UserImport.objects.filter(pk=job_id, step=step, kept=True).first()
    if job is None:
        return None
    job.restarts += again and job.state in reads.ACTIVE
    try:
        if job.restarts > MOST_RESTARTS and job.state in reads.ACTIVE:
            _end(job, ImportState.FAILED, say("Given up: its worker ended again and again."))
        elif job.state == ImportState.CHECKING and job.read < job.size:
            _read(job)
        elif job.state == ImportState.CHECKING:
            _compare(job)
        elif job.state == ImportState.IMPORTING:
            _import(job)
        elif job.state in ENDED:
            _drop(job)
        else:
            return None
    except _Overtaken:
        return None
    waits = job.state == ImportState.READY or not job.kept
    return None if waits else job.step


def expire() -> None:
    """Drop files that were checked a day ago and that nobody has imported."""
    before = timezone.now() - KEPT
    for job in UserImport.objects.filter(state=ImportState.READY, touched_at__lt=before):
        with contextlib.suppress(Refused):
            _turn(job, ImportState.READY, ImportState.CANCELLED, "", "", _EXPIRED)


def fail(*, job_id: int, step: int, why: str) -> None:
    """End an import that nobody can do; nothing of it was stored."""
    job = UserImport.objects.filter(pk=job_id, step=step).first()
    if job is not None and job.state in reads.ACTIVE:
        _end(job, ImportState.FAILED, together([why, say("Nothing was imported.")]))


def _claim(job: UserImport, *fields: str) -> None:
    """Write these fields of the job, in the transaction of its step; only one who does it can."""
    job.step += 1
    job.touched_at = timezone.now()
    values = {name: getattr(job, name) for name in ("step", "touched_at", "restarts", *fields)}
    if not UserImport.objects.filter(pk=job.pk, step=job.step - 1).update(**values):
        raise _Overtaken


def _end(job: UserImport, state: ImportState, sentence: str) -> None:
    job.state, job.sentence, job.ended_at = state, sentence, timezone.now()
    _claim(job, "state", "sentence", "ended_at", "problems")


def _read(job: UserImport) -> None:
    """Read some lines: keep the users of good ones, and what is wrong with others."""
    reader = LineReader(job)
    for number, end, data in read_lines(job, PIECE, LINES):
        job.line, job.read = number, end
        reader.take(number, data)
        if not reader.readable:
            job.read = job.size
            break
    job.rows += len(reader.rows)
    job.delimiter = reader.delimiter
    with transaction.atomic():
        _note(job, reader.problems, len(reader.problems))
        _claim(job, "line", "read", "rows", "problems", "delimiter")
        insert(reader.rows)


def _compare(job: UserImport) -> None:
    """Look for IDs and addresses that are not free; decide whether the file can be taken."""
    clashes = _clashes(job)
    problems = list(islice(clashes, MOST_PROBLEMS))
    if not (job.rows or job.problems):
        rule = say("There is no user in it.")
        problems = [ImportProblem(job=job, line=job.line, column=0, rule=rule)]
    number = len(problems) + sum(1 for _ in clashes)
    with transaction.atomic():
        _note(job, problems, number)
        if job.problems:
            sentence = say_count(
                "{count} error found. Nothing was imported.",
                "{count:,} errors found. Nothing was imported.",
                job.problems,
            )
            _end(job, ImportState.REFUSED, sentence)
            return
        job.state = ImportState.IMPORTING if job.at_once else ImportState.READY
        job.sentence = "" if job.at_once else say("No error was found. Nothing is imported yet.")
        _claim(job, "state", "sentence")


def _clashes(job: UserImport) -> Iterator[ImportProblem]:
    labels = ((1, "userid", say("User ID")), (3, "im_address", say("IM Address")))
    for column, field, label in labels:
        for line, value, first in reads.repetitions(job, field):
            names = {"label": label, "value": value, "line": first}
            rule = say("{label} {value} is in line {line:,} already.", **names)
            yield ImportProblem(job=job, line=line, column=column, rule=rule)
        for line, value in reads.clashes(job, field):
            rule = say("{label} {value} is taken already.", label=label, value=value)
            yield ImportProblem(job=job, line=line, column=column, rule=rule)


def _note(job: UserImport, problems: list[ImportProblem], number: int) -> None:
    """Count ``number`` errors, and keep these ``problems`` while there is room."""
    room = max(0, MOST_PROBLEMS - job.problems)
    job.problems += number
    ImportProblem.objects.bulk_create(problems[:room], batch_size=1000)


def _import(job: UserImport) -> None:
    """Add the users: all or none. What refuses it now leaves the file as it was, to be tried again."""
    try:
        with transaction.atomic():
            locks.one_administrator()
            beyond = capacity.of_change(reads.entering(job))
            _add(job)
            sentence = say_count(
                "{count} user was imported.", "{count:,} users were imported.", job.rows
            )
            _end(job, ImportState.DONE, together([sentence, *beyond]))
            sentence = say_count(
                "{count} user was imported from {file}.",
                "{count:,} users were imported from {file}.",
                job.rows,
                file=job.file_name,
            )
            events.record(kind=EventKind.ADMIN, sentence=sentence, actor=job.actor)
    except Refused as refused:
        job.refresh_from_db()
        job.state = ImportState.READY
        job.sentence = together([refused.rule, say("Nothing is imported yet.")])
        _claim(job, "state", "sentence")
    except IntegrityError:
        # Somebody has added one of them since the check: it is named by another one.
        job.refresh_from_db()
        job.state, job.restarts = ImportState.CHECKING, job.restarts + 1
        _claim(job, "state")


def _add(job: UserImport) -> None:
    staged = ImportRow.objects.filter(job=job)
    waiting = list(staged.filter(node=None).order_by("pk").values_list("pk", flat=True))
    entering = newcomers(len(waiting))
    nodes = [node for node, number in entering.items() for _ in range(number)]
    pairs = Pairs.of(zip_longest(waiting, nodes))
    named = staged.order_by().values_list("node", flat=True).distinct()
    check_homes({*(node for node in named if node is not None), *entering})
    check_cluster()
    users, rows = PresenceUser._meta.db_table, ImportRow._meta.db_table
    with connection.cursor() as cursor:
        insert = f"INSERT INTO {users} (userid, display_name, im_address, home_id) "
        cursor.execute(
            f"{insert} SELECT userid, display_name, im_address, node FROM {rows} "
            "WHERE job_id = %s AND node IS NOT NULL",
            [job.pk],
        )
        cursor.execute(
            f"{insert} SELECT r.userid, r.display_name, r.im_address, p.node_id "
            f"FROM {pairs.sql} p JOIN {rows} r ON r.id = p.item_id",
            [pairs.param],
        )
    names = staged.annotate(key=Lower("userid")).values("key")
    added, now = PresenceUser.objects.filter(userid__lower__in=names), lab_now()
    log_in(added, now)
    assigned = added.filter(home__isnull=False).order_by().values_list("pk", "home_id")
    record_assignment(assigned.iterator(), now)


def _drop(job: UserImport) -> None:
    """Forget the file and its rows, some at a time; the errors stay."""
    rows = ImportRow.objects.filter(job=job).order_by("pk")
    some = list(rows.values_list("pk", flat=True)[: 2 * LINES])
    with transaction.atomic():
        deleted, _ = ImportRow.objects.filter(pk__in=some).delete()
        if not deleted:
            ImportPiece.objects.filter(job=job).delete()
            job.kept = False
        _claim(job, "kept")


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    kept = bytearray()
    for chunk in chunks:
        kept += chunk
        while len(kept) >= PIECE:
            yield bytes(kept[:PIECE])
            del kept[:PIECE]
    if kept:
        yield bytes(kept)
