"""Whether the system can be trusted: figures, page, /healthz, /metrics."""

import json
import re
import time
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
from redundancy.monitor import views
from redundancy.srm.states import NOT_RESPONDING
from tests.pages.html import soup, words
from tests.swept import just_swept, tell


@pytest.mark.parametrize(("waited", "told"), [(5.5, "Works"), (14.7, "has waited for 15 s")])
def test_the_queue_of_the_sweeps_waits_no_longer_than_nodes_may_go_unseen(
    page: Client, running: None, settings: LazySettings, waited: float, told: str
) -> None:
    settings.SWEEP_SECONDS = 0.2
    bus.client().rpush("sweep", json.dumps({"headers": {"sent_at": time.time() - waited}}))
    assert told in words(soup(page.get(reverse("beat_monitor"))).select_one("#queues-frame tbody"))


def test_nobody_knows_whether_a_worker_works_that_sweeps_no_more(
    page: Client, running: None
) -> None:
    bus.client().pexpire(bus.MARK, 1000 * (bus.MARK_SECONDS - 20))
    first, second = soup(page.get(reverse("beat_monitor"))).select("#queues-frame tbody tr")
    assert "Not known: no sweep has run to its end lately." in words(first)
    assert first.select(".tone-ok") == []
    assert "Works" in words(second)


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
    ("break_it", "reason", "trouble"),
    [
        (lambda: bus.client().delete(bus.MARK), "sweep", "No sweep has run yet."),
        (
            lambda: bus.client().pexpire(bus.MARK, 86400_000),
            "sweep",
            "The last sweep ran 2505600 s ago",
        ),
        (lambda: old("moves", 200), "queue", "Queue moves: No canary has run for 200 s"),
        (
            lambda: bus.client().delete(pulse.CANARIES),
            "queue",
            "Queue sweep: No canary has run yet.",
        ),
        (
            lambda: backlog(time.time() - 90),
            "queue",
            "Queue moves: The oldest message has waited for 90 s.",
        ),
        (lambda: pulse.note_audit(["I1 is broken"]), "audit", "The last audit found breaches"),
        (
            lambda: tell("moves", seen=1, ahead=-1000.0, aside=True),
            "clock",
            "moves@here: Its clock is 1000 s slow: it stands aside until it is right.",
        ),
    ],
)
def test_each_trouble_is_named_and_answers_503(
    running: None, client: Client, break_it: object, reason: str, trouble: str
) -> None:
    assert client.get("/healthz").status_code == 200
    assert callable(break_it)
    break_it()
    assert any(said.startswith(trouble) for said in monitor.look_at_system().troubles)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content.decode()) == (503, f"not ok\n{reason}\n")
    # A load balancer sends browsers here all the same: the pages say what is wrong.
    assert client.get("/readyz").status_code == 200


def test_why_it_is_not_healthy_is_in_the_log_once(
    running: None,
    client: Client,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "_told", views.Told())

    def logged() -> list[str]:
        said = [record.getMessage() for record in caplog.records if record.name == views.__name__]
        caplog.clear()
        return said

    assert client.get("/healthz").status_code == 200
    assert logged() == []
    old("moves", 200)
    client.get("/healthz")
    (line,) = logged()
    assert re.match(r"Not healthy: Queue moves: No canary has run for 20\d s", line)
    client.get("/healthz")
    assert logged() == []
    pulse.note_audit(["I1 is broken"])
    client.get("/healthz")
    (line,) = logged()
    assert "No canary has run" in line
    assert "The last audit found breaches" in line
    just_swept()
    client.get("/healthz")
    assert logged() == ["Healthy again"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_what_watches_need_not_come_by_https(
    client: Client, running: None, settings: LazySettings, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path).status_code == 200
    assert client.get("/login/").status_code == 301


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
    monkeypatch.setattr("redundancy.selectors.enterprise.clients", away)
    assert monitor.look_at_system().troubles == ("The database cannot be reached.",)
    assert client.get("/healthz").content == b"not ok\ndatabase\n"
    assert client.get("/readyz").status_code == 503
    metrics = client.get("/metrics").content
    assert b"srm_database_up 0.0" in metrics
    assert b"srm_bus_up 1.0" in metrics


def test_the_ears_tell_how_long_a_peer_was_not_heard(running: None, ha: RedundancyGroup) -> None:
    now = monitor.look_at_system().lab_now
    pub = NodeRuntime.objects.filter(server__name="imp-pub")
    pub.update(memory={"peer_at": now - 40, "peer": {"hears": True}})
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
    pub.update(memory={"peer_at": now + 1000, "peer": {"hears": True}})
    assert {ear.node: ear.age for ear in monitor.look_at_system().ears}["imp-pub"] == 0.0


def test_the_page_says_what_works(page: Client, running: None, ha: RedundancyGroup) -> None:
    shown = soup(page.get(reverse("beat_monitor")))
    assert "the pages are up to date" in words(shown.select_one("#live"))
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


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 403),
        ("", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, 403),
    ],
)
def test_without_a_token_only_this_machine_reads_the_metrics(
    client: Client, running: None, address: str, headers: dict[str, str], status: int
) -> None:
    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status


def test_the_page_wants_a_sign_in(client: Client, db: None) -> None:
    assert client.get(reverse("beat_monitor")).status_code == 302
