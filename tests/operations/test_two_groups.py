"""What is done in one group leaves the other as it is, and what goes on there is in nobody's way here."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet
from pytest_django.fixtures import Settings

from redundancy.catalog import CONNECTION_MANAGER
from redundancy.faultlab import writes as faults
from redundancy.models import (
    Fault,
    Forecast,
    HaEvent,
    Incident,
    Machine,
    MessageKind,
    NodeRuntime,
    NodeService,
    PresenceSession,
    RedundancyGroup,
    SessionMove,
    SrmMessage,
)
from redundancy.operations import actions, groups, moves, power
from redundancy.operations.access import let_in
from redundancy.operations.moves import MoveRequest
from redundancy.operations.services import restart_service
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveKind
from tests.labtime import stand_at
from tests.operations.pairs import BEGIN, become, group, make_pairs, node, take_over

pytestmark = pytest.mark.django_db
FAILED = (State.FAILED, Reason.TAKE_OVER_FAILED)


@pytest.fixture(autouse=True)
def pairs(settings: Settings) -> None:
    settings.FAULT_LAB = True
    make_pairs()


def everything(name: str) -> list[list[dict[str, Any]]]:
    """All that is kept of a group."""
    of_it: list[QuerySet[Any]] = [
        RedundancyGroup.objects.filter(name=name),
        Machine.objects.filter(server__group__name=name),
        NodeRuntime.objects.filter(server__group__name=name),
        NodeService.objects.filter(server__group__name=name),
        PresenceSession.objects.filter(user__home__group__name=name),
        SrmMessage.objects.filter(node__group__name=name),
        *(
            kind.objects.filter(group__name=name)
            for kind in (Fault, Incident, SessionMove, HaEvent)
        ),
        Forecast.objects.filter(event__group__name=name),
    ]
    return [[*rows.order_by("pk").values()] for rows in of_it]


def sessions(name: str) -> int:
    return PresenceSession.objects.filter(node__name=name).count()


def recovering() -> None:
    become("b", FAILED)
    actions.request_recover(group=group("b"), actor="ann")


ELSEWHERE: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "a request": lambda: actions.request_failover(node=node("b1"), serial=None, actor="ann"),
    "recover": recovering,
    "a takeover": lambda: take_over("b1"),
    "a shutdown": lambda: power.reboot(server=node("b1"), actor="ann"),
    "held moves": lambda: faults.hold_moves(group=group("b"), actor="ann"),
    "a move that shall fail": lambda: faults.fail_next_move(group=group("b"), actor="ann"),
}


@pytest.fixture(params=ELSEWHERE, autouse=True)
def elsewhere(request: pytest.FixtureRequest, pairs: None) -> None:
    """Something goes on in group b."""
    ELSEWHERE[request.param]()


def test_a_request(elsewhere: None) -> None:
    before = everything("b")
    actions.request_failover(node=node("a1"), serial=None, actor="bob")
    (message,) = SrmMessage.objects.filter(node__group__name="a")
    assert (message.node.name, message.kind, message.actor) == ("a1", MessageKind.FAILOVER, "bob")
    asked = HaEvent.objects.get(group__name="a", request="failover")
    assert (asked.node_name, asked.actor) == ("a1", "bob")
    assert asked.sentence == "Failover of a1 was requested."
    assert Forecast.objects.get(event=asked).moved == 3
    assert everything("b") == before


def test_recover(elsewhere: None) -> None:
    become("a", FAILED)
    SrmMessage.objects.create(node=node("a2"), kind=MessageKind.MOVED)
    before = everything("b")
    generation = group("a").ha_generation
    actions.request_recover(group=group("a"), actor="bob")
    told = SrmMessage.objects.filter(node__group__name="a", kind=MessageKind.RECOVER)
    assert {message.node.name for message in told} == {"a1", "a2"}
    # What they had been told is forgotten.
    assert not SrmMessage.objects.filter(node__group__name="a", kind=MessageKind.MOVED).exists()
    assert {message.actor for message in told} == {"bob"}
    assert group("a").ha_generation == generation + 1
    assert everything("b") == before


def test_a_move_and_the_way_home(elsewhere: None) -> None:
    before, there = everything("b"), sessions("b1")
    take_over("a2")
    assert (sessions("a1"), sessions("a2"), sessions("b1")) == (0, 6, there)
    told = SrmMessage.objects.get(node__name="a2")
    assert (told.kind, told.payload["epoch"]) == (MessageKind.MOVED, group("a").epoch)
    moves.move_sessions(
        MoveRequest(node("a1").pk, MoveKind.HOME, group("a").epoch, group("a").ha_generation)
    )
    assert (sessions("a1"), sessions("a2"), sessions("b1")) == (3, 3, there)
    assert everything("b") == before


def test_a_move_where_nobody_is_away(elsewhere: None) -> None:
    epoch = group("a").epoch
    moves.move_sessions(MoveRequest(node("a1").pk, MoveKind.HOME, epoch, group("a").ha_generation))
    # The epoch stays: nobody of this group is away.
    assert group("a").epoch == epoch


def test_disabling_and_enabling(elsewhere: None) -> None:
    take_over("a2")
    before = everything("b")
    groups.disable_ha(group=group("a"), actor="bob")
    assert (sessions("a1"), sessions("a2")) == (3, 3)
    assert not SrmMessage.objects.filter(node__group__name="a").exists()
    states = NodeRuntime.objects.filter(server__group__name="a").values_list("state", flat=True)
    assert set(states) == {State.UNKNOWN}
    groups.enable_ha(group=group("a"), actor="bob")
    assert everything("b") == before


def test_clients_of_both_log_in_again_at_one_moment(elsewhere: None) -> None:
    stand_at(BEGIN + 5000)
    for name in ("a1", "b1"):
        restart_service(server=node(name), name=CONNECTION_MANAGER, actor="")
    let_in()
    again = SessionMove.objects.filter(again=True)
    # Only what happens in one group is told apart by its moments.
    assert {move.event.at.timestamp() for move in again} == {BEGIN + 5000}


def test_a_process_for_one_node(elsewhere: None) -> None:
    power.run_srm_alone(server=node("a1"), worker="one")
    power.run_srm_alone(server=node("a2"), worker="two")
    before = everything("b")
    assert power.still_runs_srm(server=node("a1"), worker="one")
    # The node of another process is not its.
    assert not power.still_runs_srm(server=node("a2"), worker="one")
    power.end_srm_alone(server=node("a2"), worker="one")
    workers = Machine.objects.filter(server__group__name="a").order_by("server__name")
    assert list(workers.values_list("srm_worker", "srm_running")) == [("one", True), ("two", True)]
    power.end_srm_alone(server=node("a2"), worker="two")
    assert list(workers.values_list("srm_worker", "srm_running")) == [("one", True), ("", False)]
    last = HaEvent.objects.latest("pk")
    assert last.sentence == "Cisco Server Recovery Manager on a2 stopped with its process (two)."
    assert (last.node_name, last.actor) == ("a2", "")
    assert everything("b") == before


def test_power(elsewhere: None) -> None:
    before = everything("b")
    actions.request_failover(node=node("a1"), serial=None, actor="bob")
    power.reboot(server=node("a2"), actor="bob")
    asked = SrmMessage.objects.filter(node__group__name="a").values_list("node__name", "kind")
    assert set(asked) == {("a1", MessageKind.FAILOVER), ("a2", MessageKind.SHUTDOWN)}
    power.power_off(server=node("a1"), actor="bob")
    assert not Machine.objects.get(server__name="a1").powered
    power.power_on(server=node("a1"), actor="bob")
    power.restart_srm(server=node("a2"), actor="bob")
    assert Machine.objects.get(server__name="a2").incarnation == 2
    # Each SRM hears who started it.
    starts = SrmMessage.objects.filter(node__group__name="a", kind=MessageKind.STARTED)
    assert [(start.node.name, start.actor) for start in starts] == [("a1", "bob"), ("a2", "bob")]
    assert everything("b") == before
