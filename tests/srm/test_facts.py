"""What a node takes from heartbeats and from looks at its services, and when it looks again."""

from dataclasses import replace
from typing import Any

import pytest

from redundancy.srm import facts
from redundancy.srm.step import step
from redundancy.srm.types import Heard, Heartbeat, Move, MoveKind, Node, Policy, Reading, Tick
from tests.srm.one_node import NOW, POLICY, PUB, S, beat, node, services

# --- heartbeats ----------------------------------------------------------------------------------

KNOWN = beat(S.NORMAL, incarnation=5, seq=7)
HEARS = node(S.NORMAL, peer=KNOWN, peer_at=NOW - 10)


def hear(before: Node, heartbeat: Heartbeat) -> Node:
    return step(before, Heard(heartbeat), NOW, POLICY).node


@pytest.mark.parametrize(
    "newer",
    [
        replace(KNOWN, seq=8),
        # Its SRM was started again, and counts from the beginning.
        replace(KNOWN, incarnation=6, seq=1),
    ],
)
def test_a_newer_heartbeat_is_a_sign_of_life(newer: Heartbeat) -> None:
    after = hear(HEARS, newer)
    assert (after.peer, after.peer_at) == (newer, NOW)


@pytest.mark.parametrize(
    "stale",
    [
        pytest.param(KNOWN, id="twice"),
        pytest.param(replace(KNOWN, seq=6), id="overtaken"),
        pytest.param(replace(KNOWN, incarnation=4, seq=99), id="of the SRM before"),
        pytest.param(replace(KNOWN, seq=8, generation=0), id="of before HA was enabled"),
        pytest.param(replace(KNOWN, seq=8, generation=2), id="of an enabling not known here"),
        pytest.param(replace(KNOWN, seq=8, sender="imp-other"), id="of a stranger"),
        pytest.param(replace(KNOWN, seq=8, sender=PUB), id="its own"),
    ],
)
def test_a_late_or_foreign_heartbeat_is_none(stale: Heartbeat) -> None:
    """Whatever it says: the peer is as silent as before, and said what it said before."""
    after = hear(HEARS, replace(stale, state=S.FAILED, epoch=9, leaving=True))
    assert after == replace(HEARS, stepped_at=NOW)


@pytest.mark.parametrize(("epoch", "knows", "holds"), [(2, 3, True), (3, 3, True), (4, 4, False)])
def test_a_newer_epoch_is_learnt_and_says_that_the_sessions_were_moved(
    epoch: int, knows: int, holds: bool
) -> None:
    serving = node(S.BACKUP, peer=KNOWN, peer_at=NOW - 10, epoch=3, holds=True)
    after = hear(serving, replace(KNOWN, state=S.IDLE, seq=8, epoch=epoch))
    assert (after.epoch, after.holds) == (knows, holds)
    # What it holds not, it does not hold by hearing.
    assert not hear(replace(serving, holds=False), replace(KNOWN, seq=8, epoch=epoch)).holds


@pytest.mark.parametrize(("silent", "late"), [(30.0, False), (30.1, True)])
def test_two_intervals_of_silence_are_not_late_and_more_are(silent: float, late: bool) -> None:
    assert facts.late(replace(HEARS, peer_at=NOW - silent), NOW, POLICY) is late


def test_when_silence_is_seen_first() -> None:
    assert facts.late_at(HEARS, POLICY) == NOW - 10 + 30
    assert facts.late_at(HEARS, Policy(heartbeat_interval=30, heartbeat_timeout=45)) == NOW + 35
    never = node(S.INITIALIZING, listening_since=NOW - 4)
    assert facts.late_at(never, POLICY) == NOW + 26
    assert facts.late_at(never, Policy(initialization_timeout=20)) == NOW + 16


@pytest.mark.parametrize(
    ("more", "until"),
    [
        ({"peer_at": NOW - 40}, NOW + 20),
        # Not late yet; gone already; in failed mode nothing comes of it.
        ({"peer_at": NOW - 30}, None),
        ({"peer_at": NOW - 60}, None),
        ({"peer_at": NOW - 40, "state": S.FAILED}, None),
        ({"peer_at": NOW - 40, "peer": replace(KNOWN, leaving=True)}, None),
        ({"peer": None, "listening_since": NOW - 40}, NOW + 80),
    ],
)
def test_until_when_a_late_peer_is_waited_for(more: dict[str, Any], until: float | None) -> None:
    assert facts.missed_until(replace(HEARS, **more), NOW, POLICY) == until


