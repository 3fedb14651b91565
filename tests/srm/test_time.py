"""Time that counts, time that does not, and clocks that jump."""

from dataclasses import replace

import pytest

from redundancy.srm.simulator import Simulator
from redundancy.srm.states import Reason, State
from redundancy.srm.step import step
from redundancy.srm.types import Heard, Heartbeat, Node, Policy, Reading, Tick

PUB, SUB = "imp-pub", "imp-sub"
UP = (Reading("A Cisco DB", up=True, since=0.0, database=True),)


def normal(policy: Policy) -> Simulator:
    sim = Simulator(policy)
    sim.enable_ha()
    sim.run_for(60)
    assert sim.state(PUB)[0] is sim.state(SUB)[0] is State.NORMAL
    return sim


def one_way_failed_over() -> Simulator:
    """imp-sub does not hear imp-pub, which is healthy all the time and yields."""
    sim = normal(Policy(automatic_fallback=True))
    sim.run_for(7200)
    sim.cut = {(PUB, SUB)}
    sim.run_for(80)
    assert sim.state(PUB) == (State.FAILED_OVER, Reason.PEER_DOWN)
    sim.cut = set()
    return sim


def test_the_thirty_minutes_begin_with_the_failover_of_a_node_that_was_healthy_all_along() -> None:
    sim = one_way_failed_over()
    since = sim.nodes[PUB].since
    sim.run_until(since + 1799)
    assert sim.state(PUB)[0] is State.FAILED_OVER
    sim.run_until(since + 1801)
    assert sim.state(PUB)[0] is State.NORMAL


def test_minutes_nobody_saw_are_none_of_the_thirty() -> None:
    sim = one_way_failed_over()
    since = sim.nodes[PUB].since
    sim.run_until(since + 600)
    sim.pause_observer(1200)
    # Of the pause one interval counts.
    sim.run_until(since + 1200 + 1799 - 15)
    assert sim.state(PUB)[0] is State.FAILED_OVER
    sim.run_until(since + 1200 + 1801)
    assert sim.state(PUB)[0] is State.NORMAL


def heartbeat(seq: int) -> Heartbeat:
    return Heartbeat(
        sender=SUB,
        incarnation=1,
        seq=seq,
        generation=1,
        state=State.NORMAL,
        reason=Reason.NORMAL,
        epoch=0,
        healthy=True,
        hears=True,
    )


TIGHT = Policy(heartbeat_interval=15, heartbeat_timeout=30)
# The peer was heard at 100 s, the node stepped last at 120 s.
LISTENING = Node(
    PUB,
    SUB,
    first=True,
    state=State.NORMAL,
    reason=Reason.NORMAL,
    generation=1,
    peer=heartbeat(1),
    peer_at=100,
    services=UP,
    healthy_since=0,
    next_heartbeat=130,
    stepped_at=120,
    policy=TIGHT,
)


def test_the_first_tick_after_an_outage_judges_nothing_and_asks_for_a_second() -> None:
    """Of 600 s nobody looked, one interval counts: 35 s of silence, over the limit of 30."""
    awake = step(LISTENING, Tick(UP), 720.0, TIGHT)
    assert awake.node.state is State.NORMAL
    assert awake.wake == 720.0
    # The peer, which slept too, has a word in between.
    heard = step(awake.node, Heard(heartbeat(2)), 720.0, TIGHT)
    assert step(heard.node, Tick(UP), 720.0, TIGHT).node.state is State.NORMAL
    # One that is really silent is suspected at the second, and declared down at the third.
    again = step(awake.node, Tick(UP), 720.0, TIGHT)
    assert again.wake == 720.0
    assert step(again.node, Tick(UP), 720.0, TIGHT).node.state is State.TAKING_OVER


def test_a_clock_set_back_keeps_the_silence_that_was_counted() -> None:
    policy = Policy()
    back = step(LISTENING, Tick(UP), -3480.0, policy).node
    assert back.peer_at == 100 - 3600
    assert back.state is State.NORMAL
    now, wake = -3480.0, -3480.0
    while back.state is State.NORMAL:
        now = wake
        outcome = step(back, Tick(UP), now, policy)
        back, wake = outcome.node, max(outcome.wake, now + 0.5)
    # Silent for 20 s when the clock jumped.
    assert 40 <= now + 3480 <= 42


def test_a_shorter_interval_gives_the_peer_time_to_keep_it() -> None:
    """The peer has been silent for 200 s, as its interval of 300 s allowed."""
    before = Policy(heartbeat_interval=300, heartbeat_timeout=600, initialization_timeout=600)
    slow = replace(LISTENING, peer_at=-80.0, policy=before, next_heartbeat=400.0)
    changed = step(slow, Tick(UP), 120.0, Policy())
    assert changed.node.state is State.NORMAL
    assert changed.node.peer_at == 120.0
    # And this node keeps the new interval from now on.
    assert changed.node.seq == slow.seq + 1
    assert changed.node.next_heartbeat == 130.0


@pytest.mark.parametrize(
    ("planned", "now", "then"),
    [
        (130.0, 130.0, 145.0),
        (130.0, 130.4, 145.0),
        # Beats that an outage left out are not made up for.
        (130.0, 145.0, 160.0),
        (130.0, 720.0, 730.0),
        # A clock that was set back.
        (130.0, -3480.0, -3470.0),
    ],
)
def test_a_late_heartbeat_keeps_the_beat(planned: float, now: float, then: float) -> None:
    late = step(replace(LISTENING, next_heartbeat=planned), Tick(UP), now, Policy())
    assert late.node.seq == LISTENING.seq + 1
    assert late.node.next_heartbeat == then


def test_after_an_outage_pairs_beat_in_different_seconds_as_before() -> None:
    pairs = [Simulator(), Simulator()]
    for late, pair in enumerate(pairs):
        pair.run_until(late * 5)
        pair.enable_ha()
    for pair in pairs:
        pair.run_until(100)
        pair.pause_observer(600)
        pair.run_until(2000)
    assert [pair.nodes[PUB].next_heartbeat % 15 for pair in pairs] == [0, 5]


def test_a_shorter_timeout_does_not_make_a_late_observer_fail_anybody_over() -> None:
    """Steps 9 s apart where 7 s are the interval and 15 s the limit: late, but somebody looks."""
    policy = Policy(heartbeat_interval=7, heartbeat_timeout=15)
    node = replace(LISTENING, policy=policy, peer_at=119.0)
    for seq, at in enumerate(range(129, 300, 9), start=2):
        node = step(node, Tick(UP), float(at), policy).node
        assert node.state is State.NORMAL, at
        node = step(node, Heard(heartbeat(seq)), float(at), policy).node
        node = step(node, Tick(UP), float(at), policy).node
