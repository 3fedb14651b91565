"""Faults of the Fault Lab, swept by hand: what the nodes make of them."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from redundancy import bus
from redundancy.drivers.replication import PUBLISHER_TIMEOUT
from redundancy.faultlab import writes as faults
from redundancy.live import link
from redundancy.models import Fault, FaultKind, HaEvent, NodeRuntime, RedundancyGroup
from redundancy.operations import actions, groups, moves, power
from redundancy.operations.moves import MoveRequest
from redundancy.selectors.faults import NONE
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveKind
from tests.live.pair import Pair, server

BACKUP, NORMAL = State.BACKUP, State.NORMAL


@pytest.fixture(autouse=True)
def fault_lab(settings: Settings) -> None:
    settings.FAULT_LAB = True


def group() -> RedundancyGroup:
    return RedundancyGroup.objects.get()


def reasons() -> set[str]:
    return set(NodeRuntime.objects.values_list("reason", flat=True))


def changes() -> int:
    return HaEvent.objects.filter(kind="state").count()


def test_a_cut_link_ends_in_split_brain_and_never_in_two_places(pair: Pair) -> None:
    faults.cut_link(group=group(), actor="ann")
    pair.run(90)
    assert pair.states() == (BACKUP, BACKUP)
    assert sorted(pair.sessions()) == [0, 1000]
    faults.restore_link(group=group(), actor="ann")
    pair.run(20)
    assert pair.states() == (State.FAILED, State.FAILED)
    assert reasons() == {Reason.SPLIT_BRAIN}
    actions.request_recover(group=group(), actor="ann")
    pair.run(5)
    assert pair.states() == (NORMAL, NORMAL)
    assert pair.sessions() == (500, 500)


@pytest.mark.parametrize(
    ("ends", "deaf"),
    [
        ({"sender": "imp-pub"}, "imp-sub"),
        ({"receiver": "imp-pub"}, "imp-pub"),
        ({"sender": "imp-sub", "receiver": "imp-pub"}, "imp-pub"),
    ],
)
def test_a_link_cut_one_way_makes_one_node_deaf(
    pair: Pair, ends: dict[str, str], deaf: str
) -> None:
    faults.cut_link(group=group(), **{k: server(v) for k, v in ends.items()}, actor="")
    pair.run(59)
    heard_at = {
        r.server.name: node_from_json(r.memory).peer_at
        for r in NodeRuntime.objects.select_related("server")
    }
    for name, at in heard_at.items():
        assert (pair.clock.now - at > 40) is (name == deaf)


def test_a_short_delay_changes_nothing_and_keeps_every_heartbeat(pair: Pair) -> None:
    faults.delay_link(group=group(), seconds=20, actor="")
    pair.run(40)
    before = changes()
    silences = []
    for _ in range(60):
        pair.run(1)
        node = node_from_json(NodeRuntime.objects.get(server__name="imp-pub").memory)
        silences.append(pair.clock.now - node.peer_at)
    assert max(silences) <= 16, "each arrives, an interval after the one before"
    assert changes() == before
    assert pair.states() == (NORMAL, NORMAL)


def test_a_delayed_word_is_acted_on_when_it_arrives(pair: Pair) -> None:
    faults.delay_link(group=group(), seconds=20, actor="")
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(18)
    assert pair.states() == (State.FAILING_OVER, NORMAL)
    pair.run(4)
    assert pair.states()[1] in {State.TAKING_OVER, BACKUP}
    pair.run(25)
    assert pair.states() == (State.IDLE, BACKUP)


def test_what_is_under_way_arrives_after_the_delay_is_lifted_and_overtakes_nobody(
    pair: Pair,
) -> None:
    # Longer than the interval: the first heartbeat that is not late overtakes the last late one.
    faults.delay_link(group=group(), seconds=20, actor="")
    pair.run(16)
    assert bus.client().zcard(bus.LATE)
    faults.restore_link(group=group(), actor="")
    sub, heard = server("imp-sub"), []
    for _ in range(40):
        pair.run(1)
        heard.append(bus.read([sub.pk])[sub.pk].seq)
    assert bus.client().zcard(bus.LATE) == 0
    assert heard == sorted(heard)
    assert pair.states() == (NORMAL, NORMAL)


@pytest.mark.parametrize("late", [(-1,), (2, 1), (1, 2)])
def test_of_late_heartbeats_and_the_last_one_the_newest_stays(
    pair: Pair, late: tuple[int, ...]
) -> None:
    pub, sub = server("imp-pub"), server("imp-sub")
    known = bus.read([sub.pk])[sub.pk]
    for due, later in enumerate(late, 1):
        bus.send_late(due, pub.pk, sub.pk, replace(known, seq=known.seq + later))
    bus.deliver(len(late), ())
    assert bus.read([sub.pk])[sub.pk].seq == known.seq + max(0, *late)


def test_a_late_heartbeat_does_not_pass_a_cut(pair: Pair) -> None:
    pub, sub = server("imp-pub"), server("imp-sub")
    known = bus.read([sub.pk])[sub.pk]
    bus.send_late(pair.clock.now, pub.pk, sub.pk, replace(known, seq=known.seq + 5))
    bus.deliver(pair.clock.now, {pub.pk})
    assert bus.read([sub.pk])[sub.pk] == known
    assert bus.client().zcard(bus.LATE) == 0


def test_all_heartbeats_lost_is_silence_and_some_lost_is_not(pair: Pair) -> None:
    faults.lose_heartbeats(group=group(), percent=100, actor="")
    pair.run(100)
    assert pair.states() == (BACKUP, BACKUP)


def test_a_share_of_the_heartbeats_is_lost(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    sub = server("imp-sub")
    heartbeat = bus.read([sub.pk])[sub.pk]
    arrived = 0
    for dice in range(100):
        monkeypatch.setattr("random.random", lambda dice=dice: dice / 100)
        bus.collect()
        link.send_letters(
            [link.Letter(heartbeat, 0, sub.pk, 7, 0)], {**NONE, FaultKind.LOSS: {7: 30}}
        )
        arrived += len(bus.collect())
    assert arrived == 70


def test_the_next_move_fails_once(pair: Pair) -> None:
    faults.fail_next_move(group=group(), actor="")
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(3)
    assert pair.states() == (State.FAILED, State.FAILED)
    assert reasons() == {Reason.TAKE_OVER_FAILED}
    assert pair.sessions() == (500, 500)
    assert not Fault.objects.exists()
    actions.request_recover(group=group(), actor="")
    pair.run(3)
    assert pair.states() == (NORMAL, NORMAL)


def test_a_failing_move_waits_for_one_that_moves_somebody(pair: Pair) -> None:
    """A pair that becomes Normal asks for everybody to go home, where everybody is."""
    groups.disable_ha(group=group(), actor="")
    faults.fail_next_move(group=group(), actor="")
    groups.enable_ha(group=group(), actor="")
    pair.run(5)
    assert pair.states() == (NORMAL, NORMAL)
    # Nor does a move that was decided at an older epoch.
    old = MoveRequest(server("imp-sub").pk, MoveKind.TAKE_OVER, -1, group().ha_generation)
    moves.move_sessions(old)
    pair.run(5)
    assert Fault.objects.count() == 1
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(3)
    assert reasons() == {Reason.TAKE_OVER_FAILED}
    assert not Fault.objects.exists()


def test_the_next_move_home_fails_once(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(3)
    faults.fail_next_move(group=group(), actor="")
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="")
    pair.run(3)
    assert pair.states() == (State.FAILED, State.FAILED)
    assert reasons() == {Reason.TAKE_BACK_FAILED}


def test_the_next_start_fails_once(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(3)
    faults.fail_next_start(node=server("imp-pub"), actor="")
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="")
    pair.run(89)
    assert pair.states()[0] == State.TAKING_BACK
    pair.run(5)
    assert pair.states() == (State.FAILED, State.FAILED)
    assert reasons() == {Reason.START_FAILED}
    assert not Fault.objects.exists()


def test_a_publisher_goes_on_without_replication(pair: Pair) -> None:
    pub = server("imp-pub")
    faults.break_replication(node=pub, actor="")
    power.power_off(server=pub, actor="")
    power.power_on(server=pub, actor="")
    pair.run(91)
    assert pair.states()[0] == State.FAILED_OVER_DOWN
    pair.run(int(PUBLISHER_TIMEOUT) - 92)
    assert pair.states()[0] == State.FAILED_OVER_DOWN
    pair.run(3)
    assert pair.states()[0] == State.FAILED_OVER
    assert Fault.objects.count() == 1


def test_a_pause_of_the_observer_is_not_silence_of_a_node(pair: Pair) -> None:
    before = changes()
    faults.pause_observer(seconds=600, actor="ann")
    versions = list(NodeRuntime.objects.order_by("pk").values_list("version", flat=True))
    bus.client().delete(bus.MARK)
    for _ in range(59):
        pair.clock.now += 10
        assert pair.sweep() == 0
    assert list(NodeRuntime.objects.order_by("pk").values_list("version", flat=True)) == versions
    assert bus.sweep_age() is None, "pages say that nobody looks"
    pair.clock.now += 10
    pair.run(75)
    assert changes() == before
    assert pair.states() == (NORMAL, NORMAL)
    assert not Fault.objects.exists()
    # And what really failed is found again.
    power.power_off(server=server("imp-sub"), actor="")
    pair.run(70)
    assert pair.states()[0] == BACKUP


def test_a_quiet_sweep_pays_one_query_with_the_fault_lab_and_none_without(
    pair: Pair, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered: list[object] = []
    monkeypatch.setattr(bus, "deliver", lambda *a: delivered.append(a))

    def cost() -> int:
        pair.run(1)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            pair.sweep()
        return len(queries)

    with_lab = cost()
    assert delivered
    delivered.clear()
    settings.FAULT_LAB = False
    assert cost() == with_lab - 1
    assert not delivered


def test_a_clock_set_back_blinds_nobody(pair: Pair) -> None:
    pair.run(20)
    before = changes()
    pair.clock.now -= 300
    pair.run(10)
    versions = list(NodeRuntime.objects.order_by("pk").values_list("version", flat=True))
    pair.run(16)
    assert versions != list(NodeRuntime.objects.order_by("pk").values_list("version", flat=True))
    assert changes() == before
    power.power_off(server=server("imp-sub"), actor="")
    off_at = pair.clock.now
    pair.run(45)
    assert pair.states()[0] == NORMAL
    pair.run(20)
    assert pair.states()[0] == BACKUP
    assert pair.clock.now - off_at <= 65
