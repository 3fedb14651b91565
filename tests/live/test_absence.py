"""What the history keeps of a node that was away, and of times in which nobody saw the nodes."""

from collections.abc import Callable

import pytest

from redundancy import bus
from redundancy.history.reads.timeline import happened
from redundancy.history.timeline.model import Lane, Timeline, build_timeline
from redundancy.models import HaEvent
from redundancy.operations import groups, power
from redundancy.srm.states import NOT_RESPONDING
from tests.live.pair import Pair, server

SHORT = {NOT_RESPONDING: "silent"}


def timeline(pair: Pair, seconds: float = 3600) -> Timeline:
    group = server("imp-pub").group
    assert group is not None
    now = pair.clock.now
    found = happened(group, now - seconds, now)
    return build_timeline(
        begin=now - seconds,
        end=now,
        now=now,
        nodes=found.nodes,
        before=found.before,
        events=found.events,
        unseen=found.unseen,
        tones={},
    )


def states(lane: Lane) -> list[str]:
    return [SHORT.get(span.state, span.state) for span in lane.spans]


@pytest.mark.parametrize("leave", [power.power_off, power.stop_srm])
def test_a_node_is_silent_until_its_srm_is_back(pair: Pair, leave: Callable[..., None]) -> None:
    gone = pair.clock.now
    leave(server=server("imp-sub"), actor="ann")
    pair.run(30)
    assert states(timeline(pair).lanes[1])[-1] == "silent"
    # A picture that begins while it is away shows the same.
    assert states(timeline(pair, 10).lanes[1]) == ["silent"]
    back = power.power_on if leave is power.power_off else power.start_srm
    back(server=server("imp-sub"), actor="ann")
    pair.run(5)
    spans = timeline(pair).lanes[1].spans
    away = next(span for span in spans if span.silent)
    assert (away.begin, away.end) == (gone, gone + 31)
    assert spans[-1].state == "Normal"
    assert states(timeline(pair).lanes[0])[-1] == "Normal"


def test_a_node_that_restarts_is_silent_until_it_is_back(pair: Pair) -> None:
    power.reboot(server=server("imp-sub"), actor="ann")
    pair.run(130)
    away = [span for span in timeline(pair).lanes[1].spans if span.silent]
    assert [span.end - span.begin for span in away] == [pytest.approx(120, abs=2)]
    assert away[0].sentence == "imp-sub went down for a restart."


def test_a_stopped_srm_is_missed_when_high_availability_is_enabled(pair: Pair) -> None:
    group = server("imp-pub").group
    assert group is not None
    groups.disable_ha(group=group, actor="ann")
    power.stop_srm(server=server("imp-sub"), actor="ann")
    pair.run(20)
    assert states(timeline(pair).lanes[1])[-1] == "Unknown"
    groups.enable_ha(group=group, actor="ann")
    pair.run(20)
    assert states(timeline(pair).lanes[1])[-2:] == ["Unknown", "silent"]


def test_a_time_in_which_nobody_looked_is_kept(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    began = pair.clock.now
    pair.run(5)
    assert timeline(pair).unseen == ()
    pair.clock.now += 100
    monkeypatch.setattr(bus, "sweep_age_of", lambda _shard: 100.0)
    pair.sweep()
    monkeypatch.undo()
    (unseen,) = timeline(pair).unseen
    assert (unseen.begin, unseen.end) == (began + 5, began + 105)
    assert unseen.event == HaEvent.objects.get(inputs__has_key="unseen_since").pk


def test_a_bus_that_forgot_does_not_hide_it(pair: Pair) -> None:
    pair.run(5)
    bus.client().delete(bus.MARK)
    pair.run(1)
    assert timeline(pair).unseen == ()
    bus.client().delete(bus.MARK)
    pair.clock.now += 600
    pair.sweep()
    (unseen,) = timeline(pair).unseen
    assert unseen.end == pair.clock.now
    assert unseen.end - unseen.begin == pytest.approx(600, abs=15)
