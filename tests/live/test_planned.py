"""The planned restart on a pair that is swept: each step waits for what is really the case."""

import pytest

from redundancy.errors import Refused
from redundancy.models import EventKind, HaEvent, PlannedRestart, RedundancyGroup
from redundancy.operations import groups, power, servers, services
from redundancy.planned import writes as planned
from redundancy.planned.reads.restarts import WAIT_SECONDS, Plan, RestartStage, look_at_restart
from tests.live.pair import ROUTER, Pair, server


def plan(record: PlannedRestart) -> Plan:
    return look_at_restart(PlannedRestart.objects.get(pk=record.pk))


def advance(record: PlannedRestart, stage: RestartStage) -> None:
    assert plan(record).act is stage
    planned.advance(record=record, stage=stage, actor="ann")


@pytest.mark.parametrize(("service", "down_for"), [(ROUTER, 0), ("", 120)])
def test_the_whole_routine(pair: Pair, service: str, down_for: int) -> None:
    record = planned.begin(server=server("imp-pub"), service=service, actor="ann")
    assert record.noted == {
        "imp-pub": {"assigned": 500, "active": 500},
        "imp-sub": {"assigned": 500, "active": 500},
    }
    advance(record, RestartStage.DISABLE)
    assert not RedundancyGroup.objects.get().ha_enabled
    pair.run(int(WAIT_SECONDS) - 1)
    waiting = plan(record)
    assert (waiting.stage, waiting.act) == (RestartStage.WAIT, None)
    assert waiting.until == pair.clock.now + 1
    pair.run(1)
    advance(record, RestartStage.RESTART)
    if down_for:
        assert plan(record).stage is RestartStage.UP
        assert plan(record).counts[0].missing == 500
        pair.run(down_for)
    advance(record, RestartStage.COMPARE)
    advance(record, RestartStage.ENABLE)
    assert plan(record).stage is RestartStage.NORMAL
    pair.run(3)
    assert pair.states() == ("Normal", "Normal")
    advance(record, RestartStage.FINISH)
    ended = plan(record)
    assert ended.stage is None
    assert {step.status for step in ended.steps} == {"done"}
    said = HaEvent.objects.filter(kind=EventKind.ADMIN, sentence__startswith="Planned restart of")
    assert list(said.values_list("actor", flat=True)) == ["ann"] * 3
    # Nothing failed over.
    assert not HaEvent.objects.filter(new_state__in=["Taking Over", "Failing Over"]).exists()


def test_a_service_that_does_not_come_back_holds_the_routine(pair: Pair) -> None:
    record = planned.begin(server=server("imp-pub"), service=ROUTER, actor="ann")
    advance(record, RestartStage.DISABLE)
    pair.run(120)
    advance(record, RestartStage.RESTART)
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="bob")
    held = plan(record)
    assert (held.stage, held.act) == (RestartStage.UP, None)
    assert [s.sentence for s in held.steps if s.status == "now"] == [
        "Cisco XCP Router on imp-pub is Stopped."
    ]
    services.start_service(server=server("imp-pub"), name=ROUTER, actor="bob")
    assert plan(record).act is RestartStage.COMPARE


def test_ha_enabled_again_meanwhile_must_be_disabled_again(pair: Pair) -> None:
    record = planned.begin(server=server("imp-pub"), service=ROUTER, actor="ann")
    advance(record, RestartStage.DISABLE)
    pair.run(60)
    groups.enable_ha(group=RedundancyGroup.objects.get(), actor="bob")
    pair.run(80)
    with pytest.raises(Refused, match="at another step now: Disable High Availability"):
        planned.advance(record=record, stage=RestartStage.RESTART, actor="ann")
    advance(record, RestartStage.DISABLE)
    assert plan(record).stage is RestartStage.WAIT


def test_a_step_done_twice_is_done_once(pair: Pair) -> None:
    record = planned.begin(server=server("imp-pub"), service=ROUTER, actor="ann")
    advance(record, RestartStage.DISABLE)
    pair.run(120)
    advance(record, RestartStage.RESTART)
    with pytest.raises(Refused, match="at another step now: Compare"):
        planned.advance(record=record, stage=RestartStage.RESTART, actor="bob")


def test_without_ha_its_steps_are_not_needed(pair: Pair) -> None:
    groups.disable_ha(group=RedundancyGroup.objects.get(), actor="")
    record = planned.begin(server=server("imp-pub"), service=ROUTER, actor="ann")
    for stage in (RestartStage.RESTART, RestartStage.COMPARE, RestartStage.FINISH):
        advance(record, stage)
    assert not RedundancyGroup.objects.get().ha_enabled
    assert [s.stage for s in plan(record).steps if s.status == "not needed"] == [
        RestartStage.DISABLE,
        RestartStage.WAIT,
        RestartStage.ENABLE,
        RestartStage.NORMAL,
    ]


def test_it_can_be_stopped_and_leaves_a_record(pair: Pair) -> None:
    record = planned.begin(server=server("imp-pub"), service="", actor="ann")
    advance(record, RestartStage.DISABLE)
    planned.end_restart(record=record, actor="bob")
    ended = plan(record)
    assert (ended.record.stopped_at_step, ended.record.ended_by) == ("Wait 2 minutes", "bob")
    assert [(s.stage, s.status) for s in ended.steps][1:3] == [
        (RestartStage.DISABLE, "done"),
        (RestartStage.WAIT, "ahead"),
    ]
    with pytest.raises(Refused, match="ended already"):
        planned.end_restart(record=record, actor="bob")
    with pytest.raises(Refused, match="ended already"):
        planned.advance(record=record, stage=RestartStage.RESTART, actor="bob")
    # Another one may begin.
    planned.begin(server=server("imp-pub"), service="", actor="ann")


@pytest.mark.parametrize(
    ("break_it", "service", "rule"),
    [
        (lambda: power.power_off(server=server("imp-pub"), actor=""), "", "not powered on"),
        (
            lambda: services.stop_service(server=server("imp-pub"), name=ROUTER, actor=""),
            ROUTER,
            "is Stopped; only a started service",
        ),
        (
            lambda: planned.begin(server=server("imp-pub"), service="", actor=""),
            ROUTER,
            "under way already",
        ),
        (lambda: None, "Cisco Nonsense", "There is no service 'Cisco Nonsense'"),
    ],
)
def test_what_cannot_be_restarted_is_not_begun(
    pair: Pair, break_it: object, service: str, rule: str
) -> None:
    assert callable(break_it)
    break_it()
    before = PlannedRestart.objects.count()
    with pytest.raises(Refused, match=rule):
        planned.begin(server=server("imp-pub"), service=service, actor="ann")
    assert PlannedRestart.objects.count() == before


def test_a_deleted_server_leaves_a_record_that_can_be_stopped(pair: Pair) -> None:
    added = servers.add_server(name="imp-3", server_type="imp", actor="")
    record = planned.begin(server=added, service="", actor="ann")
    servers.delete_server(server=added, actor="")
    assert plan(record).counts[0].active is None
    with pytest.raises(Refused, match="imp-3 does not exist any more"):
        planned.advance(record=record, stage=RestartStage.RESTART, actor="ann")
    planned.end_restart(record=record, actor="ann")
