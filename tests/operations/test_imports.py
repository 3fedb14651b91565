"""Import users from a file, step by step."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from redundancy import users_csv
from redundancy.errors import Refused
from redundancy.models import (
    HaEvent,
    ImportPiece,
    ImportProblem,
    ImportRow,
    ImportState,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    UserImport,
)
from redundancy.operations import imports
from redundancy.operations.enterprise import set_enterprise_parameters
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.users import add_users
from redundancy.selectors import imports as selectors
from redundancy.selectors.audit import audit
from redundancy.srm.states import State

pytestmark = pytest.mark.django_db

GOOD = "ann,Ann A,ann@example.com,imp-pub\nbob,,bob@example.com,imp-sub\ncid,Cid,cid@example.com\n"


@pytest.fixture(autouse=True)
def cluster(db: None, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    """A pair without users."""
    monkeypatch.setattr("redundancy.operations.sample.USERS", 0)
    return load_sample_cluster(actor="x")


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


def test_a_good_file_is_imported() -> None:
    job = done(GOOD)
    assert (job.state, job.sentence) == (ImportState.DONE, "3 users were imported.")
    assert homes() == {
        "ann": ("Ann A", "imp-pub", "imp-pub"),
        "bob": ("", "imp-sub", "imp-sub"),
        "cid": ("Cid", "imp-pub", "imp-pub"),
    }
    event = HaEvent.objects.latest("pk")
    assert (event.sentence, event.actor) == ("3 users were imported from users.csv.", "ann")
    assert audit() == []
    assert not job.kept
    assert not ImportRow.objects.exists()
    assert not ImportPiece.objects.exists()


def test_the_mode_decides_for_who_has_no_node() -> None:
    set_enterprise_parameters(values={"assignment_mode": "None"}, actor="x")
    done("ann,,ann@x,\n")
    set_enterprise_parameters(values={"assignment_mode": "Active-Standby"}, actor="x")
    done("bob,,bob@x,\ncid,,cid@x,\n")
    assert homes() == {
        "ann": ("", None, None),
        "bob": ("", "imp-pub", "imp-pub"),
        "cid": ("", "imp-pub", "imp-pub"),
    }
    assert audit() == []


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(",", ";"),
        GOOD.rstrip("\n"),
        "\ufeff" + GOOD,
        "User ID,Display Name,IM Address,Assigned Node\n" + GOOD,
        "\ufeffuserid;display name;im-address;node\r\n" + GOOD.replace(",", ";"),
        '"ann","Ann A","ann@example.com","IMP-PUB"\n' + GOOD.partition("\n")[2],
        "\n\n" + GOOD.replace("\n", "\n\n"),
        GOOD.replace("ann,", "  ann ,"),
    ],
)
def test_forms_of_the_same_file(text: str) -> None:
    job = done(text)
    assert job.problems == 0, problems(job)
    assert homes()["ann"] == ("Ann A", "imp-pub", "imp-pub")
    assert len(homes()) == 3


def test_quoted_fields() -> None:
    done('ann,"Doe, Ann ""the"" First",ann@x,\n')
    assert homes()["ann"][0] == 'Doe, Ann "the" First'
    done('bob;"Doe; Bob, Jr.";bob@x\n')
    assert homes()["bob"][0] == "Doe; Bob, Jr."


ALREADY = "is in line 1 already"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann,,ann@x\nbob\n", [(2, 0, "3 or 4 fields; this one has 1 field.")]),
        ("ann,,ann@x,,\n", [(1, 0, "has 5 fields")]),
        ('ann,"A,ann@x\nbob,,bob@x\n', [(1, 0, "quoted field does not end")]),
        ('ann,"A"b,ann@x\n', [(1, 0, "quoted field does not end")]),
        (",,ann@x\n", [(1, 1, "User ID must be 1 to 128")]),
        ("a,,\n", [(1, 3, "IM Address must be 1 to 255")]),
        (
            f"{'a' * 129},{'n' * 129},\n",
            [(1, 1, "User ID"), (1, 2, "Display name"), (1, 3, "IM Address")],
        ),
        ("ann,,ann@x,imp-9\n", [(1, 4, "'imp-9' is no IM and Presence server")]),
        (",,ann@x,imp-9\n", [(1, 1, "User ID"), (1, 4, "imp-9")]),
        ("ann,,ann@x\nANN,,b@x\n", [(2, 1, f"User ID ANN {ALREADY}")]),
        ("ann,,ann@x\nbob,,ANN@x\n", [(2, 3, f"IM Address ANN@x {ALREADY}")]),
        ("OLD,,new@x\n", [(1, 1, "User ID OLD is taken already")]),
        ("new,,old@X\n", [(1, 3, "IM Address old@X is taken already")]),
        (b"ann,\xff,ann@x\nbob,,bob@x\n", [(1, 0, "not UTF-8")]),
        (b"ann,\x00,ann@x\n", [(1, 2, "printable")]),
        ("a" * 9000 + "\nann,,ann@x\n", [(1, 0, "longer than 8,192 bytes")]),
        ("userid,im address,name\nann,,ann@x\n", [(1, 0, "The columns must be User ID, Display")]),
        ("User ID,Display Name,IM Address\n", [(1, 0, "There is no user in it")]),
        ("\n\n", [(2, 0, "There is no user in it")]),
    ],
)
def test_errors_name_line_and_column(text: str | bytes, expected: list) -> None:
    add_users(rows=[("old", "", "OLD@x", None)], actor="x")
    job = done(text)
    found = problems(job)
    assert job.state == ImportState.REFUSED
    assert [problem[:2] for problem in found] == [problem[:2] for problem in expected]
    for (*_, rule), (*_, words) in zip(found, expected, strict=True):
        assert words in rule
    assert list(homes()) == ["old"]
    assert job.problems == len(expected)
    assert not ImportRow.objects.exists()


def test_all_errors_are_counted_and_some_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_PROBLEMS", 5)
    monkeypatch.setattr(imports, "LINES", 3)
    job = done("ann\n" * 4 + "bob,,bob@x\n" * 4)
    assert job.sentence == "10 errors found. Nothing was imported."
    assert [line for line, *_ in problems(job)] == [1, 2, 3, 4, 6]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ([], "The file is empty"),
        ([b""], "The file is empty"),
        ([b"x" * 700_000, b"x" * 400_000], "must not be larger than 1 MB"),
        (["ann,,ann@x".encode("utf-16")], "UTF-16"),
    ],
)
def test_files_that_are_not_taken(data: list[bytes], rule: str, settings: Settings) -> None:
    settings.MAX_IMPORT_MB = 1
    with pytest.raises(Refused, match=rule) as caught:
        imports.begin_import(name="x", chunks=data, actor="ann")
    assert caught.value.field == "file"
    assert not UserImport.objects.exists()
    assert not ImportPiece.objects.exists()


def test_a_name_is_no_path() -> None:
    assert begin(GOOD, name="C:\\temp\\users.csv").file_name == "users.csv"
    assert begin(GOOD, name="../../etc/passwd").file_name == "passwd"


def test_lines_that_lie_on_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"u{n},Ünïcødé {n},u{n}@x,\r\n" for n in range(100))
    for piece, lines in ((7, 3), (64, 10), (10_000, 1)):
        monkeypatch.setattr(imports, "PIECE", piece)
        monkeypatch.setattr(imports, "LINES", lines)
        job = go(begin(text, at_once=False))
        assert (job.state, job.rows, job.line, job.read) == ("ready", 100, 100, job.size)
        assert set(job.staged.values_list("display_name", flat=True)) == {
            f"Ünïcødé {n}" for n in range(100)
        }


def test_check_first_import_then() -> None:
    job = go(begin(GOOD, at_once=False))
    assert (job.state, job.sentence) == ("ready", "No error was found. Nothing is imported yet.")
    assert homes() == {}
    imports.confirm_import(job=job, actor="bob")
    assert go(job).state == ImportState.DONE
    assert HaEvent.objects.latest("pk").actor == "bob"
    for act in (imports.confirm_import, imports.cancel_import):
        with pytest.raises(Refused, match="cannot be"):
            act(job=job, actor="bob")


@pytest.mark.parametrize("steps", [0, 1, 10])
def test_cancel(steps: int) -> None:
    job = go(begin(GOOD, at_once=False), steps)
    old = job.step
    imports.cancel_import(job=job, actor="bob")
    # What was queued before comes to nothing.
    assert imports.work(job_id=job.pk, step=old) is None
    job = go(job)
    assert (job.state, job.kept) == ("cancelled", False)
    assert job.sentence == "Cancelled by bob. Nothing was imported."
    assert homes() == {}
    assert not ImportRow.objects.exists()


def test_who_changed_something_since_the_check_is_noticed() -> None:
    job = go(begin(GOOD, at_once=False))
    add_users(rows=[("BOB", "", "other@x", None)], actor="x")
    imports.confirm_import(job=job, actor="x")
    job = go(job)
    assert job.state == ImportState.REFUSED
    assert problems(job) == [(2, 1, "User ID bob is taken already.")]
    assert list(homes()) == ["BOB"]


def test_a_node_that_is_gone_is_noticed(cluster: RedundancyGroup) -> None:
    job = go(begin(GOOD, at_once=False))
    Server.objects.filter(name="imp-sub").delete()
    imports.confirm_import(job=job, actor="x")
    job = go(job)
    assert job.state == ImportState.READY
    assert "the server does not exist any more" in job.sentence
    assert homes() == {}


@pytest.mark.parametrize("state", [State.FAILING_OVER, State.IDLE, State.INITIALIZING])
def test_nobody_is_imported_while_a_node_is_failed_over(state: State) -> None:
    NodeRuntime.objects.filter(server__name="imp-sub").update(state=state)
    job = go(begin(GOOD))
    assert job.state == ImportState.READY
    assert f"imp-sub ({state}). Nothing is imported yet." in job.sentence
    with pytest.raises(Refused, match="in a transition"):
        imports.confirm_import(job=job, actor="x")
    assert homes() == {}
    NodeRuntime.objects.update(state=State.NORMAL)
    imports.confirm_import(job=job, actor="x")
    assert go(job).state == ImportState.DONE
    assert len(homes()) == 3


class Killed(BaseException):
    """Ends a step as a signal would."""


def statements(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def test_a_worker_killed_at_any_statement_leaves_nothing_half_done() -> None:
    """Each step is ended at each of its statements, and done again."""
    text = "".join(f"u{n},,u{n}@x,\n" for n in range(9))
    job = begin(text)
    killed = 0
    for steps in range(5):
        at = 0
        while True:
            job.refresh_from_db()
            before = (job.step, job.rows, PresenceUser.objects.count(), ImportRow.objects.count())
            left = [at]

            def kill(execute: Callable, *args: object, left: list[int] = left) -> object:
                if not left[0]:
                    raise Killed
                left[0] -= 1
                return execute(*args)

            try:
                with transaction.atomic(), connection.execute_wrapper(kill):
                    imports.work(job_id=job.pk, step=job.step)
            except Killed:
                job.refresh_from_db()
                after = (
                    job.step,
                    job.rows,
                    PresenceUser.objects.count(),
                    ImportRow.objects.count(),
                )
                assert after == before
                at += 1
                killed += 1
            else:
                break
        assert PresenceUser.objects.count() in (0, 9), steps
    assert killed > 20
    job.refresh_from_db()
    assert (job.state, job.rows, job.kept) == ("done", 9, False)
    assert PresenceSession.objects.count() == PresenceUser.objects.count() == 9


def test_a_step_is_done_once() -> None:
    job = begin(GOOD)
    assert imports.work(job_id=job.pk, step=0) == 1
    assert imports.work(job_id=job.pk, step=0) is None
    assert imports.work(job_id=job.pk, step=7) is None
    assert imports.work(job_id=job.pk + 1, step=0) is None
    assert ImportRow.objects.count() == 3


def test_two_workers_at_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    job = begin(GOOD)
    real = ImportRow.objects.bulk_create

    def other_first(*args: object, **kwargs: object) -> object:
        raise AssertionError("the other one has done it")

    UserImport.objects.filter(pk=job.pk).update(step=0)
    found = UserImport.objects.get(pk=job.pk)
    assert imports.work(job_id=job.pk, step=0) == 1
    monkeypatch.setattr(ImportRow.objects, "bulk_create", other_first)
    with pytest.raises(imports._Overtaken):
        imports._read(found)
    monkeypatch.setattr(ImportRow.objects, "bulk_create", real)
    assert ImportRow.objects.count() == 3


def test_what_was_left_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "LINES", 1)
    job = go(begin(GOOD), 2)
    assert not selectors.progress(job, timezone.now()).interrupted
    assert selectors.unfinished(timezone.now() - selectors.STALE) == []
    UserImport.objects.update(touched_at=timezone.now() - timedelta(minutes=5))
    job.refresh_from_db()
    shown = selectors.progress(job, timezone.now())
    assert (shown.interrupted, shown.label) == (True, "Checking: interrupted")
    ((pk, step),) = selectors.unfinished(timezone.now() - selectors.STALE)
    assert imports.work(job_id=pk, step=step, again=True) == step + 1
    job.refresh_from_db()
    assert (job.restarts, job.line) == (1, 3)
    job = go(job)
    assert (job.state, len(homes())) == ("done", 3)
    assert selectors.unfinished(timezone.now()) == []


def test_what_kills_its_worker_again_and_again_is_given_up() -> None:
    job = begin(GOOD)
    UserImport.objects.update(restarts=imports.MOST_RESTARTS)
    imports.work(job_id=job.pk, step=0, again=True)
    job = go(job)
    assert (job.state, job.kept) == ("failed", False)
    assert "again and again" in job.sentence


def test_what_nobody_can_do_is_failed() -> None:
    job = begin(GOOD)
    imports.fail(job_id=job.pk, step=0, why="Broken.")
    imports.fail(job_id=job.pk, step=0, why="Late.")
    job.refresh_from_db()
    assert (job.state, job.sentence) == ("failed", "Broken. Nothing was imported.")


def test_a_checked_file_does_not_wait_for_ever() -> None:
    job = go(begin(GOOD, at_once=False))
    imports.expire()
    job.refresh_from_db()
    assert job.state == ImportState.READY
    UserImport.objects.update(touched_at=timezone.now() - timedelta(hours=25))
    imports.expire()
    assert go(job).state == ImportState.CANCELLED
    assert "within a day" in job.sentence


def test_progress_rises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "LINES", 1)
    job, seen = begin(GOOD), []
    for _ in range(5):
        seen.append(selectors.progress(go(job, 1), timezone.now()).percent)
    assert seen == sorted(seen)
    assert len(set(seen[:4])) == 4
    assert seen[-1] == 100


def test_the_number_of_statements_that_add_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    def importing(number: int) -> int:
        job = begin("".join(f"n{number}u{n},,n{number}u{n}@x,\n" for n in range(number)))
        while job.state != ImportState.IMPORTING:
            job = go(job, 1)
        return statements(lambda: go(job, 1))

    assert importing(10) == importing(3000) < 25


NASTY = [
    ("=1+1", "+49 30 1", "-x@x"),
    ("@ann", "'quoted'", "'=x@x"),
    ("''=x", "-", "plus+sign@x"),
    ("a,b", 'say "hi"', "semi;colon@x"),
]


def test_an_export_is_imported_as_it_was(tmp_path: Path) -> None:
    nodes = list(Server.objects.order_by("name"))
    add_users(
        rows=[(*texts, node) for texts, node in zip(NASTY, [*nodes, *nodes], strict=True)],
        actor="x",
    )
    before = set(selectors.exported())
    lines = list(users_csv.write(selectors.exported()))
    assert lines[0] == "\ufeffUser ID,Display Name,IM Address,Assigned Node\r\n"
    # No field begins as a formula.
    for line in lines[1:]:
        assert not any(part[:1] in set("=+-@") for part in line.replace('"', "").split(","))
    PresenceUser.objects.all().delete()
    job = done("".join(lines))
    assert job.problems == 0, problems(job)
    assert set(selectors.exported()) == before


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


def test_chunks_of_any_size_make_the_same_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "PIECE", 16)
    data = bytes(range(65, 65 + 50))
    for size in (1, 16, 17, 100):
        job = imports.begin_import(name="x", chunks=pieces(data, size), actor="x")
        kept = [bytes(piece.data) for piece in job.pieces.order_by("number")]
        assert kept == [data[0:16], data[16:32], data[32:48], data[48:]]
