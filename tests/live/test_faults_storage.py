"""The database is full, read-only or locked: nothing is stored, and everybody is told so."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, ProgrammingError, connection
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy import bus, tasks
from redundancy.models import HaEvent, NodeRuntime, RedundancyGroup
from redundancy.monitor import reads as monitor
from redundancy.operations import services
from redundancy.outage import OutageLog
from redundancy.selectors import observing
from redundancy.views.errors import server_error
from tests.live.pair import ROUTER, Pair, server
from tests.pages.html import soup, status, words
from tests.swept import just_swept

FILLER = "filler"


def pragma(text: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@contextlib.contextmanager
def full() -> Iterator[None]:
    """No page can be added, and none of the history has room left."""
    most = pragma("max_page_count")
    pragma(f"max_page_count = {pragma('page_count')}")
    last = HaEvent.objects.first()
    assert last is not None
    with contextlib.suppress(OperationalError):
        for _ in range(10_000):
            last.pk, last.sentence = None, FILLER
            last.save(force_insert=True)
    yield
    pragma(f"max_page_count = {most}")
    HaEvent.objects.filter(sentence__english=FILLER).delete()


@contextlib.contextmanager
def read_only() -> Iterator[None]:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            yield
            cursor.execute("SET default_transaction_read_only = off")
        return
    pragma("query_only = 1")
    yield
    pragma("query_only = 0")


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Another process writes, for longer than anybody waits."""
    pragma("busy_timeout = 0")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()
    pragma("busy_timeout = 20000")


Fault = Callable[[], contextlib.AbstractContextManager[None]]
only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'")
FAULTS = [
    pytest.param(full, "database or disk is full", marks=only_sqlite, id="full"),
    pytest.param(read_only, "read", id="read-only"),
    pytest.param(locked, "database is locked", marks=only_sqlite, id="locked"),
]


@pytest.fixture
def browser(pair: Pair, settings: Settings) -> Client:
    settings.METRICS_TOKEN = ""
    user = User.objects.create_superuser("ann")
    client = Client()
    client.force_login(user)
    return client


def sweep(pair: Pair, seconds: int) -> None:
    for _ in range(seconds):
        pair.clock.now += 1
        tasks.sweep(asked=True)


@pytest.mark.parametrize(("fault", "why"), FAULTS)
def test_a_sweep_whose_steps_are_not_stored_is_no_healthy_sweep(
    pair: Pair,
    browser: Client,
    fault: Fault,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for task in (tasks.move_sessions, tasks.alarms, tasks.audit):
        monkeypatch.setattr(task, "delay", lambda *_: None)
    monkeypatch.setattr(tasks, "slow_lane", lambda: None)
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    sweep(pair, 80)
    just_swept()
    assert browser.get("/healthz").status_code == 200
    before = set(NodeRuntime.objects.values_list("state", "serial"))
    with fault():
        sweep(pair, 40)
        stored = set(NodeRuntime.objects.values_list("state", "serial"))
        assert browser.get("/healthz").status_code == 503
        assert b"srm_healthy 0.0" in browser.get("/metrics").content
        (trouble,) = monitor.look_at_system().troubles
        assert trouble.startswith("The last sweep failed: what SRM decides cannot be stored (")
        assert why in trouble
        assert trouble in words(soup(browser.get(reverse("beat_monitor"))))
        # As old as it is after a while: no sweep is marked.
        bus.client().pexpire(bus.MARK, 1000 * (bus.MARK_SECONDS - 20))
        sweep(pair, 5)
        seen = observing.observer()
        assert not seen.ok
        assert why in seen.sentence
        group = RedundancyGroup.objects.get()
        page = browser.get(reverse("group_edit", args=[group.pk]))
        assert "We could not see the nodes since" in words(soup(page))
    assert stored == before
    sweep(pair, 20)
    assert browser.get("/healthz").status_code == 200
    assert observing.observer().ok
    assert caplog.text.count("the database cannot be used") == 1
    assert caplog.text.count("sweep: done again, after") == 1


@pytest.mark.parametrize(("fault", "why"), FAULTS[1:])
def test_a_form_is_told_to_try_again(
    browser: Client, fault: Fault, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    pub, sub = server("imp-pub"), server("imp-sub")
    assert pub.group is not None
    form = {"name": "oslo", "first": pub.pk, "second": sub.pk, "ha_enabled": "on"}
    page = reverse("group_edit", args=[pub.group.pk])
    with fault():
        answer = browser.post(page, form)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "Nothing was changed: try again in a moment." in status(answer)
    assert why in caplog.text
    assert not RedundancyGroup.objects.filter(name="oslo").exists()
    assert browser.post(page, form).status_code == 302
    assert RedundancyGroup.objects.filter(name="oslo").exists()


@pytest.mark.parametrize(
    ("error", "code"), [(OperationalError("too many clients"), 503), (ValueError("ours"), 500)]
)
def test_what_fails_outside_of_views_is_told_alike(error: Exception, code: int) -> None:
    """A database that takes no connection fails before any view: where it is asked who signs in."""
    try:
        raise error
    except (OperationalError, ValueError):
        assert server_error(RequestFactory().get("/")).status_code == code


def test_what_is_away_is_told_once_when_it_begins_and_once_when_it_ends(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    log, broken = OutageLog(), True

    @log.watch
    def writes() -> None:
        if broken:
            raise OperationalError("database or disk is full")

    @log.watch
    def reads() -> None:
        """Works all the time: that it does says nothing of the others."""

    for _ in range(3):
        writes()
        reads()
    assert len(caplog.messages) == 1
    assert "writes: the database cannot be used (database or disk is full)" in caplog.text
    broken = False
    for _ in range(3):
        reads()
        writes()
    assert len(caplog.messages) == 2
    assert "writes: done again" in caplog.messages[-1]


def test_a_fault_of_ours_is_no_outage() -> None:
    @OutageLog().watch
    def broken() -> None:
        raise IntegrityError("ours")

    with pytest.raises(IntegrityError):
        broken()


def test_an_error_that_comes_again_each_second_is_logged_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ProgrammingError("column x does not exist")

    monkeypatch.setattr(tasks, "outages", OutageLog())
    monkeypatch.setattr("redundancy.live.sweep.find_due", broken)
    caplog.clear()
    for _ in range(20):
        bus.client().delete(bus.TURN)
        tasks.sweep()
    (told,) = caplog.records
    # The place in our code is told, too: the database itself is in order.
    assert told.exc_info
    assert "column x does not exist" in bus.outage()
