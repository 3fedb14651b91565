"""A changed parameter reaches each SRM at its next step, on the real database and bus."""

from collections.abc import Sequence
from typing import Any

import pytest

from redundancy.live import sweep as sweeping
from redundancy.live.due import due_nodes
from redundancy.models import NodeRuntime
from redundancy.operations import power, services
from redundancy.parameters.writes.parameters import set_parameter
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import State
from tests.live.pair import ROUTER, Pair, server


def put(key: str, value: object) -> None:
    set_parameter(key=key, value=str(value), actor="ann")


def policies() -> set[float]:
    """The Critical Service Delay that each SRM goes by."""
    memories = NodeRuntime.objects.values_list("memory", flat=True)
    nodes = [node_from_json(memory) for memory in memories]
    return {node.policy.critical_service_delay for node in nodes if node.policy}


def test_every_srm_goes_by_the_new_value_at_the_next_sweep(pair: Pair) -> None:
    pair.run(30)
    put("critical_service_delay", 30)
    pair.sweep()
    assert policies() == {30}


@pytest.mark.parametrize("before", [True, False])
def test_a_change_in_the_middle_of_a_sweep_is_not_slept_over(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """Just before the sweep reads the memories, or just after."""
    pair.run(30)
    changes = iter([30])

    def overtaken(due: Sequence[Any]) -> Any:
        if before:
            change()
        found = list(due_nodes(due))
        change()
        return found

    def change() -> None:
        for value in changes:
            put("critical_service_delay", value)

    put("critical_service_delay", 60)
    monkeypatch.setattr(sweeping, "due_nodes", overtaken)
    pair.sweep()
    monkeypatch.undo()
    if not before:
        pair.sweep()
    assert policies() == {30}


def test_a_lowered_delay_fails_nobody_over_before_it_has_passed(pair: Pair) -> None:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    pair.run(60)
    put("critical_service_delay", 15)
    pair.run(14)
    assert pair.states() == (State.NORMAL, State.NORMAL)
    pair.run(2)
    assert pair.states() == (State.FAILED_OVER_DOWN, State.BACKUP)


def test_a_lowered_timeout_declares_nobody_down_before_it_has_passed(pair: Pair) -> None:
    put("initialization_timeout", 300)
    put("heartbeat_timeout", 120)
    pair.run(30)
    power.power_off(server=server("imp-sub"), actor="")
    pair.run(60)
    put("heartbeat_timeout", 30)
    pair.run(29)
    assert pair.states()[0] == State.NORMAL
    pair.run(3)
    assert pair.states()[0] == State.BACKUP
