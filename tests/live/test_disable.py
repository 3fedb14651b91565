"""HA is disabled on the live path: SRM takes its hands off, and leaves nodes that serve."""

import pytest
from pytest_django.fixtures import Settings

from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.models import HaEvent, NodeService
from redundancy.operations import actions, groups, power, services
from redundancy.srm import sentences
from redundancy.srm.states import State
from tests.live.pair import ROUTER, Pair, server

ENGINE, MANAGER = "Cisco Presence Engine", "Cisco XCP Connection Manager"


def stopped(name: str) -> set[str]:
    rows = NodeService.objects.filter(server__name=name, activated=True, running=False)
    return set(rows.values_list("name", flat=True))


def failover(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(3)
    assert pair.states() == ("Idle", "Running in Backup Mode")
    assert {ROUTER, ENGINE, MANAGER} <= stopped("imp-pub")


def disable(pair: Pair) -> None:
    group = server("imp-pub").group
    assert group is not None
    groups.disable_ha(group=group, actor="ann")
    assert pair.sessions() == (500, 500)


def test_services_that_a_manual_failover_stopped_run_again(pair: Pair) -> None:
    failover(pair)
    pair.run(60)
    disable(pair)
    assert stopped("imp-pub") == set()
    told = HaEvent.objects.get(sentence__contains="were started again: SRM had stopped them.")
    assert told.actor == "ann"
    assert {ROUTER, ENGINE, MANAGER} <= {n for n in (ROUTER, ENGINE, MANAGER) if n in told.sentence}


def test_services_that_an_administrator_stopped_stay_stopped(pair: Pair) -> None:
    services.stop_service(server=server("imp-pub"), name=MANAGER, actor="")
    pair.run(5)
    failover(pair)
    services.start_service(server=server("imp-pub"), name=ENGINE, actor="")
    pair.run(5)
    services.stop_service(server=server("imp-pub"), name=ENGINE, actor="")
    pair.run(5)
    disable(pair)
    assert stopped("imp-pub") == {MANAGER, ENGINE}


@pytest.mark.parametrize("request_", ["failover", "fallback"])
def test_in_the_middle_of_a_transition_too(pair: Pair, settings: Settings, request_: str) -> None:
    settings.FAULT_LAB = True
    node = server("imp-pub")
    assert node.group is not None
    if request_ == "fallback":
        failover(pair)
        faults.fail_next_start(node=node, actor="")
    faults.hold_moves(group=node.group, actor="")
    getattr(actions, f"request_{request_}")(node=node, serial=None, actor="")
    pair.run(3)
    transition = {"failover": "Failing Over", "fallback": "Taking Back"}[request_]
    assert pair.states()[0] == transition
    assert stopped("imp-pub")
    disable(pair)
    assert stopped("imp-pub") == set()


def test_a_start_that_shall_fail_fails(pair: Pair, settings: Settings) -> None:
    settings.FAULT_LAB = True
    failover(pair)
    faults.fail_next_start(node=server("imp-pub"), actor="")
    disable(pair)
    assert {ROUTER, ENGINE, MANAGER} <= stopped("imp-pub")


def test_a_node_that_is_off_starts_its_services_when_it_comes_back(pair: Pair) -> None:
    failover(pair)
    power.power_off(server=server("imp-pub"), actor="")
    disable(pair)
    assert not HaEvent.objects.filter(sentence__contains="started again").exists()
    power.power_on(server=server("imp-pub"), actor="")
    assert stopped("imp-pub") == set()


def test_a_page_of_before_is_refused_though_the_node_is_in_the_same_state_again(pair: Pair) -> None:
    seen = server("imp-pub").runtime.serial
    disable(pair)
    group = server("imp-pub").group
    assert group is not None
    groups.enable_ha(group=group, actor="ann")
    pair.run(40)
    assert pair.states() == ("Normal", "Normal")
    with pytest.raises(Refused, match="has changed its state"):
        actions.request_failover(node=server("imp-pub"), serial=seen, actor="")
    # Nor does any number come twice.
    assert server("imp-pub").runtime.serial > seen + 1


def test_enabling_starts_nothing_whatever_else_its_srm_is_told(pair: Pair) -> None:
    disable(pair)
    services.stop_service(server=server("imp-pub"), name=MANAGER, actor="")
    group = server("imp-pub").group
    assert group is not None
    groups.enable_ha(group=group, actor="ann")
    power.restart_srm(server=server("imp-pub"), actor="bob")
    pair.run(2)
    assert stopped("imp-pub") == {MANAGER}
    begun = HaEvent.objects.filter(node__name="imp-pub", new_state=State.INITIALIZING)
    assert begun.latest("pk").sentence == sentences.ENABLED
