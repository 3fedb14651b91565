"""A lab that is made of a snapshot begins in the pair of states that is told, and stays in it as SRM does."""

from collections.abc import Callable

import pytest

from redundancy.models import HaEvent, Incident, RedundancyGroup
from redundancy.monitor.audit import audit
from redundancy.operations import actions, services
from redundancy.srm.states import State
from redundancy.twin.reads import planned
from redundancy.twin.writes import apply_cluster, undo
from tests.live.pair import ROUTER, Pair, server
from tests.live.test_fallback import ENGINE, failed_over, idle
from tests.twin.lab import read, transcript


def normal(_: Pair) -> None:
    """The pair begins so."""


def failed_over_down(pair: Pair) -> None:
    services.stop_service(server=server("imp-pub"), name=ENGINE, actor="ann")
    pair.run(95)
    assert pair.states() == (State.FAILED_OVER_DOWN, State.BACKUP)


def failed(pair: Pair) -> None:
    for name in ("imp-pub", "imp-sub"):
        services.stop_service(server=server(name), name=ROUTER, actor="ann")
    pair.run(200)
    assert pair.states() == (State.FAILED, State.FAILED)


def affected(pair: Pair) -> None:
    failed_over(pair)
    services.stop_service(server=server("imp-sub"), name=ENGINE, actor="ann")
    pair.run(95)
    assert pair.states() == (State.BACKUP_ACTIVATED, State.AFFECTED)


def apply(*, as_told: bool) -> None:
    apply_cluster(plan=planned(read(transcript())), name="log", actor="ann", as_told=as_told)


@pytest.mark.parametrize("begin", [normal, idle, failed_over, failed_over_down, failed, affected])
def test_it_begins_and_stays_as_told(pair: Pair, begin: Callable[[Pair], None]) -> None:
    begin(pair)
    states, sessions = pair.states(), pair.sessions()
    apply(as_told=True)
    assert (pair.states(), pair.sessions()) == (states, sessions)
    began = HaEvent.objects.latest("pk").pk
    pair.run(130)
    assert (pair.states(), pair.sessions()) == (states, sessions)
    assert not HaEvent.objects.filter(pk__gt=began, kind="state").exists()
    assert Incident.objects.filter(
        group=RedundancyGroup.objects.get(), closed_at=None
    ).exists() is (begin is not normal)
    assert audit() == []


@pytest.mark.parametrize("begin", [idle, failed_over])
def test_from_there_a_fallback_leads_home(pair: Pair, begin: Callable[[Pair], None]) -> None:
    begin(pair)
    apply(as_told=True)
    pair.run(5)
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="ann")
    pair.run(30)
    assert pair.states() == (State.NORMAL, State.NORMAL)
    assert pair.sessions() == (500, 500)
    assert audit() == []


def test_otherwise_the_nodes_start_and_do_what_their_services_say(pair: Pair) -> None:
    failed_over_down(pair)
    apply(as_told=False)
    assert pair.states() == (State.UNKNOWN, State.UNKNOWN)
    assert pair.sessions() == (500, 500)
    pair.run(1)
    assert pair.states() == (State.INITIALIZING, State.INITIALIZING)
    pair.run(100)
    assert pair.states() == (State.FAILED_OVER_DOWN, State.BACKUP)
    assert audit() == []


def test_a_pair_that_is_put_back_goes_on_as_if_nobody_had_looked(pair: Pair) -> None:
    failed_over(pair)
    states, sessions = pair.states(), pair.sessions()
    apply(as_told=False)
    pair.run(60)
    undo(actor="ann")
    assert (pair.states(), pair.sessions()) == (states, sessions)
    began = HaEvent.objects.latest("pk").pk
    pair.run(130)
    assert (pair.states(), pair.sessions()) == (states, sessions)
    assert not HaEvent.objects.filter(pk__gt=began, kind="state").exists()
    assert audit() == []
