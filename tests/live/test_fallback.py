"""A fallback on the real database: the services restart, the history says so, the users go home."""

from pytest_django.fixtures import Settings

from redundancy.catalog import DATABASE
from redundancy.faultlab import writes as faults
from redundancy.models import HaEvent, NodeService
from redundancy.monitor import audit
from redundancy.operations import actions, services
from redundancy.parameters.writes.parameters import set_parameter
from redundancy.selectors import effects, live
from redundancy.srm.states import Reason, State
from tests.live.pair import ROUTER, Pair, server

ENGINE = "Cisco Presence Engine"
CONNECTIONS = "Cisco XCP Connection Manager"


def failed_over(pair: Pair) -> None:
    """imp-pub fails over for a stopped Presence Engine, which runs again."""
    services.stop_service(server=server("imp-pub"), name=ENGINE, actor="ann")
    pair.run(95)
    services.start_service(server=server("imp-pub"), name=ENGINE, actor="ann")
    pair.run(5)
    assert pair.states() == (State.FAILED_OVER, State.BACKUP)


def idle(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="ann")
    pair.run(5)
    assert pair.states() == (State.IDLE, State.BACKUP)


def fall_back(pair: Pair) -> None:
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="ann")
    pair.run(1)


def since(*names: str) -> set[float]:
    found = NodeService.objects.filter(server__name="imp-pub", name__in=names, running=True)
    assert found.count() == len(names)
    return {service.since.timestamp() for service in found}


def told(what: str) -> list[tuple[str, str]]:
    found = HaEvent.objects.filter(sentence__contains=what).order_by("pk")
    return [(event.sentence, event.actor) for event in found]


def test_a_fallback_from_failed_over_restarts_what_runs(pair: Pair) -> None:
    failed_over(pair)
    services.stop_service(server=server("imp-pub"), name=CONNECTIONS, actor="ann")
    database = since(DATABASE)
    fall_back(pair)
    assert pair.states() == (State.NORMAL, State.NORMAL)
    assert pair.sessions() == (500, 500)
    assert since(ROUTER, ENGINE, "Cisco XCP Authentication Service") == {pair.clock.now}
    assert since(DATABASE) == database
    # Restarted is what ran.
    assert not NodeService.objects.get(server__name="imp-pub", name=CONNECTIONS).running
    ((sentence, actor),) = told("SRM restarted the critical services of imp-pub: ")
    assert actor == "ann"
    assert f"{ROUTER}, " in sentence
    assert "Cisco XCP Authentication Service" in sentence
    assert CONNECTIONS not in sentence
    assert DATABASE not in sentence
    assert audit.audit() == []


def test_a_fallback_from_idle_starts_what_the_failover_stopped(pair: Pair) -> None:
    idle(pair)
    fall_back(pair)
    assert pair.states() == (State.NORMAL, State.NORMAL)
    assert since(ROUTER, ENGINE, CONNECTIONS) == {pair.clock.now}
    ((sentence, _),) = told("SRM started the critical services of imp-pub: ")
    assert CONNECTIONS in sentence
    assert told("SRM restarted") == []


def test_an_automatic_fallback_restarts_them_too(pair: Pair) -> None:
    set_parameter(key="automatic_fallback", value="True", actor="ann")
    failed_over(pair)
    for _ in range(365):
        pair.clock.now += 5
        pair.sweep()
    assert pair.states() == (State.NORMAL, State.NORMAL)
    ((_, actor),) = told("SRM restarted the critical services of imp-pub: ")
    assert actor == ""
    begun = HaEvent.objects.get(new_state=State.TAKING_BACK).at.timestamp()
    assert since(ROUTER, ENGINE) == {begun}


def test_nobody_goes_home_to_services_that_did_not_start_again(
    pair: Pair, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    failed_over(pair)
    faults.fail_next_start(node=server("imp-pub"), actor="")
    fall_back(pair)
    pair.run(60)
    assert pair.states() == (State.TAKING_BACK, State.FALLING_BACK)
    assert pair.sessions() == (0, 1000)
    assert len(told("On imp-pub did not start: ")) == 1
    pair.run(32)
    assert pair.states() == (State.FAILED, State.FAILED)
    reasons = HaEvent.objects.filter(new_state=State.FAILED).values_list("new_reason", flat=True)
    assert set(reasons) == {Reason.START_FAILED}


def test_the_confirmation_says_what_becomes_of_the_services(pair: Pair) -> None:
    failed_over(pair)
    critical = f"imp-pub: {ROUTER} and {ENGINE}"
    assert effect() == (
        f"SRM restarts the critical services of {critical}. Every running XCP service restarts with {ROUTER}."
    )
    fall_back(pair)
    idle(pair)
    assert effect() == f"SRM starts the critical services of {critical}."


def effect() -> str:
    """What the confirmation of a Fallback says first."""
    (group,) = live.all_live()
    first, second = group.rows
    return effects.fallback(
        first, second, {each.pk: each for each in map(server, ("imp-pub", "imp-sub"))}
    )[0]
