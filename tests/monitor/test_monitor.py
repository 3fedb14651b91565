"""Whether the system can be trusted: figures, page, /healthz, /metrics."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families

from cucm_admin.stack.run import BASE_DIR
from redundancy import bus, pulse
from redundancy.models import Machine, NodeRuntime, RedundancyGroup
from redundancy.monitor import reads as monitor
from redundancy.pulse import SweepTick
from redundancy.srm.states import NOT_RESPONDING
from tests.pages.html import soup, words
from tests.swept import just_swept


def ticks(*begins: float, asked: tuple[float, ...] = ()) -> list[SweepTick]:
    return [SweepTick(at, 0.1, 2, at in asked) for at in begins]


@pytest.mark.parametrize(
    ("told", "late", "missed", "doubled"),
    [
        (ticks(), 0, 0, 0),
        (ticks(10), 0, 0, 0),
        (ticks(10, 11, 12, 13), 0, 0, 0),
        (ticks(10, 11.3, 12), 0.3, 0, 0),
        (ticks(10, 13, 14), 0, 2, 0),
        (ticks(10, 10.1, 11), 0, 0, 1),
        (ticks(10, 10.5, 11), 0, 0, 0),
        # What is late by less than half an interval is no missed tick.
        (ticks(10, 11.49, 12.98), 0.49, 0, 0),
        # A move that is done asks for a sweep: that is no doubled tick.
        (ticks(10, 10.1, 11, asked=(10.1,)), 0, 0, 0),
    ],
)
def test_lateness_missed_and_doubled_ticks(
    told: list[SweepTick], late: float, missed: int, doubled: int
) -> None:
    beat = monitor.beat_of(told, 1.0, 0.5)
    assert beat.late_p99 == pytest.approx(late)
    assert (beat.missed, beat.doubled) == (missed, doubled)


@pytest.mark.parametrize(
    ("told", "trouble"),
    [
        (ticks(*range(0, 300, 2)), "59 of the last 119 ticks were missed"),
        # Long ago, and regular since.
        (ticks(*range(0, 300, 4), *range(300, 450)), ""),
        (ticks(*(at for at in range(200) if at % 5)), ""),
        # Too few to judge by: 19 ticks, and just enough.
        (ticks(0, 10), ""),
        (ticks(0, 18), ""),
        (ticks(0, 19), "18 of the last 20 ticks were missed"),
        # A quarter is borne, and no more.
        (ticks(0, *range(6, 20)), ""),
        (ticks(0, *range(7, 21)), "6 of the last 21 ticks were missed"),
    ],
)
def test_misses_of_the_last_minutes_are_a_trouble(told: list[SweepTick], trouble: str) -> None:
    said = monitor.troubles_of(monitor.beat_of(told, 1.0, 0.5))
    assert [sentence.partition(":")[0] for sentence in said] == ([trouble] if trouble else [])


def test_half_of_the_sweeps_are_no_later_and_no_longer_than_the_median() -> None:
    begins = [0.0, 1.0, 2.1, 3.3, 4.6]
    swept = [SweepTick(at, 0.1 * (n + 1), 2, False) for n, at in enumerate(begins)]
    beat = monitor.beat_of(swept, 1.0, 0.5)
    assert [beat.took_p50, beat.took_p99] == pytest.approx([0.3, 0.5])
    assert [beat.late_p50, beat.late_p99] == pytest.approx([0.2, 0.3])
    assert (beat.sweeps, beat.recent) == (5, 5)


def queue(**figures: float | None) -> monitor.Queue:
    told: dict = {"oldest": None, "canary_age": 1.0, "canary_took": 0.1} | figures
    return monitor.Queue(name="moves", depth=1, worker="x", **told)


@pytest.mark.parametrize(
    ("figures", "trouble"),
    [
        ({"canary_age": 150.0}, ""),
        ({"canary_age": 150.1}, "No canary has run for 150 s: its worker does not work."),
        ({"canary_age": None}, "No canary has run yet."),
        ({"oldest": 30.0}, ""),
        ({"oldest": 30.1}, "The oldest message has waited for 30 s."),
    ],
)
def test_a_queue_is_in_trouble_beyond_its_limits(
    figures: dict[str, float | None], trouble: str
) -> None:
    assert queue(**figures).trouble == trouble


@pytest.fixture
def running(db: None, valkey: str) -> Iterator[None]:
    """Everything as it is a moment after a sweep, with workers that work."""
    bus.client().flushdb()
    just_swept()
    yield
    bus.client().flushdb()


def test_a_running_system_has_no_trouble(running: None) -> None:
    seen = monitor.look_at_system()
    assert seen.troubles == ()
    assert seen.beat is not None
    assert seen.beat.sweeps == 1
    assert [(q.name, q.worker) for q in seen.queues] == [
        ("sweep", "sweep@here"),
        ("moves", "moves@here"),
    ]
    assert seen.queues[0].canary_took == pytest.approx(0.25, abs=0.2)


def old(queue: str, ago: float) -> None:
    told = {"sent": pulse.now() - ago, "ran": pulse.now() - ago, "worker": "x"}
    bus.client().hset(pulse.CANARIES, queue, json.dumps(told))


def backlog(sent: float) -> None:
    bus.client().lpush("moves", json.dumps({"headers": {"sent_at": sent}}))
    bus.client().lpush("moves", json.dumps({"headers": {"sent_at": time.time()}}))


@pytest.mark.parametrize(
    ("break_it", "trouble"),
    [
        (lambda: bus.client().delete(bus.MARK), "No sweep has run yet."),
        (lambda: bus.client().pexpire(bus.MARK, 86400_000), "The last sweep ran 2505600 s ago"),
        (lambda: old("moves", 200), "Queue moves: No canary has run for 200 s"),
        (lambda: bus.client().delete(pulse.CANARIES), "Queue sweep: No canary has run yet."),
        (lambda: backlog(time.time() - 90), "Queue moves: The oldest message has waited for 90 s."),
        (lambda: pulse.note_audit(["I1 is broken"]), "The last audit found breaches"),
    ],
)
def test_each_trouble_is_named_and_answers_503(
    running: None, client: Client, break_it: object, trouble: str
) -> None:
    assert client.get("/healthz").status_code == 200
    assert callable(break_it)
    break_it()
    assert any(said.startswith(trouble) for said in monitor.look_at_system().troubles)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (503, b"not ok\n")


def test_a_bus_that_is_away_is_a_finding_and_no_error(
    running: None, client: Client, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    assert monitor.look_at_system().troubles == ("The heartbeat bus and broker cannot be reached.",)
    assert client.get("/healthz").status_code == 503
    assert b"srm_bus_up 0.0" in client.get("/metrics").content


def test_the_age_of_the_last_audit_is_told(running: None) -> None:
    told = {"at": pulse.now() - 40, "breaches": []}
    bus.client().set(pulse.AUDIT, json.dumps(told))
    assert monitor.look_at_system().audit_age == pytest.approx(40, abs=5)
    bus.client().delete(pulse.AUDIT)
    assert monitor.look_at_system().audit_age is None


def test_a_database_that_is_away_is_a_finding_and_no_error(
    running: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def cursor(self) -> None:
            raise OperationalError("no route to host")

    def away() -> None:
        raise OperationalError("no route to host")

    monkeypatch.setattr(monitor, "connection", Away())
    monkeypatch.setattr("redundancy.selectors.live.all_live", away)
    assert monitor.look_at_system().troubles == ("The database cannot be reached.",)
    assert client.get("/healthz").status_code == 503
    metrics = client.get("/metrics").content
    assert b"srm_database_up 0.0" in metrics
    assert b"srm_bus_up 1.0" in metrics


def test_the_ears_tell_how_long_a_peer_was_not_heard(running: None, ha: RedundancyGroup) -> None:
    now = monitor.look_at_system().lab_now
    pub = NodeRuntime.objects.filter(server__name="imp-pub")
    pub.update(memory={"peer_at": now - 40, "peer": {"state": "Normal"}})
    ears = {ear.node: ear.age for ear in monitor.look_at_system().ears}
    assert ears["imp-pub"] == pytest.approx(40, abs=5)
    assert ears["imp-sub"] is None
    pub.update(memory={"peer_at": now - 40, "peer": None})
    assert {ear.node: ear.age for ear in monitor.look_at_system().ears}["imp-pub"] is None
    states = {ear.node: ear.state for ear in monitor.look_at_system().ears}
    assert states["imp-pub"] == "Unknown"
    Machine.objects.filter(server__name="imp-pub").update(srm_running=False)
    assert [ear.state for ear in monitor.look_at_system().ears if ear.node == "imp-pub"] == [
        NOT_RESPONDING
    ]
    # A clock that was set back makes nobody younger than now.
    pub.update(memory={"peer_at": now + 1000, "peer": {"state": "Normal"}})
    assert {ear.node: ear.age for ear in monitor.look_at_system().ears}["imp-pub"] == 0.0


def test_the_page_says_what_works(page: Client, running: None, ha: RedundancyGroup) -> None:
    shown = soup(page.get(reverse("beat_monitor")))
    assert "what the pages show is fresh" in words(shown.select_one("#live"))
    assert "2 more" not in words(shown.select_one("#live"))
    assert [words(row.select("td")[1]) for row in shown.select("#ears-frame tbody tr")] == [
        "imp-pub",
        "imp-sub",
    ]
    live = shown.select_one("#live")
    assert live is not None
    fragment = page.get(str(live["hx-get"]))
    assert soup(fragment).select_one("html") is None
    bus.client().delete(bus.MARK)
    assert "No sweep has run yet." in words(soup(page.get(str(live["hx-get"]))))


def names(text: str) -> set[str]:
    return {family.name for family in text_string_to_metric_families(text)}


def test_metrics_can_be_read_by_prometheus(
    client: Client, running: None, ha: RedundancyGroup
) -> None:
    text = client.get("/metrics").content.decode()
    families = {f.name: f for f in text_string_to_metric_families(text)}
    assert families["srm_healthy"].samples[0].value == 1
    states = [sample.labels for sample in families["srm_node_state"].samples]
    assert {label["node"] for label in states} == {"imp-pub", "imp-sub"}


def test_alerts_and_dashboard_ask_for_metrics_that_exist(
    client: Client, running: None, ha: RedundancyGroup
) -> None:
    # A node that never heard its peer has no age.
    told = names(client.get("/metrics").content.decode()) | {"srm_heartbeat_age_seconds"}
    folder = Path(BASE_DIR) / "docs" / "monitoring"
    for file in ("alerts.yml", "grafana-dashboard.json"):
        asked = set(re.findall(r"\b(?:srm|celery)_[a-z_]+", (folder / file).read_text()))
        assert asked
        assert asked <= told, file


@pytest.mark.parametrize(
    ("shown", "status"),
    [(None, 401), ("Bearer wrong", 401), ("s3cret", 401), ("Bearer s3cret", 200)],
)
def test_a_token_guards_the_metrics_where_it_is_set(
    client: Client, running: None, settings: LazySettings, shown: str | None, status: int
) -> None:
    settings.METRICS_TOKEN = "s3cret"
    headers = {"Authorization": shown} if shown else {}
    assert client.get("/metrics", headers=headers).status_code == status
    assert client.get("/healthz").status_code == 200


def test_the_page_wants_a_sign_in(client: Client, db: None) -> None:
    assert client.get(reverse("beat_monitor")).status_code == 302
