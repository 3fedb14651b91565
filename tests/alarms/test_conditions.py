"""Which alarms hold in which states."""

from dataclasses import replace

import pytest

from redundancy.alarms.reads import NodeFact, holding
from redundancy.models import AlarmKind
from redundancy.srm.states import Reason, State

PUB = NodeFact(1, "imp-pub", 7, "pair", True, True, True, State.NORMAL, Reason.NORMAL, "")
SUB = replace(PUB, pk=2, name="imp-sub")
UNKNOWN = (State.UNKNOWN, Reason.HA_NOT_ENABLED)
FAILOVER, FAILED, SERVICE, SERVER, PEER = (
    AlarmKind.FAILOVER,
    AlarmKind.FAILED,
    AlarmKind.SERVICE_DOWN,
    AlarmKind.SERVER_DOWN,
    AlarmKind.PEER_FAILURE,
)


@pytest.mark.parametrize(
    ("pub", "sub", "raised"),
    [
        ((State.NORMAL, Reason.NORMAL), (State.NORMAL, Reason.NORMAL), []),
        (UNKNOWN, UNKNOWN, []),
        ((State.INITIALIZING, Reason.INITIALIZATION),) * 2 + ([],),
        (
            (State.FAILED_OVER_DOWN, Reason.CRITICAL_SERVICE_DOWN),
            (State.BACKUP, Reason.CRITICAL_SERVICE_DOWN),
            [(SERVICE, "imp-pub"), (FAILOVER, "")],
        ),
        (
            (State.FAILED_OVER_DOWN, Reason.DATABASE_FAILURE),
            (State.BACKUP, Reason.DATABASE_FAILURE),
            [(SERVICE, "imp-pub"), (FAILOVER, "")],
        ),
        # Its services run again: what is left is the failover.
        (
            (State.FAILED_OVER, Reason.CRITICAL_SERVICE_DOWN),
            (State.BACKUP, Reason.CRITICAL_SERVICE_DOWN),
            [(FAILOVER, "")],
        ),
        (
            (State.IDLE, Reason.ON_ADMIN_REQUEST),
            (State.BACKUP, Reason.ON_ADMIN_REQUEST),
            [(FAILOVER, "")],
        ),
        (
            (State.NORMAL, Reason.NORMAL),
            (State.BACKUP, Reason.PEER_DOWN),
            [(PEER, "imp-sub"), (FAILOVER, "")],
        ),
        (
            (State.FAILED, Reason.SPLIT_BRAIN),
            (State.FAILED, Reason.SPLIT_BRAIN),
            [(FAILED, "imp-pub"), (FAILED, "imp-sub"), (FAILOVER, "")],
        ),
        (
            (State.BACKUP_ACTIVATED, Reason.AUTO_RECOVER_SERVICE),
            (State.AFFECTED, Reason.AUTO_RECOVER_SERVICE),
            [(SERVICE, "imp-sub"), (FAILOVER, "")],
        ),
    ],
)
def test_what_holds_in_each_state(
    pub: tuple[State, Reason], sub: tuple[State, Reason], raised: list[tuple[AlarmKind, str]]
) -> None:
    nodes = [replace(PUB, state=pub[0], reason=pub[1]), replace(SUB, state=sub[0], reason=sub[1])]
    assert [(each.kind, each.node_name) for each in holding(nodes)] == raised
    # With High Availability off no state says anything.
    assert holding(replace(node, ha_enabled=False) for node in nodes) == []


@pytest.mark.parametrize(
    ("pub", "sub", "asked"),
    [
        ((State.IDLE, Reason.ON_ADMIN_REQUEST), (State.BACKUP, Reason.ON_ADMIN_REQUEST), True),
        ((State.FAILING_OVER, Reason.ON_ADMIN_REQUEST), (State.NORMAL, Reason.NORMAL), True),
        ((State.TAKING_BACK, Reason.ON_ADMIN_REQUEST), (State.BACKUP, Reason.PEER_DOWN), False),
        ((State.FAILED_OVER, Reason.PEER_DOWN), (State.BACKUP, Reason.PEER_DOWN), False),
    ],
)
def test_a_failover_that_was_asked_for_says_so(
    pub: tuple[State, Reason], sub: tuple[State, Reason], asked: bool
) -> None:
    nodes = [replace(PUB, state=pub[0], reason=pub[1]), replace(SUB, state=sub[0], reason=sub[1])]
    (told,) = [each.sentence for each in holding(nodes) if each.kind == FAILOVER]
    assert told.endswith(f"{sub[1]}. An administrator asked for it." if asked else f"{sub[1]}.")


def test_a_server_without_power_is_down_with_high_availability_or_without() -> None:
    dark = replace(PUB, powered=False, ha_enabled=False)
    alone = replace(dark, group=None, group_name="")
    assert [each.kind for each in holding([dark, SUB])] == [SERVER]
    assert [each.subject for each in holding([alone])] == ["node 1"]


def test_a_pair_in_a_transition_is_not_settled() -> None:
    nodes = [replace(PUB, state=State.FAILING_OVER), replace(SUB, state=State.TAKING_OVER)]
    assert [each.settled for each in holding(nodes)] == [False]


def test_a_node_that_does_not_report_is_not_told_by_its_last_state() -> None:
    backup = replace(SUB, state=State.BACKUP, reason=Reason.PEER_DOWN)
    silent = replace(PUB, srm_running=False)
    assert [each.sentence for each in holding([silent, backup]) if each.kind == FAILOVER] == [
        "imp-pub: Cisco Server Recovery Manager Not Responding; "
        "imp-sub: Running in Backup Mode / Peer Down."
    ]
