"""What SRM monitors follows activation and configuration at its next step, on the real database."""

import pytest

from redundancy.models import HaEvent, NodeRuntime
from redundancy.operations import actions
from redundancy.operations.activation import set_activated, set_activations
from redundancy.operations.functions import set_functions
from redundancy.operations.services import stop_service
from redundancy.selectors import deployed
from redundancy.srm.codec import node_from_json
from tests.live.pair import Pair, server

CHAT, ENGINE = "Cisco XCP Text Conference Manager", "Cisco Presence Engine"
ALWAYS = {"A Cisco DB", "Cisco XCP Router"}


def watched(name: str) -> set[str]:
    """What the SRM of a node remembers of its services."""
    memory = NodeRuntime.objects.get(server__name=name).memory
    return {service.name for service in node_from_json(memory).services}


def deploy_chat(*, shared: bool) -> None:
    set_functions(configured={"persistent_chat": True, "shared_database": shared}, actor="ann")
    for name in ("imp-pub", "imp-sub"):
        set_activated(server=server(name), name=CHAT, activated=True, actor="ann")


def rooms(pair: Pair) -> list[str]:
    group = server("imp-pub").group
    assert group is not None
    return [each.sentence for each in deployed.of_group(group.pk).rooms]


def test_the_list_changes_at_the_next_step(pair: Pair) -> None:
    assert watched("imp-pub") == ALWAYS | {ENGINE}
    set_functions(configured={"persistent_chat": True}, actor="ann")
    pair.run(1)
    assert watched("imp-pub") == ALWAYS | {ENGINE}
    changes = {CHAT: True, ENGINE: False}
    set_activations(server=server("imp-pub"), activated=changes, actor="ann")
    pair.run(1)
    assert watched("imp-pub") == ALWAYS | {CHAT}
    assert watched("imp-sub") == ALWAYS | {ENGINE}
    set_functions(configured={"persistent_chat": False}, actor="ann")
    pair.run(1)
    assert watched("imp-pub") == ALWAYS
    # Nobody failed over for what an administrator deployed.
    pair.run(120)
    assert pair.states() == ("Normal", "Normal")


def test_a_deactivated_service_is_missed_no_longer(pair: Pair) -> None:
    pub = server("imp-pub")
    stop_service(server=pub, name=ENGINE, actor="ann")
    pair.run(60)
    set_activated(server=pub, name=ENGINE, activated=False, actor="ann")
    pair.run(120)
    assert pair.states() == ("Normal", "Normal")


def test_a_function_that_is_configured_counts_what_stands_still(pair: Pair) -> None:
    pub = server("imp-pub")
    set_activated(server=pub, name=CHAT, activated=True, actor="ann")
    stop_service(server=pub, name=CHAT, actor="ann")
    pair.run(120)
    assert pair.states() == ("Normal", "Normal")
    set_functions(configured={"persistent_chat": True}, actor="ann")
    pair.run(95)
    assert pair.states()[1] == "Running in Backup Mode"


@pytest.mark.parametrize(
    ("shared", "away"),
    [
        (True, "Chat rooms of imp-pub: served by imp-sub."),
        (False, "Chat rooms of imp-pub: unavailable until imp-pub returns."),
    ],
)
def test_chat_rooms_go_with_a_failover_and_return_with_the_fallback(
    pair: Pair, shared: bool, away: str
) -> None:
    deploy_chat(shared=shared)
    pair.run(1)
    at_home = [f"Chat rooms of {name}: served by {name}." for name in ("imp-pub", "imp-sub")]
    assert rooms(pair) == at_home
    actions.request_failover(node=server("imp-pub"), serial=None, actor="ann")
    pair.run(5)
    assert pair.states() == ("Idle", "Running in Backup Mode")
    assert rooms(pair) == [away, at_home[1]]
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="ann")
    pair.run(5)
    assert pair.states() == ("Normal", "Normal")
    assert rooms(pair) == at_home
    assert HaEvent.objects.filter(sentence__contains="Persistent chat was configured").exists()
