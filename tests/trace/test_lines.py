"""What a step writes into the trace; the two lines that a real trace has, to the letter."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from redundancy.srm.states import Reason, State
from redundancy.srm.trace import Level, Line, lines
from redundancy.srm.types import (
    Action,
    Heartbeat,
    MoveKind,
    MoveSessions,
    Node,
    Reading,
    SendHeartbeat,
    StateChanged,
)

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
    return list(lines(before, after, heard, [(action, "") for action in actions], [], NOW))


def test_the_two_known_lines_are_written_to_the_letter() -> None:
    after = replace(NODE, state=State.BACKUP, reason=Reason.PEER_DOWN)
    change = StateChanged(
        State.NORMAL, Reason.NORMAL, State.BACKUP, Reason.PEER_DOWN, "imp-sub is silent.", 0
    )
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
    assert [(line.level, line.message) for line in told(before, after)] == [(level, message)]
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
    found = list(lines(NODE, NODE, None, [], [("Failover is not offered.", "ann")], NOW))
    assert [line.message for line in found] == ["request of ann refused: Failover is not offered."]
