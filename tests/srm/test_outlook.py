"""What a node says it waits for, why its peer counts as gone, and why a request is refused."""

from dataclasses import replace
from typing import Any

import pytest

from redundancy.srm.advice import warn
from redundancy.srm.sentences import clock_time, fill, gone, outlook, why_not
from redundancy.srm.states import State
from redundancy.srm.types import Move, MoveKind, Node, Policy, Reading, Request
from tests.srm.one_node import NOW, POLICY, S, beat, node, services
from tests.zones import machine_in

HEARD: dict[str, Any] = {"peer": beat(S.NORMAL), "peer_at": NOW - 5}
CLOCK = {0: "02:46:40", -40: "02:46:00", 20: "02:47:00", 80: "02:48:00", -10: "02:46:30"}


def test_moments_are_told_in_utc_wherever_the_machine_stands() -> None:
    with machine_in("America/Sao_Paulo"):
        assert {after: clock_time(NOW + after) for after in CLOCK} == CLOCK


@pytest.mark.parametrize(
    ("waiting", "told"),
    [
        (node(S.NORMAL, **HEARD), ""),
        (node(S.UNKNOWN, services=services(50)), ""),
        (
            node(S.TAKING_BACK, starting_since=NOW - 5, **HEARD),
            "Waits for its critical services to start.",
        ),
        (
            node(S.INITIALIZING, peer=beat(S.INITIALIZING, hears=False), peer_at=NOW),
            "Waits for imp-sub to hear this node.",
        ),
        (node(S.INITIALIZING, **HEARD), ""),
        (node(S.NORMAL, peer=beat(S.NORMAL, hears=False), peer_at=NOW), ""),
        (node(S.FAILING_OVER, **HEARD), "Waits for imp-sub to take the users over."),
        (node(S.FALLING_BACK, **HEARD), "Waits for imp-sub to take its users back."),
        (
            node(S.TAKING_OVER, move=Move(MoveKind.TAKE_OVER), **HEARD),
            "The users are being moved here.",
        ),
        (
            node(S.TAKING_BACK, move=Move(MoveKind.HOME), **HEARD),
            "The users are being moved home.",
        ),
        (node(S.TAKING_BACK, **HEARD), ""),
        *(
            (
                node(own, **HEARD),
                "Serves nobody of imp-sub until it is heard: it may hold the users.",
            )
            for own in (S.BACKUP, S.BACKUP_ACTIVATED)
        ),
        (node(S.BACKUP, holds=True, **HEARD), ""),
        # Silence.
        (node(S.NORMAL, listening_since=NOW - 40), "Waits for imp-sub until 02:48:00."),
        (
            node(S.NORMAL, peer=beat(S.NORMAL), peer_at=NOW - 40),
            "No heartbeat from imp-sub since 02:46:00; it is declared down at 02:47:00.",
        ),
        (node(S.FAILED, peer=beat(S.NORMAL), peer_at=NOW - 40), ""),
        # Services.
        *(
            (
                node(own, holds=True, services=services(40, 10), **HEARD),
                "A Cisco DB has not been running since 02:46:30; the limit is 02:48:00. "
                "Cisco XCP Router has not been running since 02:46:00; the limit is 02:47:30.",
            )
            for own in (S.NORMAL, S.BACKUP, S.BACKUP_ACTIVATED)
        ),
        (node(S.FAILED_OVER_DOWN, services=services(40), **HEARD), ""),
        # Fallback.
        *(
            (
                node(own, **HEARD),
                "Automatic fallback is disabled; Fallback by hand is possible.",
            )
            for own in (S.FAILED_OVER, S.AFFECTED)
        ),
        (node(S.IDLE, **HEARD), ""),
    ],
)
def test_what_a_node_waits_for(waiting: Node, told: str) -> None:
    assert outlook(waiting, NOW, POLICY) == told


def router_since(ago: float) -> tuple[Reading, ...]:
    database, router = services()
    return database, replace(router, since=NOW - ago)


@pytest.mark.parametrize(
    ("more", "began"),
    [
        # The last thing that broke the wait, and of two at once the SRM's start.
        ({}, "when it became Failed Over"),
        ({"services": router_since(35)}, "when Cisco XCP Router was started"),
        ({"services": router_since(35), "started_at": NOW - 34}, "when its SRM was started"),
        ({"services": router_since(35), "started_at": NOW - 35}, "when its SRM was started"),
        ({"services": router_since(55)}, "when Cisco XCP Router was started"),
        ({"services": router_since(56)}, "when it became Failed Over"),
    ],
)
def test_what_the_wait_for_a_fallback_began_with(more: dict[str, Any], began: str) -> None:
    waiting = node(S.FAILED_OVER, since=NOW - 40, settled_at=NOW - 40, **HEARD)
    assert outlook(replace(waiting, **more), NOW, Policy(automatic_fallback=True)) == (
        f"Automatic fallback at 03:16:00; the 30 min began at 02:46:00, {began}."
    )


