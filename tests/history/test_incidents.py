"""Incidents: opened once, closed once, whatever the sweeps do."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from redundancy.clock import lab_datetime, lab_now
from redundancy.faultlab import writes as faults
from redundancy.history.reads import incidents as selector
from redundancy.live import store
from redundancy.models import (
    EventKind,
    HaEvent,
    Incident,
    NodeRuntime,
    RedundancyGroup,
)
from redundancy.operations import actions, events, incidents, power, services
from redundancy.operations.groups import disable_ha
from redundancy.srm.states import Reason, State
from tests.history.failovers import fall_back, service_failover, told
from tests.live.conftest import pair as pair
from tests.live.pair import ROUTER, Pair, server


def test_a_quiet_pair_has_none(pair: Pair) -> None:
    pair.run(60)
    assert not Incident.objects.exists()
    # A restart of SRM within the timeout is no failover.
    power.restart_srm(server=server("imp-pub"), actor="ann")
    pair.run(60)
    assert pair.states() == ("Normal", "Normal")
    assert not Incident.objects.exists()


def test_one_failover_is_one_incident(pair: Pair) -> None:
    service_failover(pair)
    incident = Incident.objects.get()
    assert incident.closed_at is None
    assert incident.reason == "Critical Service Down"
    assert incident.node_name == "imp-pub"
    assert incident.first_event.new_state == "Failing Over"
    fall_back(pair)
    incident.refresh_from_db()
    assert incident.ended == incidents.BOTH_NORMAL
    assert incident.last_event is not None
    assert incident.last_event.new_state == "Normal"
    assert incident.closed_at == incident.last_event.at
    pair.run(60)
    assert Incident.objects.count() == 1


def power_off_sub() -> None:
    power.power_off(server=server("imp-sub"), actor="ann")


def stop_srm_of_sub() -> None:
    power.stop_srm(server=server("imp-sub"), actor="ann")


def shut_sub_down() -> None:
    power.shut_down(server=server("imp-sub"), actor="ann")


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (power_off_sub, "imp-sub lost its power."),
        (stop_srm_of_sub, "Cisco Server Recovery Manager on imp-sub was stopped."),
        (shut_sub_down, "imp-sub was shut down."),
    ],
)
def test_the_server_that_went_away_is_the_one_affected_first(
    pair: Pair, act: Callable[[], None], cause: str
) -> None:
    act()
    pair.run(75)
    assert pair.states()[0] == State.BACKUP
    incident = Incident.objects.get()
    # Its peer declared it.
    assert incident.first_event.node_name == "imp-pub"
    assert incident.node_name == "imp-sub"
    assert str(incident.cause).startswith(cause)


def test_what_ended_is_no_cause_of_a_later_silence(pair: Pair, settings: Any) -> None:
    settings.FAULT_LAB = True
    power.stop_srm(server=server("imp-sub"), actor="ann")
    power.start_srm(server=server("imp-sub"), actor="ann")
    pair.run(30)
    faults.cut_link(group=RedundancyGroup.objects.get(), sender=server("imp-sub"), actor="")
    pair.run(75)
    incident = Incident.objects.get()
    assert incident.node_name == "imp-sub"
    assert str(incident.cause).startswith("No heartbeat from imp-sub for")


def test_a_second_failover_inside_it_belongs_to_it(pair: Pair) -> None:
    service_failover(pair)
    services.start_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(5)
    # The backup node dies: imp-pub takes everybody.
    power.power_off(server=server("imp-sub"), actor="ann")
    pair.run(70)
    assert Incident.objects.get().closed_at is None
    power.power_on(server=server("imp-sub"), actor="ann")
    pair.run(30)
    if pair.states() != ("Normal", "Normal"):
        actions.request_fallback(node=server("imp-sub"), serial=None, actor="bob")
        pair.run(30)
    assert pair.states() == ("Normal", "Normal")
    assert told().incident.closed_at is not None
    assert told().failovers == 2


def test_disabling_ha_closes_it(pair: Pair) -> None:
    service_failover(pair)
    disable_ha(group=RedundancyGroup.objects.get(), actor="ann")
    incident = Incident.objects.get()
    assert incident.ended == incidents.DISABLED
    last = HaEvent.objects.first()
    assert incident.last_event == last
    # What is done afterwards is none of its.
    services.start_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    assert HaEvent.objects.first() not in selector.events_of(incident)


def test_what_is_not_stored_opens_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(85)

    def crash(*_: Any) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        # After the incident was written, before the end of the transaction.
        broken.setattr(store, "_work_on_machines", crash)
        pair.run(10)
    assert not Incident.objects.exists()
    pair.run(10)
    assert Incident.objects.count() == 1


def change(node: str, to: State, reason: Reason = Reason.CRITICAL_SERVICE_DOWN) -> HaEvent:
    """Change a state as a sweep does."""
    runtime = NodeRuntime.objects.get(server__name=node)
    before = runtime.state
    runtime.state, runtime.reason = to, reason
    runtime.save()
    return events.record(
        kind=EventKind.STATE,
        sentence="because",
        node=server(node),
        old_state=before,
        new_state=to,
        new_reason=reason,
    )


def follow(*events: HaEvent) -> None:
    with transaction.atomic():
        incidents.follow(events)


def test_following_twice_changes_nothing(pair: Pair) -> None:
    first = change("imp-pub", State.FAILING_OVER)
    follow(first)
    follow(first, change("imp-sub", State.TAKING_OVER))
    assert Incident.objects.get().first_event == first
    back = [change("imp-pub", State.NORMAL), change("imp-sub", State.NORMAL)]
    follow(*back)
    follow(*back)
    assert Incident.objects.get().last_event == back[1]


def test_what_began_and_ended_in_one_sweep_is_closed(pair: Pair) -> None:
    told = [change("imp-pub", State.FAILING_OVER), change("imp-pub", State.NORMAL)]
    follow(*told)
    incident = Incident.objects.get()
    assert (incident.first_event, incident.last_event) == (told[0], told[1])
    assert incident.ended == incidents.BOTH_NORMAL


def at_once(*doing: Callable[[], object]) -> None:
    """Run these in transactions of their own, each begun before the first one ends."""
    gate = threading.Barrier(len(doing))

    def run(what: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                gate.wait(20)
                what()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[what]) for what in doing]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_two_sweeps_at_once_open_one_and_close_it(pair: Pair) -> None:
    at_once(
        lambda: follow(change("imp-pub", State.FAILING_OVER)),
        lambda: follow(change("imp-sub", State.TAKING_OVER)),
    )
    assert Incident.objects.get().closed_at is None
    for _ in range(5):
        at_once(
            lambda: follow(change("imp-pub", State.NORMAL)),
            lambda: follow(change("imp-sub", State.NORMAL)),
        )
        assert not Incident.objects.filter(closed_at=None).exists()
        follow(change("imp-pub", State.FAILING_OVER))
        # One ends it while the other goes on: whoever is second is seen.
        at_once(
            lambda: follow(change("imp-pub", State.NORMAL)),
            lambda: follow(change("imp-sub", State.TAKING_OVER)),
        )
        assert Incident.objects.filter(closed_at=None).count() == 1


def test_a_sweep_without_a_change_asks_nothing_of_incidents(
    pair: Pair, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        incidents.follow([])
        incidents.follow([HaEvent(kind=EventKind.ADMIN, group_id=1)])


def test_incidents_of_a_time_span(pair: Pair) -> None:
    began = lab_now()
    service_failover(pair)
    group = RedundancyGroup.objects.get()
    (incident,) = selector.between(group.pk, began, lab_now())
    assert selector.open_incident(group.pk) == incident
    assert selector.between(group.pk, began, began + 10) == []
    disable_ha(group=group, actor="")
    assert selector.between(group.pk, lab_now() + 1, lab_now() + 10) == []
    assert incident.opened_at >= lab_datetime(began)
