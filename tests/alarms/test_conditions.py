"""Which alarms hold in which states."""

from dataclasses import replace

import pytest

from redundancy.alarms.reads import NodeFact, crowded, holding
from redundancy.alarms.writes import reconcile
from redundancy.models import Alarm, AlarmKind, PresenceSession, Server
from redundancy.operations import access
from redundancy.operations.activation import start_login_services
from redundancy.operations.servers import add_server
from redundancy.operations.services import stop_service
from redundancy.operations.users import add_users
from redundancy.srm.states import Reason, State
from tests.labtime import stand_at

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


LACKING = ("Cisco XCP Authentication Service",)


@pytest.mark.parametrize(
    ("node", "raised"),
    [
        (PUB, True),
        # Nobody watches it, but its users want to log in.
        (replace(PUB, ha_enabled=False, state=State.UNKNOWN), True),
        (replace(PUB, group=None, ha_enabled=False), True),
        (replace(PUB, srm_running=False), True),
        (replace(PUB, state=State.BACKUP, reason=Reason.PEER_DOWN), True),
        # SRM stopped its services, or is at it.
        (replace(PUB, state=State.IDLE, reason=Reason.ON_ADMIN_REQUEST), False),
        (replace(PUB, state=State.FAILING_OVER, reason=Reason.ON_ADMIN_REQUEST), False),
        (replace(PUB, powered=False), False),
    ],
)
def test_a_node_that_lets_nobody_in(node: NodeFact, raised: bool) -> None:
    kind = AlarmKind.SERVICE_STOPPED
    found = [alarm for alarm in holding([replace(node, missing=LACKING)]) if alarm.kind == kind]
    assert bool(found) is raised
    assert kind not in {alarm.kind for alarm in holding([node])}
    for alarm in found:
        assert alarm.sentence.startswith(
            "Nobody can log in at imp-pub: Cisco XCP Authentication Service does not run there."
        )


@pytest.fixture
def crowd(db: None) -> Server:
    """A node made for 5 users, with 5 of them logged in at lab time 1,000,000."""
    stand_at(1_000_000)
    node = add_server(name="imp-pub", server_type="imp", actor="")
    Server.objects.filter(pk=node.pk).update(node_size=5)
    rows = [(f"u{n}", "", f"u{n}@example.com", node) for n in range(5)]
    add_users(rows=rows, actor="")
    return node


def test_a_node_that_is_crowded_for_ten_minutes(crowd: Server) -> None:
    assert crowded(1_000_599) == []
    [alarm] = crowded(1_000_600)
    assert (alarm.kind, alarm.node_name) == (AlarmKind.CROWDED, "imp-pub")
    assert alarm.sentence == (
        "imp-pub has had more than 80 % of the 5 sessions it is made for, for 10 minutes."
    )
    # Four of five are 80 %, and not more.
    PresenceSession.objects.filter(user__userid="u0").update(relogin_at=1_000_001)
    assert crowded(1_000_600) == []
    assert len(crowded(1_000_601)) == 1


def test_nobody_is_crowded_where_nobody_is_served_or_the_size_is_unknown(crowd: Server) -> None:
    assert len(crowded(2_000_000)) == 1
    stop_service(server=crowd, name="Cisco XCP Router", actor="")
    assert crowded(2_000_000) == []
    # Its clients come back later, each at a moment of its own.
    start_login_services(server=crowd, actor="")
    access.let_in()
    assert crowded(1_000_600) == []
    assert len(crowded(2_000_000)) == 1
    Server.objects.update(node_size=None)
    assert crowded(2_000_000) == []


def test_it_is_raised_and_cleared_like_the_others(crowd: Server) -> None:
    stand_at(1_000_600)
    assert reconcile() == 1
    assert reconcile() == 0
    PresenceSession.objects.filter(user__userid="u0").delete()
    assert reconcile() == 1
    [alarm] = Alarm.objects.all()
    assert (alarm.kind, alarm.cleared_at) == ("JSMSessionsExceedsThreshold", 1_000_600)