def test_a_node_that_is_not_healthy_waits_for_its_services() -> None:
    waiting = node(S.FAILED_OVER, up=False, **HEARD)
    assert outlook(waiting, NOW, Policy(automatic_fallback=True)) == (
        "Automatic fallback waits for all critical services to run."
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"peer": beat(S.NORMAL, leaving=True)}, "imp-sub announced that it is being shut down or restarted"),
        ({"listening_since": NOW - 120}, "imp-sub was never heard since this SRM listens (limit 2 min)"),
        ({"peer": beat(S.NORMAL), "peer_at": NOW - 65}, "No heartbeat from imp-sub for 1 min 5 s (limit 1 min)"),
    ],
)  # fmt: skip
def test_why_a_peer_counts_as_gone(more: dict[str, Any], told: str) -> None:
    assert gone(node(S.NORMAL, **more), NOW, POLICY) == told


@pytest.mark.parametrize(
    ("template", "more", "told"),
    [
        ("{gone}.", {}, "imp-sub was never heard since this SRM listens (limit 2 min)."),
        ("{unheard}", {"listening_since": NOW - 130}, "2 min 10 s"),
        ("{healthy}", {"settled_at": NOW - 1800}, "30 min"),
        ("{healthy}", {"up": False}, "0 s"),
        ("{overdue} {were} {down_for} {down_limit}", {"services": services(95)}, "Cisco XCP Router was 1 min 35 s 1 min 30 s"),
        ("{overdue} {were} {down_for}", {"services": services(95.4, 95)}, "A Cisco DB and Cisco XCP Router were 1 min 35 s"),
        ("{overdue} {were} {down_for}", {"services": services(96, 95)}, "Cisco XCP Router was 1 min 36 s"),
        ("{overdue}, {down_for}", {"services": services(80)}, ", 0 s"),
        ("{down} {are}", {"services": services(5)}, "Cisco XCP Router is"),
        ("{down} {are}", {"services": services(5, 6)}, "A Cisco DB and Cisco XCP Router are"),
        ("{down} {are}", {}, "A critical service is"),
        ("here {down} {are}", {}, "here a critical service is"),
    ],
)  # fmt: skip
def test_the_fields_of_a_sentence(template: str, more: dict[str, Any], told: str) -> None:
    assert fill(template, node(S.NORMAL, **more), NOW, POLICY) == told


@pytest.mark.parametrize("own", S)
def test_why_a_request_is_refused(own: State) -> None:
    refused = node(own, services=services(5))
    plain = f"is not offered while imp-pub is {own}."
    failover, fallback = (why_not(refused, request) for request in Request)
    if own is S.NORMAL:
        assert failover == "Failover needs imp-sub to be heard and Normal."
    else:
        assert failover == f"Failover {plain}"
    if own in (S.IDLE, S.FAILED_OVER, S.AFFECTED):
        assert fallback == "Fallback needs imp-sub to run in backup mode and to hear imp-pub."
    elif own is S.FAILED_OVER_DOWN:
        assert fallback == (
            "Fallback needs all critical services of imp-pub to run; "
            "Cisco XCP Router is not running."
        )
    else:
        assert fallback == f"Fallback {plain}"


@pytest.mark.parametrize(
    ("healthy", "why"),
    [
        (True, "Failover needs imp-sub to be heard and Normal."),
        (
            False,
            "Failover needs all critical services of imp-sub to run; "
            "imp-sub reports that not all of them do.",
        ),
    ],
)
def test_why_failover_to_a_normal_peer_is_refused(healthy: bool, why: str) -> None:
    heard = beat(S.NORMAL, healthy=healthy)
    assert why_not(node(S.NORMAL, peer=heard), Request.FAILOVER) == why


@pytest.mark.parametrize("own", S)
def test_what_is_about_to_go_wrong(own: State) -> None:
    down = node(own, services=services(40, 10))
    warning = warn(down, POLICY)
    if own not in (S.NORMAL, S.BACKUP, S.BACKUP_ACTIVATED):
        assert warning is None
        return
    assert warning is not None
    cause = "Cisco XCP Router on imp-pub has not been running since 02:46:00."
    if own is S.NORMAL:
        assert warning.cause == cause
        assert warning.advice == "Start it before 02:47:30, or imp-pub fails over."
    else:
        assert warning.cause == f"{cause} imp-pub has all users."
        assert warning.advice == "Start it before 02:47:30, or users lose service."
    assert warning.number == 0
    # Where nobody can log in, users are without service already.
    shut = warn(down, POLICY, ["imp-pub"])
    assert shut is not None
    if own is S.NORMAL:
        assert shut == warning
    else:
        assert shut.cause == f"{cause} imp-pub has all users, and nobody can log in there."
        assert shut.advice == "Start it: users are without service."
    assert warn(down, POLICY, ["imp-sub"]) == warning
    assert warn(node(own), POLICY) is None