BEATEN = replace(
    HEARS, peer=replace(KNOWN, seq=8), peer_at=NOW, seq=1, next_heartbeat=NOW + 15, stepped_at=NOW
)


@pytest.mark.parametrize(
    ("before", "after", "alike"),
    [
        (HEARS, BEATEN, True),
        (HEARS, replace(BEATEN, peer=replace(KNOWN, seq=8, healthy=False)), False),
        (HEARS, replace(BEATEN, epoch=1), False),
        (replace(HEARS, peer=None), BEATEN, False),
        (replace(HEARS, peer=None), replace(HEARS, peer=None, seq=5), True),
        # One that was late is heard again.
        (replace(HEARS, peer_at=NOW - 31), BEATEN, False),
        (replace(HEARS, peer_at=NOW - 31), replace(HEARS, peer_at=NOW - 32), False),
    ],
)
def test_what_is_more_than_the_beat(before: Node, after: Node, alike: bool) -> None:
    assert facts.looks_alike(before, after, NOW, POLICY) is alike


# --- services ------------------------------------------------------------------------------------


def seen(before: Node, *readings: Reading) -> Node:
    return step(before, Tick(readings), NOW, POLICY).node


def router(up: bool | None, ago: float) -> Reading:
    return Reading("Cisco XCP Router", up, NOW - ago)


WATCHED = node(S.BACKUP, services=(router(True, 5000),), healthy_since=NOW - 5000)
LOST = replace(WATCHED, services=(router(False, 60),), healthy_since=None)


@pytest.mark.parametrize(
    ("dazed", "ago", "counts"), [(True, 500, 15), (True, 5, 5), (False, 500, 500)]
)
def test_of_downtime_that_nobody_saw_an_interval_counts(
    dazed: bool, ago: float, counts: float
) -> None:
    after = seen(replace(WATCHED, dazed=dazed), router(False, ago))
    assert after.services == (router(False, counts),)


@pytest.mark.parametrize(
    ("before", "dazed", "ago", "counts"),
    [
        # Restarted, and come up: nobody saw that it ran since.
        (WATCHED, True, 500, 15),
        (LOST, True, 500, 15),
        (LOST, True, 5, 5),
        (WATCHED, False, 500, 500),
        (LOST, False, 500, 500),
        # It ran all the time: what nobody saw was taken off before.
        (WATCHED, True, 5000, 5000),
        # Nor does anybody know it of one that could not be read before.
        (replace(WATCHED, healthy_since=None), True, 5000, 15),
    ],
)
def test_of_uptime_that_nobody_saw_an_interval_counts(
    before: Node, dazed: bool, ago: float, counts: float
) -> None:
    after = seen(replace(before, dazed=dazed), router(True, ago))
    assert after.healthy_since == NOW - counts


@pytest.mark.parametrize(
    ("reading", "kept"),
    [
        # What cannot be read is as it was.
        (router(None, 1), router(False, 60)),
        # It was up in between.
        (router(False, 20), router(False, 20)),
        (router(False, 0), router(False, 0)),
        # An outage of the observer, or a clock set back, has made it shorter.
        (router(False, 80), router(False, 60)),
        (router(False, -30), router(False, 60)),
        (router(True, 1), router(True, 1)),
    ],
)
def test_what_is_made_of_a_look_at_a_service_that_was_down(reading: Reading, kept: Reading) -> None:
    after = seen(LOST, reading)
    assert after.services == (kept,)
    assert after.healthy_since == (NOW - 1 if kept.up else None)


