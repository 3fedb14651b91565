"""What a step writes into the trace; the two lines that a real trace has, to the letter."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from redundancy.srm.states import Reason, State
from redundancy.srm.trace import Level, Line, trace_lines
from redundancy.srm.types import (
    Action,
    Heartbeat,
    MoveKind,
    MoveSessions,
    Node,
    PowerDown,
    Reading,
    RestartServices,
    SendHeartbeat,
    StartServices,
    StateChanged,
    StopServices,
)
from tests.zones import machine_in

NOW = datetime(2021, 5, 13, 2, 48, 48, 244_000, tzinfo=UTC).timestamp()
BEAT = Heartbeat("imp-sub", 1, 7, 1, State.NORMAL, Reason.NORMAL, 0, healthy=True, hears=True)
NODE = Node(
    "imp-pub",
    "imp-sub",
    first=True,
    state=State.NORMAL,
    reason=Reason.NORMAL,
    peer=BEAT,
    peer_at=NOW - 62,
    services=(Reading("Cisco XCP Router", up=True, since=0),),
)


def told(before: Node, after: Node, *actions: Action, heard: Heartbeat | None = None) -> list[Line]:
    return list(trace_lines(before, after, heard, [(action, "") for action in actions], [], NOW))


def test_the_two_known_lines_are_written_to_the_letter() -> None:
    after = replace(NODE, state=State.BACKUP, reason=Reason.PEER_DOWN)
    change = StateChanged(
        State.NORMAL, Reason.NORMAL, State.BACKUP, Reason.PEER_DOWN, "imp-sub is silent.", 0
    )
    # Its moments are in UTC, wherever the machine stands.
    with machine_in("America/Sao_Paulo"):
        written = [line.at(NOW) for line in told(NODE, after, change)]
    assert written[0] == (
        "2021-05-13 02:48:48,244 INFO [HS] rsrm.RsrmHeartBeatHandler - "
        "RsrmHeartBeatHandler: peer down, time since last heartbeat[s]= 62"
    )
    assert written[-1] == (
        "2021-05-13 02:48:48,244 INFO [HS] rsrm.RsrmAutomaticFallback - "
        "RsrmAutomaticFallback: peer states vector changed to [Normal,Running in Backup Mode]"
    )
    assert len(written) == 3


def service(up: bool | None) -> Node:
    return replace(NODE, services=(Reading("Cisco XCP Router", up=up, since=0),))


def test_of_many_services_each_that_changed_is_told() -> None:
    names = ("Cisco Presence Engine", "Cisco XCP Router", "Cisco XCP Connection Manager")
    before = replace(NODE, services=tuple(Reading(name, up=True, since=0) for name in names))
    after = replace(
        before, services=(before.services[0], *(replace(r, up=False) for r in before.services[1:]))
    )
    lines = [line.message for line in told(before, after)]
    assert [name for name in names if any(name in line for line in lines)] == list(names[1:])


@pytest.mark.parametrize(
    ("before", "after", "level", "message"),
    [
        (service(True), service(False), Level.WARN, "Cisco XCP Router is not running"),
        (service(False), service(True), Level.INFO, "Cisco XCP Router is running"),
        (service(True), service(None), Level.WARN, "Cisco XCP Router cannot be read"),
    ],
)
def test_a_service_that_goes_or_comes_is_told_once(
    before: Node, after: Node, level: Level, message: str
) -> None:
    assert told(before, after) == [Line(level, "RsrmServiceMonitor", message)]
    assert told(after, after) == []


def test_failed_mode_is_an_error_and_heartbeats_are_for_debugging() -> None:
    failed = StateChanged(
        State.BACKUP, Reason.PEER_DOWN, State.FAILED, Reason.SPLIT_BRAIN, "Both took over.", 1
    )
    found = told(
        NODE,
        replace(NODE, state=State.FAILED),
        failed,
        SendHeartbeat(BEAT),
        MoveSessions(MoveKind.TAKE_OVER, 3),
    )
    assert [line.level for line in found] == [Level.ERROR, Level.DEBUG, Level.INFO, Level.INFO]


def test_only_a_heartbeat_that_was_taken_in_is_received() -> None:
    new = replace(BEAT, seq=8)
    assert [line.level for line in told(NODE, replace(NODE, peer=new), heard=new)] == [Level.DEBUG]
    assert told(NODE, NODE, heard=replace(BEAT, seq=3)) == []


def test_a_refused_request_names_who_asked() -> None:
    found = list(trace_lines(NODE, NODE, None, [], [("Failover is not offered.", "ann")], NOW))
    assert [line.message for line in found] == ["request of ann refused: Failover is not offered."]


@pytest.mark.parametrize(
    ("action", "level", "source", "message"),
    [
        (RestartServices(), Level.INFO, "RsrmServiceMonitor", "restarting critical services"),
        (StartServices(), Level.INFO, "RsrmServiceMonitor", "starting critical services"),
        (StopServices(), Level.INFO, "RsrmServiceMonitor", "stopping critical services"),
        (PowerDown(reboot=False), Level.INFO, "RsrmStateMachine", "node goes down"),
        (PowerDown(reboot=True), Level.INFO, "RsrmStateMachine", "node goes down for a restart"),
        (
            MoveSessions(MoveKind.HOME, 3),
            Level.INFO,
            "RsrmUserMover",
            "home of users requested, epoch= 3",
        ),
        (
            SendHeartbeat(BEAT),
            Level.DEBUG,
            "RsrmHeartBeatHandler",
            "heartbeat sent, seq= 7, state= Normal, epoch= 0",
        ),
    ],
)
def test_what_a_node_does_is_told_by_its_class(
    action: Action, level: Level, source: str, message: str
) -> None:
    assert told(NODE, NODE, action) == [Line(level, source, message)]


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        (Reason.NORMAL, Reason.PEER_DOWN, True),
        (Reason.NORMAL, Reason.PEER_DOWN_DURING_INITIALIZATION, True),
        # Announced, it is not missed; and it is told once.
        (Reason.NORMAL, Reason.PEER_REBOOT, False),
        (Reason.PEER_DOWN, Reason.PEER_DOWN, False),
    ],
)
def test_a_change_is_told_with_its_cause_and_a_silence_before_it(
    old: Reason, new: Reason, gone: bool
) -> None:
    change = StateChanged(State.NORMAL, old, State.TAKING_OVER, new, "It is silent.", 0)
    quiet = Line(Level.INFO, "RsrmHeartBeatHandler", "peer down, time since last heartbeat[s]= 62")
    said = f"state changed from [Normal,{old}] to [Taking Over,{new}]: It is silent."
    changed = Line(Level.INFO, "RsrmStateMachine", said)
    assert told(NODE, NODE, change) == ([quiet, changed] if gone else [changed])
    by_ann = list(trace_lines(NODE, NODE, None, [(change, "ann")], [], NOW))[-1]
    assert by_ann == changed._replace(message=f"{said} (ann)")


def test_a_peer_that_comes_or_was_restarted_is_told_with_its_start() -> None:
    up = Line(Level.INFO, "RsrmHeartBeatHandler", "peer up, incarnation= 2")
    new = replace(BEAT, incarnation=2, seq=1)
    alone = replace(NODE, peer=None)
    assert told(NODE, replace(NODE, peer=new)) == [up]
    assert told(alone, replace(NODE, peer=new))[0] == up
    assert told(NODE, replace(NODE, peer=replace(BEAT, seq=8))) == []
    assert [line.source for line in told(NODE, alone)] == ["RsrmAutomaticFallback"]


def test_a_heartbeat_that_was_taken_in_is_told_with_what_it_said() -> None:
    new = replace(BEAT, seq=8, healthy=False)
    assert told(NODE, replace(NODE, peer=new), heard=new) == [
        Line(
            Level.DEBUG,
            "RsrmHeartBeatHandler",
            "heartbeat received from imp-sub, seq= 8, state= Normal, epoch= 0, healthy= False",
        )
    ]


def test_what_was_heard_last_and_the_own_state_are_told_when_one_changes() -> None:
    idle = replace(NODE, peer=replace(BEAT, state=State.IDLE))
    vector = "RsrmAutomaticFallback"
    assert told(NODE, idle) == [
        Line(Level.INFO, vector, "peer states vector changed to [Idle,Normal]")
    ]
    assert told(idle, replace(idle, peer=None)) == [
        Line(Level.INFO, vector, "peer states vector changed to [Unknown,Normal]")
    ]


def test_a_service_that_is_watched_from_now_on_is_for_debugging() -> None:
    unwatched = replace(NODE, services=())
    watched = Line(Level.DEBUG, "RsrmServiceMonitor", "Cisco XCP Router is monitored")
    assert told(unwatched, NODE) == [watched]
    down = Line(Level.WARN, "RsrmServiceMonitor", "Cisco XCP Router is not running")
    assert told(unwatched, service(False)) == [watched, down]


def test_a_request_of_nobody_known_is_refused_all_the_same() -> None:
    found = list(trace_lines(NODE, NODE, None, [], [("It is not offered.", "")], NOW))
    assert found == [
        Line(Level.WARN, "RsrmAdminHandler", "request of unknown refused: It is not offered.")
    ]
