"""Alarms of a real cluster: raised, changed and cleared by what was seen, and by nothing that is not told."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from redundancy import tasks
from redundancy.alarms import delivery
from redundancy.alarms import writes as alarms
from redundancy.cluster.snapshot import Snapshot
from redundancy.models import (
    Alarm,
    AlarmKind,
    AlarmNotice,
    ClusterSnapshot,
    ClusterWatch,
)
from redundancy.operations import power
from redundancy.srm.words import english
from redundancy.watch import writes
from redundancy.watch.alarming import reconcile
from redundancy.watch.conditions import judged, subject_of, watch_of
from tests.alarms.conftest import admin, page, pair
from tests.alarms.test_alarms import Hook, hook
from tests.cluster.inputs import reading_of
from tests.live.pair import Pair, server
from tests.pages.html import rows
from tests.watch.inputs import FAILED_OVER, NORMAL, OFF, PUB, SUB, Real, at, dated

__all__ = ["admin", "hook", "page", "pair"]

GROUP = "DefaultCUPSubCluster"
K = AlarmKind
# What SRM always monitors, and what a login needs.
RUNNING = [
    "A Cisco DB",
    "Cisco XCP Router",
    "Cisco Client Profile Agent",
    "Cisco Login Datastore",
    "Cisco XCP Connection Manager",
    "Cisco XCP Authentication Service",
]


def services(**stopped: str) -> str:
    """Return what a node says of itself; ``stopped``: what is said in the place of STARTED, by a word of the name."""
    lines = [
        f"{name}[{next((say for word, say in stopped.items() if word in name), 'STARTED')}]\n"
        for name in RUNNING
    ]
    return dated("") + "admin:utils service list\n" + "".join(lines)


def state(node: str, told: str) -> str:
    """Return the states of the pair, in which that of ``node`` is another one."""
    return NORMAL.replace(f"{node} State: Normal", f"{node} State: {told}")


def snapshot(text: str) -> Snapshot:
    _, (found,) = reading_of(text)
    return found


# --- what holds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "holding"),
    [
        (NORMAL, set()),
        (OFF, {(K.HA_OFF, GROUP)}),
        (FAILED_OVER, {(K.FAILOVER, GROUP)}),
        (state(SUB, "Initializing Reason: Initialization"), set()),
        (
            state(SUB, "Running in Backup Mode Reason: Peer Down"),
            {(K.FAILOVER, GROUP), (K.PEER_FAILURE, SUB)},
        ),
        (
            state(SUB, "Cisco Server Recovery Manager Not Responding"),
            {(K.FAILOVER, GROUP)},
        ),
        (
            NORMAL.replace("State: Normal", "State: Failed Reason: Critical Service Down"),
            {(K.FAILOVER, GROUP), (K.FAILED, PUB), (K.FAILED, SUB)},
        ),
        (NORMAL + services(), set()),
        (NORMAL + services(Router="STOPPED"), {(K.SERVICE_DOWN, PUB), (K.SERVICE_STOPPED, PUB)}),
        (NORMAL + services(Agent="STOPPED"), {(K.SERVICE_STOPPED, PUB)}),
        # Stopped by who failed it over.
        (
            state(PUB, "Idle Reason: On Admin Request").replace(
                f"{SUB} State: Normal",
                f"{SUB} State: Running in Backup Mode Reason: On Admin Request",
            )
            + services(Router="STOPPED"),
            {(K.FAILOVER, GROUP)},
        ),
    ],
)
def test_what_holds_of_a_cluster(text: str, holding: set[tuple[AlarmKind, str]]) -> None:
    assert {(each.kind, each.name) for each in judged(snapshot(text)).holding} == holding


def test_what_is_not_told_is_neither_an_alarm_nor_none() -> None:
    found = judged(snapshot(NORMAL)).untold
    of_nodes = {K.SERVER_DOWN, K.SERVICE_DOWN, K.SERVICE_STOPPED}
    assert found == {(kind, node) for kind in of_nodes for node in (PUB, SUB)}
    assert (K.SERVICE_DOWN, PUB) not in judged(snapshot(NORMAL + services())).untold
    # Of a service that cannot be read nobody knows whether it runs.
    unread = judged(snapshot(NORMAL + services(Cisco="UNKNOWN")))
    assert unread.holding == []
    assert {(K.SERVICE_DOWN, PUB), (K.SERVICE_STOPPED, PUB)} <= unread.untold
    # A list that lacks a service which decides.
    partly = judged(snapshot(NORMAL + services().replace("A Cisco DB[STARTED]\n", "")))
    assert (K.SERVICE_DOWN, PUB) in partly.untold
    assert (K.SERVICE_STOPPED, PUB) not in partly.untold
    unsaid = snapshot(
        NORMAL.replace(f"Node 2 Name : {SUB} State: Normal\n", "").replace(
            "Normal", "Failed Over Reason: Peer Down"
        )
    )
    assert (K.FAILOVER, GROUP) not in judged(unsaid).untold


def test_a_subject_fits_its_column_and_leads_to_its_watch() -> None:
    subject = subject_of(99_999, "x" * 500)
    assert len(subject) <= 24
    assert watch_of(subject) == 99_999
    assert subject_of(1, "a") != subject_of(1, "b")


# --- raised and cleared ----------------------------------------------------------------------------

database = pytest.mark.django_db


def open_alarms() -> list[tuple[str, str]]:
    found = Alarm.objects.filter(cleared_at=None).order_by("pk")
    return [(alarm.kind, english(alarm.whose)) for alarm in found]


@database
def test_one_failover_is_one_alarm_that_ends() -> None:
    url = "json://127.0.0.1:9/x"
    alarms.save_channel(channel=None, name="desk", url=url, enabled=True, actor="ann")
    real = Real()
    real.look()
    assert reconcile(real.now) == 0
    real.look(FAILED_OVER)
    assert reconcile(real.now) == 1
    assert open_alarms() == [("SRMFailover", f"Lisbon (real): {GROUP}")]
    assert reconcile(real.now) == 0, "nothing has changed"
    real.look(
        FAILED_OVER.replace("Failed Over R", "Failed Over with Critical Services not Running R")
    )
    assert reconcile(real.now) == 1
    real.look(NORMAL)
    assert reconcile(real.now) == 1
    assert open_alarms() == []
    said = [notice.text for notice in AlarmNotice.objects.order_by("pk")]
    assert [text.partition(" ")[0] for text in said] == ["Raised:", "Changed:", "Cleared."]
    assert said[0].startswith(
        f"Raised: Lisbon (real): {PUB}: Failed Over / Critical Service Down; {SUB}: Running in Backup Mode"
    )


@database
def test_high_availability_that_is_off_is_an_alarm() -> None:
    real = Real(OFF)
    real.look()
    reconcile(real.now)
    assert open_alarms() == [("HighAvailabilityOff", f"Lisbon (real): {GROUP}")]
    real.look(NORMAL)
    reconcile(real.now)
    assert open_alarms() == []


@database
def test_what_is_told_no_more_clears_nothing() -> None:
    real = Real(NORMAL + services(Router="STOPPED"))
    real.look()
    reconcile(real.now)
    raised = [(kind, f"Lisbon (real): {PUB}") for kind in ("CriticalServiceDown", "ServiceStopped")]
    assert open_alarms() == raised
    real.look(NORMAL)
    assert reconcile(real.now) == 0
    assert open_alarms() == raised
    real.look(NORMAL + services())
    reconcile(real.now)
    assert open_alarms() == []


@database
def test_who_sees_nothing_clears_nothing_and_says_that_it_sees_nothing() -> None:
    real = Real(FAILED_OVER)
    real.look()
    reconcile(real.now)
    failover = ("SRMFailover", f"Lisbon (real): {GROUP}")
    blind = ("ClusterWatchFailed", "Lisbon (real)")
    # Once may be chance.
    real.look(why="host: it does not answer")
    assert reconcile(real.now) == 0
    real.look(why="host: it does not answer")
    assert reconcile(real.now) == 1
    assert open_alarms() == [failover, blind]
    alarm = Alarm.objects.get(kind=blind[0])
    assert "(real): It cannot be seen since 2026-11-29 01:30 (UTC): host" in english(alarm.sentence)
    # Another reason is no news.
    real.look(why="user: the password is wrong", after=60)
    assert reconcile(real.now) == 0
    real.look(NORMAL)
    reconcile(real.now)
    assert open_alarms() == []


@database
def test_that_nobody_looks_is_an_alarm() -> None:
    real = Real()
    real.look()
    late = real.now + timedelta(minutes=13)
    assert reconcile(real.now + timedelta(minutes=12)) == 0
    # This process has just begun: before it there may have been none.
    assert reconcile(late, since=late - timedelta(minutes=12)) == 0
    assert reconcile(late, since=real.now) == 1
    assert open_alarms() == [("ClusterWatchFailed", "Lisbon (real)")]
    real.look(after=14)
    reconcile(real.now)
    assert open_alarms() == []


@database
def test_one_look_by_hand_promises_no_other() -> None:
    real = Real(watched=at(minutes=0))
    real.look()
    assert reconcile(real.now + timedelta(days=3)) == 0
    real.look(why="host: it does not answer")
    reconcile(real.now)
    assert open_alarms() == [("ClusterWatchFailed", "Lisbon (real)")]


@database
def test_a_watch_that_is_forgotten_has_no_alarms() -> None:
    real = Real(FAILED_OVER)
    real.look()
    reconcile(real.now)
    writes.forget(row=ClusterWatch.objects.get(), actor="ann")
    reconcile(real.now)
    assert open_alarms() == []


@database
def test_a_snapshot_that_cannot_be_used_changes_nothing() -> None:
    real = Real(FAILED_OVER)
    real.look()
    reconcile(real.now)
    ClusterSnapshot.objects.update(document=b"x")
    assert reconcile(real.now) == 0
    assert len(open_alarms()) == 1


@database
def test_names_that_are_longer_than_those_of_the_lab_are_cut() -> None:
    long = "n" * 90
    real = Real(
        FAILED_OVER.replace(PUB, long)
        .replace("Critical Service Down", "Peer Down")
        .replace(GROUP, "g" * 200)
    )
    real.look()
    reconcile(real.now)
    assert {len(alarm.group_name) for alarm in Alarm.objects.all()} == {128}
    assert Alarm.objects.filter(kind=K.FAILOVER).count() == 1


@database
def test_the_alarms_of_the_lab_and_of_a_real_cluster_leave_each_other_alone(pair: Pair) -> None:
    power.power_off(server=server(SUB), actor="")
    real = Real(FAILED_OVER)
    real.now = timezone.now()
    real.look(after=0)
    tasks.alarms()
    lab, other = ("ServerDown", SUB), ("SRMFailover", f"Lisbon (real): {GROUP}")
    assert open_alarms() == [lab, other]
    assert reconcile(real.now) == alarms.reconcile() == 0
    assert open_alarms() == [lab, other]
    power.power_on(server=server(SUB), actor="")
    alarms.reconcile()
    assert open_alarms() == [other]


@database
@pytest.mark.process
def test_a_channel_is_told_whose_it_is(hook: str) -> None:
    alarms.save_channel(channel=None, name="desk", url=hook, enabled=True, actor="ann")
    real = Real(FAILED_OVER)
    real.look()
    reconcile(real.now)
    (key,) = alarms.channels_due(timezone.now())
    assert delivery.deliver_to(key) == 1
    assert [heard["title"] for heard in Hook.heard] == [f"[SRMFailover] Lisbon (real): {GROUP}"]


@database
def test_the_page_of_alarms_leads_to_the_watched_cluster(page: Client) -> None:
    real = Real(FAILED_OVER)
    real.look()
    reconcile(real.now)
    answer = page.get(reverse("alarm_list"))
    assert rows(answer)[0][0] == f"SRMFailover Lisbon (real): {GROUP}"
    assert reverse("cluster_watch").encode() in answer.content