@pytest.mark.parametrize(
    ("asked", "stopped", "reading", "still"),
    [
        # The first look after the order may be from before it was carried out.
        (6, False, router(True, 5000), True),
        (6, False, router(True, 6), True),
        (6, False, router(False, 6), True),
        (6, False, router(False, 5), True),
        # Somebody started it since.
        (6, False, router(True, 5), False),
        (6, True, router(True, 5), False),
        # It was down before, by whomever.
        (6, False, router(False, 7), False),
        (6, True, router(False, 7), True),
        # The database is never stopped.
        (6, False, Reading("A Cisco DB", True, NOW - 5000, database=True), False),
        (6, False, Reading("A Cisco DB", False, NOW - 5, database=True), False),
        # Later looks: what cannot be read is as it was.
        (None, True, router(False, 5), True),
        (None, True, router(None, 5), True),
        (None, True, router(True, 5), False),
        (None, False, router(False, 5), False),
    ],
)
def test_what_srm_stopped_stays_so_until_somebody_starts_it(
    asked: float | None, stopped: bool, reading: Reading, still: bool
) -> None:
    before = node(
        S.IDLE,
        services=(router(True, 5000),),
        stopped=(reading.name,) if stopped else (),
        stop_asked_at=None if asked is None else NOW - asked,
    )
    after = seen(before, reading)
    assert (after.stopped, after.stop_asked_at) == ((reading.name,) if still else (), None)


def test_one_that_goes_down_is_down_since_it_says() -> None:
    assert seen(WATCHED, router(False, 7)).services == (router(False, 7),)
    # A dazed node knows how long it was down before.
    assert seen(replace(LOST, dazed=True), router(False, 60)).services == LOST.services


def test_what_never_could_be_read_is_neither_up_nor_down() -> None:
    after = seen(replace(WATCHED, services=(), healthy_since=None), router(None, 3))
    assert after.services == (router(None, 3),)
    assert not facts.healthy(after)
    assert facts.down(after) == ()


def test_a_look_that_fails_breaks_the_unbroken_time() -> None:
    blind = seen(WATCHED, router(None, 1))
    assert (blind.services, blind.healthy_since) == (WATCHED.services, None)
    again = seen(blind, router(True, 5000))
    assert again.healthy_since == NOW - 5000


@pytest.mark.parametrize(("ago", "since"), [(300, 300), (9000, 5000)])
def test_healthy_since_the_last_of_them_was_started_and_never_longer_than_known(
    ago: float, since: float
) -> None:
    two = (router(True, ago), Reading("Cisco Presence Engine", True, NOW - 9500))
    assert seen(WATCHED, *two).healthy_since == NOW - since


def test_who_watches_nothing_is_not_healthy() -> None:
    after = seen(WATCHED)
    assert (after.services, after.healthy_since) == ((), None)
    assert not facts.healthy(after)


def test_the_limit_of_the_delay_and_whose_it_is() -> None:
    down = (router(False, 90), Reading("Cisco Presence Engine", False, NOW - 89))
    assert facts.longest_down(replace(LOST, services=down), NOW, POLICY) == down[0]
    assert facts.longest_down(replace(LOST, services=down[1:]), NOW, POLICY) is None
    older = (*down, Reading("A Cisco DB", False, NOW - 95, database=True))
    assert facts.longest_down(replace(LOST, services=older), NOW, POLICY) == older[2]


def test_while_ha_is_off_nobody_looks() -> None:
    off = node(S.UNKNOWN, services=(), healthy_since=None)
    assert seen(off, router(False, 500)).services == ()


# --- when it looks again -------------------------------------------------------------------------

SLOW = Policy(heartbeat_interval=1000, heartbeat_timeout=2000, initialization_timeout=2000)
# Nothing is to come but its own heartbeat, in 900 s.
CALM = node(
    S.NORMAL,
    peer=beat(S.NORMAL, leaving=True),
    next_heartbeat=NOW + 900,
    listening_since=NOW - 100,
    policy=SLOW,
)
HEARD = {"peer": beat(S.NORMAL), "peer_at": NOW - 1500}


