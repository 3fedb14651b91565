"""The sweep in one process: on the real database and the real Valkey, with a clock that is given."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.db.models import Q

from redundancy import bus
from redundancy.errors import Refused
from redundancy.live import sweep as sweeping
from redundancy.live.due import CLOCK_SLACK, find_due
from redundancy.models import (
    EventKind,
    HaEvent,
    Machine,
    MessageKind,
    NodeRuntime,
    NodeService,
    RedundancyGroup,
    RequestKind,
    Server,
    SrmMessage,
)
from redundancy.models.runtime import NEVER
from redundancy.operations import actions, groups, moves, power, services
from redundancy.operations.moves import MoveRequest
from redundancy.srm import sentences
from redundancy.srm.codec import heartbeat_from_json, node_from_json, node_to_json
from redundancy.srm.states import Reason, State
from redundancy.srm.step import step
from redundancy.srm.types import Event, Heard, Heartbeat, MoveKind, Node, Outcome, Policy
from tests.live.pair import ROUTER, Pair, server


def test_a_quiet_pair_is_stepped_only_when_a_heartbeat_is_due(pair: Pair) -> None:
    pair.run(30)
    steps = sum(_advance(pair) for _ in range(30))
    # Two nodes, two heartbeats each in 30 s, and a step to take in each of the peer's.
    assert 4 <= steps <= 10


def _advance(pair: Pair) -> int:
    pair.clock.now += 1
    return pair.sweep()


INTERVAL = 15.0


@pytest.mark.parametrize(
    ("due_in", "found"),
    [
        (-1, True),
        (0, True),
        (0.001, False),
        (INTERVAL, False),
        (INTERVAL + CLOCK_SLACK, False),
        # No step plans so far ahead: the clock was set back.
        (INTERVAL + CLOCK_SLACK + 0.001, True),
        # It waits for nothing.
        (NEVER, False),
    ],
)
def test_who_is_due(pair: Pair, due_in: float, found: bool) -> None:
    now = pair.clock.now
    NodeRuntime.objects.update(due_at=min(now + due_in, NEVER))
    assert len(find_due(Q(), now, set(), INTERVAL)) == (2 if found else 0)


def test_what_came_before_its_start_is_not_heard(pair: Pair) -> None:
    power.stop_srm(server=server("imp-sub"), actor="")
    pair.run(20)
    power.power_off(server=server("imp-pub"), actor="")
    assert bus.read([server("imp-sub").pk])
    power.start_srm(server=server("imp-sub"), actor="")
    pair.run(2)
    assert server("imp-sub").runtime.memory["peer"] is None


def test_a_service_down_for_the_delay_moves_the_sessions_and_not_the_users(pair: Pair) -> None:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    pair.run(89)
    assert pair.states() == ("Normal", "Normal")
    pair.run(2)
    assert pair.states() == (State.FAILED_OVER_DOWN, State.BACKUP)
    assert pair.sessions() == (0, 1000)
    assert Server.objects.get(name="imp-pub").assigned_users.count() == 500


def test_the_peer_is_declared_down_within_two_seconds_of_the_timeout(pair: Pair) -> None:
    pair.run(40)
    power.power_off(server=server("imp-sub"), actor="")
    pub = NodeRuntime.objects.get(server__name="imp-pub")
    heard_at = node_from_json(pub.memory).peer_at
    pair.run(70)
    declared = HaEvent.objects.get(new_state=State.TAKING_OVER)
    assert 60 <= declared.at.timestamp() - heard_at <= 62
    assert pair.sessions() == (1000, 0)


def test_nobody_steps_a_node_whose_ha_is_off(pair: Pair) -> None:
    groups.disable_ha(group=RedundancyGroup.objects.get(), actor="")
    power.power_off(server=server("imp-sub"), actor="")
    before = HaEvent.objects.filter(kind=EventKind.STATE).count()
    assert sum(_advance(pair) for _ in range(120)) == 0
    assert HaEvent.objects.filter(kind=EventKind.STATE).count() == before


def test_a_backlog_and_an_old_start_of_the_peer_are_not_heard(pair: Pair) -> None:
    pub = NodeRuntime.objects.get(server__name="imp-pub")
    known = node_from_json(pub.memory).peer
    assert known is not None
    for stale in (
        replace(known, seq=known.seq - 1, state=State.FAILING_OVER),
        replace(known, incarnation=known.incarnation - 1, seq=999, state=State.FAILING_OVER),
        replace(known, generation=known.generation - 1, seq=999, state=State.FAILED),
    ):
        bus.send({pub.pk: stale})
        pair.run(1)
        assert pair.states() == ("Normal", "Normal")


def test_a_request_of_an_srm_is_not_asked_of_its_successor(pair: Pair) -> None:
    pub = server("imp-pub")
    actions.request_failover(node=pub, serial=None, actor="ann")
    power.restart_srm(server=pub, actor="bob")
    pair.run(30)
    assert pair.states() == ("Normal", "Normal")
    assert not HaEvent.objects.filter(refused=True).exists(), (
        "it was not asked, so it did not refuse"
    )


def test_a_request_after_the_restart_is_asked_of_the_new_srm(pair: Pair) -> None:
    pub = server("imp-pub")
    power.restart_srm(server=pub, actor="bob")
    actions.request_failover(node=pub, serial=None, actor="ann")
    pair.run(1)
    assert HaEvent.objects.get(refused=True).actor == "ann"


def test_a_move_decided_at_an_old_epoch_moves_nobody(pair: Pair) -> None:
    group = RedundancyGroup.objects.get()
    sub = server("imp-sub")
    moves.move_sessions(MoveRequest(sub.pk, MoveKind.TAKE_OVER, group.epoch, group.ha_generation))
    assert pair.sessions() == (0, 1000)
    old = MoveRequest(server("imp-pub").pk, MoveKind.TAKE_OVER, group.epoch, group.ha_generation)
    moves.move_sessions(old)
    assert pair.sessions() == (0, 1000)
    told = SrmMessage.objects.get(node__name="imp-pub")
    assert (told.kind, told.payload["holder"]) == (MessageKind.MOVE_REFUSED, "imp-sub")


def test_a_move_asked_for_twice_moves_once(pair: Pair) -> None:
    group = RedundancyGroup.objects.get()
    sub = server("imp-sub")
    request = MoveRequest(sub.pk, MoveKind.TAKE_OVER, group.epoch, group.ha_generation)
    moves.move_sessions(request)
    moves.move_sessions(request)
    group.refresh_from_db()
    assert group.epoch == request.epoch + 1
    kinds = SrmMessage.objects.filter(node=sub).values_list("kind", flat=True)
    assert set(kinds) == {MessageKind.MOVED}
    assert HaEvent.objects.filter(kind=EventKind.MOVE).count() == 1


def test_a_move_lost_on_its_way_is_asked_for_again(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.clock.now += 1
    pair.sweep(moving=False)
    assert pair.wanted
    pair.wanted.clear()
    assert pair.states() == (State.FAILING_OVER, State.TAKING_OVER)
    pair.run(20)
    assert pair.states() == (State.IDLE, State.BACKUP)
    assert pair.sessions() == (0, 1000)


def test_a_broken_move_leads_to_failed_mode_and_recover_out_of_it(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.clock.now += 1
    pair.sweep(moving=False)
    moves.report_failure(pair.wanted.pop())
    pair.run(2)
    assert pair.states() == (State.FAILED, State.FAILED)
    reasons = set(NodeRuntime.objects.values_list("reason", flat=True))
    assert reasons == {Reason.TAKE_OVER_FAILED}
    services.stop_service(server=server("imp-sub"), name=ROUTER, actor="")
    actions.request_recover(group=RedundancyGroup.objects.get(), actor="admin")
    asked = HaEvent.objects.get(request=RequestKind.RECOVER)
    assert asked.actor == "admin"
    with pytest.raises(Refused, match="already being carried out"):
        actions.request_recover(group=RedundancyGroup.objects.get(), actor="another")
    pair.run(3)
    assert pair.states() == ("Normal", "Normal")
    assert pair.sessions() == (500, 500)
    begun = HaEvent.objects.filter(new_state=State.INITIALIZING, pk__gt=asked.pk)
    assert {(event.sentence, event.actor) for event in begun} == {(sentences.RECOVERED, "admin")}
    assert not NodeService.objects.filter(activated=True, running=False).exists()


def test_a_request_and_its_refusal_are_told_as_facts(pair: Pair) -> None:
    pub = server("imp-pub")
    actions.request_failover(node=pub, serial=None, actor="ann")
    pair.run(2)
    # Offered when it was asked for, and no more when SRM hears it.
    SrmMessage.objects.create(node=pub, kind=MessageKind.FAILOVER, actor="bob")
    pair.run(1)
    asked, refused = HaEvent.objects.exclude(request="").order_by("pk")
    assert (asked.request, asked.refused, asked.node, asked.actor) == (
        RequestKind.FAILOVER,
        False,
        pub,
        "ann",
    )
    assert (refused.request, refused.refused, refused.node, refused.actor) == (
        RequestKind.FAILOVER,
        True,
        pub,
        "bob",
    )
    assert refused.sentence == "Refused: Failover is not offered while imp-pub is Idle."
    assert (refused.kind, refused.at.timestamp()) == (EventKind.ADMIN, pair.clock.now)


def test_a_node_is_stepped_by_the_names_that_it_and_its_peer_have_now(pair: Pair) -> None:
    for name in ("imp-pub", "imp-sub"):
        Server.objects.filter(name=name).update(name=f"new-{name}")
    pair.run(16)
    for name, peer in (("new-imp-pub", "new-imp-sub"), ("new-imp-sub", "new-imp-pub")):
        memory = server(name).runtime.memory
        assert (memory["name"], memory["peer_name"]) == (name, peer)


def test_a_move_asked_for_before_recover_is_not_done_after_it(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.clock.now += 1
    pair.sweep(moving=False)
    late = pair.wanted.pop()
    moves.report_failure(late)
    pair.run(2)
    actions.request_recover(group=RedundancyGroup.objects.get(), actor="")
    recover = RedundancyGroup.objects.get()
    assert (recover.epoch, recover.ha_generation) == (late.epoch, late.generation + 1)
    waiting = set(SrmMessage.objects.values_list("pk", flat=True))
    moves.move_sessions(late)
    moves.report_failure(late)
    assert pair.sessions() == (500, 500)
    assert set(SrmMessage.objects.values_list("pk", flat=True)) == waiting


@pytest.mark.parametrize("failed", ["imp-pub", "imp-sub"])
def test_recover_of_a_group_with_one_failed_node_is_refused(pair: Pair, failed: str) -> None:
    NodeRuntime.objects.filter(server__name=failed).update(state=State.FAILED)
    with pytest.raises(Refused, match="only while both nodes are Running in Failed Mode"):
        actions.request_recover(group=RedundancyGroup.objects.get(), actor="")
    assert not SrmMessage.objects.exists()


def test_one_request_at_a_time_and_only_for_the_state_that_was_confirmed(pair: Pair) -> None:
    pub, sub = server("imp-pub"), server("imp-sub")
    serial = NodeRuntime.objects.get(server=pub).serial
    with pytest.raises(Refused, match="has changed its state"):
        actions.request_failover(node=pub, serial=serial - 1, actor="one")
    actions.request_failover(node=pub, serial=serial, actor="one")
    for again in (pub, sub):
        with pytest.raises(Exception, match="already being carried out"):
            actions.request_failover(node=again, serial=None, actor="two")
    pair.run(2)
    assert pair.states() == (State.IDLE, State.BACKUP)
    with pytest.raises(Exception, match="has changed its state"):
        actions.request_fallback(node=pub, serial=serial, actor="two")


def test_a_request_left_to_an_srm_that_was_restarted_is_not_carried_out(pair: Pair) -> None:
    pub = server("imp-pub")
    actions.request_failover(node=pub, serial=None, actor="")
    power.restart_srm(server=pub, actor="")
    pair.run(5)
    assert pair.states() == ("Normal", "Normal")


def test_a_sweep_without_a_bus_steps_nobody(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(NodeRuntime.objects.values_list("pk", "version"))
    with monkeypatch.context() as patch:
        patch.setattr(settings, "REDIS_URL", "unix:///nowhere/valkey.sock")
        pair.clock.now += 600
        with pytest.raises(bus.BusError):
            pair.sweep()
    assert list(NodeRuntime.objects.values_list("pk", "version")) == before
    pair.run(120)
    assert pair.states() == ("Normal", "Normal")


def test_the_clock_set_back_or_forward_causes_no_failover(pair: Pair) -> None:
    for jump in (300, -300, 3600):
        pair.clock.now += jump
        pair.run(120)
        assert pair.states() == ("Normal", "Normal"), jump


def test_history_folds_to_the_state(pair: Pair) -> None:
    power.power_off(server=server("imp-sub"), actor="")
    pair.run(100)
    power.power_on(server=server("imp-sub"), actor="")
    pair.run(10)
    for runtime in NodeRuntime.objects.select_related("server"):
        changes = HaEvent.objects.filter(node=runtime.server, kind=EventKind.STATE).order_by("pk")
        rows = list(changes.values_list("old_state", "old_reason", "new_state", "new_reason"))
        for before, after in itertools.pairwise(rows):
            assert before[2:] == after[:2]
        assert rows[-1][2:] == (runtime.state, runtime.reason)
        assert all(event.sentence and event.epoch is not None for event in changes)


def test_memory_and_heartbeats_survive_being_stored(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.clock.now += 1
    pair.sweep(moving=False)
    for runtime in NodeRuntime.objects.all():
        node = node_from_json(runtime.memory)
        assert json.loads(json.dumps(node_to_json(node))) == runtime.memory
        assert node.peer is not None
        read = bus.read([runtime.pk])[runtime.pk]
        assert isinstance(read, Heartbeat)
        copy: dict[str, Any] = {**runtime.memory["peer"]}
        assert heartbeat_from_json(copy) == node.peer


def test_a_restarted_node_comes_back_by_itself(pair: Pair) -> None:
    power.reboot(server=server("imp-sub"), actor="")
    pair.run(2)
    assert not Machine.objects.get(server__name="imp-sub").powered
    assert pair.states()[0] == State.BACKUP
    pair.run(int(settings.LAB_REBOOT_SECONDS) + 3)
    assert pair.states() == (State.BACKUP, State.FAILED_OVER)


def test_a_heartbeat_is_heard_once_and_again_by_who_begins_anew(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []

    def counting(node: Node, event: Event, now: float, policy: Policy) -> Outcome:
        if isinstance(event, Heard):
            heard.append(node.name)
        return step(node, event, now, policy)

    pair.run(30)
    monkeypatch.setattr(sweeping, "step", counting)
    pair.run(30)
    assert sorted(heard) == ["imp-pub"] * 2 + ["imp-sub"] * 2
    # Its inbox was written once more, with what it knows.
    sub = NodeRuntime.objects.get(server__name="imp-sub")
    known = node_from_json(sub.memory).peer
    assert known is not None
    heard.clear()
    bus.send({sub.pk: known})
    assert pair.sweep() == 1
    assert heard == []
    SrmMessage.objects.create(node=sub.server, kind=MessageKind.STARTED, payload={"incarnation": 7})
    monkeypatch.setattr(bus, "forget", list)
    pair.sweep()
    assert heard[0] == "imp-sub"


def test_an_inbox_that_nobody_reads_goes_away_by_itself(pair: Pair) -> None:
    pair.run(20)
    for pk in NodeRuntime.objects.values_list("pk", flat=True):
        assert 0 < bus.seconds_left(f"srm:inbox:{pk}") <= bus.INBOX_SECONDS
