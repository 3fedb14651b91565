"""An import goes step by step: confirmed, cancelled, interrupted, and done once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from redundancy.errors import Refused
from redundancy.imports import reads as selectors
from redundancy.imports import writes as imports
from redundancy.models import (
    HaEvent,
    ImportRow,
    ImportState,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    UserImport,
)
from redundancy.operations.users import add_users
from redundancy.srm.states import State
from tests.imports.jobs import GOOD, begin, go, homes, problems, statements

pytestmark = pytest.mark.django_db


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
    assert job.restarts == 1, "what is found again and again ends"
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


def test_the_last_of_so_many_restarts_is_still_done() -> None:
    job = begin(GOOD)
    UserImport.objects.update(restarts=imports.MOST_RESTARTS - 1)
    assert imports.work(job_id=job.pk, step=0, again=True) == 1
    assert go(job).state == ImportState.DONE


def test_a_file_that_is_dropped_late_was_not_restarted() -> None:
    job = go(begin(GOOD), 3)
    assert (job.state, job.kept) == (ImportState.DONE, True)
    imports.work(job_id=job.pk, step=job.step, again=True)
    job.refresh_from_db()
    assert job.restarts == 0


def test_a_checked_file_that_waits_is_not_taken_for_interrupted() -> None:
    job = go(begin(GOOD, at_once=False))
    UserImport.objects.update(touched_at=timezone.now() - timedelta(minutes=5))
    job.refresh_from_db()
    assert not selectors.progress(job, timezone.now()).interrupted
    assert selectors.unfinished(timezone.now()) == []
    assert imports.work(job_id=job.pk, step=job.step, again=True) is None


def test_a_step_is_left_for_so_long_before_it_is_taken_up() -> None:
    job = begin(GOOD)
    now = job.touched_at + selectors.STALE
    assert not selectors.progress(job, now).interrupted
    assert selectors.progress(job, now + timedelta(milliseconds=1)).interrupted
    assert selectors.unfinished(job.touched_at) == [(job.pk, 0)]
    assert selectors.unfinished(job.touched_at - timedelta(milliseconds=1)) == []


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

    assert importing(10) == importing(3000) < 32