@pytest.mark.parametrize(
    ("more", "policy", "then"),
    [
        ({}, {}, 900),
        ({"next_heartbeat": NOW + 5000}, {}, 1000),
        # The silence of the peer.
        (HEARD, {}, 500),
        ({"peer": None, "listening_since": NOW - 1600}, {}, 400),
        # Services that are down, and such as SRM has started.
        ({"services": services(30, 50)}, {}, 40),
        ({"services": services(95)}, {}, 900),
        ({"starting_since": NOW - 20}, {}, 70),
        # The unbroken time.
        ({"settled_at": NOW - 1000}, {"automatic_fallback": True}, 800),
        (
            {"settled_at": NOW - 1000, "healthy_since": NOW - 1200},
            {"automatic_fallback": True},
            800,
        ),
        ({"settled_at": NOW - 1900}, {"automatic_fallback": True}, 900),
        ({"settled_at": NOW - 1000}, {}, 900),
        # A move that was asked for.
        ({"move": Move(MoveKind.HOME, NOW - 400)}, {}, 600),
        ({"move": Move(MoveKind.HOME)}, {}, 900),
        # A peer that does not hear this node, or does not answer.
        ({"state": S.INITIALIZING, "listening_since": NOW - 1700}, {}, 300),
        ({"listening_since": NOW - 1700}, {}, 900),
        ({"state": S.TAKING_BACK, "settled_at": NOW - 1800}, {}, 200),
        ({"state": S.TAKING_BACK, "settled_at": NOW - 1800, "started_at": NOW - 1400}, {}, 600),
        # Nobody is called who is off, or leaves.
        ({"state": S.UNKNOWN}, {}, float("inf")),
        ({"leaving": True}, {}, float("inf")),
    ],
)
def test_when_a_node_wants_to_be_called(
    more: dict[str, Any], policy: dict[str, Any], then: float
) -> None:
    assert facts.wake(replace(CALM, **more), NOW, replace(SLOW, **policy)) == NOW + then


@pytest.mark.parametrize("more", [{"state": S.UNKNOWN}, {"leaving": True}])
def test_who_is_off_or_leaves_has_no_limit(more: dict[str, Any]) -> None:
    waiting = replace(CALM, peer=beat(S.NORMAL), peer_at=NOW - 1500)
    assert facts.limit_at(waiting, NOW, SLOW) == NOW + 500
    assert facts.limit_at(replace(waiting, **more), NOW, SLOW) == float("inf")


def test_a_restart_starts_what_ran_and_what_srm_stopped_but_not_the_database() -> None:
    services = (
        Reading("Cisco XCP Router", True, NOW),
        Reading("Cisco Presence Engine", False, NOW),
        Reading("Cisco XCP Connection Manager", False, NOW),
        Reading("A Cisco DB", True, NOW, database=True),
    )
    before = replace(WATCHED, services=services, stopped=("Cisco XCP Connection Manager",))
    started = ("Cisco XCP Router", "Cisco XCP Connection Manager")
    assert facts.stopped_by_restart(before) == started


# --- what it asks for ----------------------------------------------------------------------------

TAKE, HOME = MoveKind.TAKE_OVER, MoveKind.HOME


@pytest.mark.parametrize(
    ("before", "said", "wanted"),
    [
        # Users go home when the peer gives them back, or is not in the way.
        *((node(S.TAKING_BACK), said, HOME) for said in (S.FALLING_BACK, S.NORMAL, S.INITIALIZING)),
        *((node(S.TAKING_BACK), said, None) for said in (S.BACKUP, S.TAKING_OVER, None)),
        # A node in backup mode that was refused asks when its peer serves nobody.
        *(
            (node(own), said, TAKE)
            for own in (S.BACKUP, S.BACKUP_ACTIVATED)
            for said in (S.IDLE, S.FAILED_OVER, S.FAILED_OVER_DOWN, S.AFFECTED)
        ),
        *((node(S.BACKUP), said, None) for said in (S.INITIALIZING, S.FAILING_OVER, None)),
        (node(S.BACKUP, holds=True), S.IDLE, None),
        # Else what its last row wanted.
        (node(S.NORMAL, move=Move(HOME)), None, HOME),
        (node(S.TAKING_OVER, move=Move(TAKE)), None, TAKE),
        (node(S.NORMAL), S.IDLE, None),
    ],
)
def test_which_move_a_node_wants(before: Node, said: Any, wanted: MoveKind | None) -> None:
    heard = replace(before, peer=beat(said), peer_at=NOW - 1) if said else before
    assert facts.wanted_move(heard, NOW, POLICY) is wanted
    if said and before.move is None:
        # What it said before it fell silent is the past.
        assert facts.wanted_move(replace(heard, peer_at=NOW - 60), NOW, POLICY) is None
