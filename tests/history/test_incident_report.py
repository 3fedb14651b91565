"""The report of an incident, and its pages."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.clock import lab_now
from redundancy.faultlab import writes as faults
from redundancy.history.reads import incidents as selector
from redundancy.history.reads.incident_report import Report
from redundancy.models import (
    Incident,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    SessionMove,
)
from redundancy.operations import actions, measured, power
from redundancy.operations.groups import delete_group, disable_ha
from redundancy.permissions import READ_ONLY
from redundancy.selectors.logins import measured_logins
from redundancy.srm.replay import Cause
from redundancy.times import lab_time
from tests.history.failovers import fall_back, service_failover, told
from tests.live.conftest import pair as pair
from tests.live.pair import ROUTER, Pair, server
from tests.pages.conftest import make_user
from tests.pages.html import rows, soup


@pytest.fixture
def reader(db: None) -> Client:
    client = Client()
    client.force_login(make_user("viewer", READ_ONLY))
    return client


def labels(found: Report, number: int = 0) -> list[str]:
    return [phase.label for phase in found.moves[number].phases]


def test_the_phases_of_a_service_that_went_down(pair: Pair) -> None:
    began = lab_now()
    service_failover(pair, down=120)
    pair.run(600)
    found = told()
    (moved,) = found.moves
    assert labels(found) == [
        f"{ROUTER} went down",
        "Declared: imp-pub is Failing Over",
        "Sessions were moved",
        "50 % logged in",
        "95 % logged in",
        "100 % logged in",
    ]
    assert moved.began.at == pytest.approx(began, abs=1)
    after = [phase.after or 0 for phase in moved.phases]
    assert after == sorted(after)
    assert after[1] == pytest.approx(90, abs=3)
    assert 120 <= after[3] - after[2] <= after[5] - after[2] <= 537
    # Half the users were on imp-pub: they waited 90 s and the mean of the limits, about.
    assert found.lost == pytest.approx(moved.move.moved * (91 + 328) / 60, rel=0.1)
    assert moved.move.moved == 500
    assert [event.sentence for event in found.actions] == [
        f"{ROUTER} on imp-pub was stopped, and with it Cisco XCP Authentication Service, "
        "Cisco XCP Connection Manager, Cisco XCP Web Connection Manager."
    ]
    actual, *others = found.alternatives
    assert actual.actual
    assert [other.label for other in others][:2] == [
        "Critical Service Delay 60 s",
        "Critical Service Delay 120 s",
    ]
    lost = [other.found.lost or 0 for other in found.alternatives[:3]]
    assert lost[1] < lost[0] < lost[2]
    assert any("Login profile" in other.label for other in others)
    assert actual.found.lost == pytest.approx(found.lost, rel=0.1)


def test_a_service_that_was_back_soon_would_not_have_failed_over(pair: Pair) -> None:
    service_failover(pair, down=100)
    fall_back(pair)
    found = told()
    longer = next(a for a in found.alternatives if a.label == "Critical Service Delay 120 s")
    assert longer.found.moved is None
    assert longer.found.lost == pytest.approx(500 * 100 / 60, rel=0.03)


@pytest.mark.parametrize("ends", [True, False])
def test_a_node_without_power_is_replayed_as_such(pair: Pair, ends: bool) -> None:
    power.power_off(server=server("imp-sub"), actor="ann")
    pair.run(80)
    if ends:
        power.power_on(server=server("imp-sub"), actor="ann")
        pair.run(20)
    found = told()
    assert labels(found)[0] == "Last heartbeat was heard"
    moved = found.moves[0]
    assert moved.began.cause is Cause.POWER
    assert moved.phases[1].after == pytest.approx(61, abs=3)
    assert [other.label for other in found.alternatives[1:3]] == [
        "Heartbeat Timeout 30 s",
        "Heartbeat Timeout 90 s",
    ]
    long = found.alternatives[2].found
    # It was away for 80 s after its last heartbeat, or a little more.
    assert (long.moved is None) is ends


def test_behind_a_cut_link_everybody_is_served_until_the_move(pair: Pair, settings: Any) -> None:
    settings.FAULT_LAB = True
    group = RedundancyGroup.objects.get()
    faults.cut_link(group=group, actor="ann")
    pair.run(90)
    faults.restore_link(group=group, actor="ann")
    pair.run(20)
    found = told()
    moved = found.moves[0]
    assert moved.began.cause is Cause.LINK
    # Nothing but the clients' wait: up to now, for most are to come.
    logins = moved.logins
    assert logins is not None
    assert found.lost == pytest.approx(logins.waited / 60)
    short = next(a for a in found.alternatives if a.label == "Heartbeat Timeout 30 s")
    assert short.found.moved == pytest.approx(30, abs=2)


def test_a_failover_by_hand_names_who_asked(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="ann")
    pair.run(30)
    found = told()
    assert labels(found)[0] == "Failover of imp-pub was requested by ann"
    assert [event.actor for event in found.actions] == ["ann"]
    assert all("Timeout" not in other.label for other in found.alternatives)
    logins = found.moves[0].logins
    assert logins is not None
    assert not logins.complete
    assert found.moves[0].phases[-1].note == "to come"


def test_what_is_overtaken_is_recorded_before_it_is_forgotten(pair: Pair) -> None:
    service_failover(pair)
    move = SessionMove.objects.latest("pk")
    pair.run(200)
    before = measured_logins(move, lab_now())
    assert 0 < before.logged_in < 500
    fall_back(pair)
    move.refresh_from_db()
    after = measured_logins(move, lab_now())
    assert after.complete
    assert after.logged_in >= before.logged_in
    assert after.overtaken == 500 - after.logged_in
    assert after.until(100) is None
    assert told().moves[0].phases[-1].note == "never: moved again before"


def test_a_complete_move_is_recorded_once(pair: Pair) -> None:
    service_failover(pair)
    assert measured.keep_complete(lab_now()) == 0
    assert measured.keep_complete(lab_now() + 600) == 1
    assert measured.keep_complete(lab_now() + 600) == 0
    move = SessionMove.objects.latest("pk")
    assert move.logins is not None
    assert sum(count for _, count in move.logins["counts"]) == 500
    assert measured_logins(move, lab_now()).until(50) == pytest.approx(328, abs=40)


def test_the_page_tells_it_to_everybody(pair: Pair, reader: Client) -> None:
    service_failover(pair)
    group = reverse("group_edit", args=[RedundancyGroup.objects.get().pk])
    opened = lab_time(Incident.objects.get().opened_at.timestamp())
    shown = soup(reader.get(group)).get_text()
    assert f"Open incident since {opened} (lab time)" in shown
    fall_back(pair)
    assert "Open incident since" not in soup(reader.get(group)).get_text()
    listed = rows(reader.get(reverse("incident_list")))
    assert listed[0][1:4] == ["DefaultCUPSubCluster", "imp-pub", "Critical Service Down"]
    incident = Incident.objects.get()
    url = reverse("incident", args=[incident.pk])
    text = " ".join(soup(reader.get(url)).get_text(" ").split())
    for part in (
        "Both nodes are Normal",
        "Failover: 500 sessions to imp-sub",
        "Users go home: 500 sessions to their assigned nodes",
        "Fallback of imp-pub was requested.",
        "No failover: the cause ended before the limit.",
    ):
        assert part in text
    assert reader.get(reverse("incident", args=[incident.pk + 1])).status_code == 404
    found = reader.get(reverse("incident_list"), {"field": "group", "op": "exactly", "text": "x"})
    assert rows(found) == [["No incidents found."]]


def test_it_outlives_its_group(pair: Pair, reader: Client) -> None:
    service_failover(pair)
    group = RedundancyGroup.objects.get()
    disable_ha(group=group, actor="ann")
    incident = Incident.objects.get()
    count = len(list(selector.events_of(incident)))
    RedundancyGroup.objects.filter(pk=group.pk).update(name="Renamed")
    assert len(list(selector.events_of(incident))) == count
    PresenceSession.objects.all().delete()
    PresenceUser.objects.all().delete()
    Server.objects.filter(name="imp-sub").update(group=None, slot=None)
    group.refresh_from_db()
    delete_group(group=group, actor="ann")
    incident.refresh_from_db()
    assert len(list(selector.events_of(incident))) >= count - 1
    assert reader.get(reverse("incident", args=[incident.pk])).status_code == 200
