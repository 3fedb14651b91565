"""Steps that are stored together."""

import pytest

from redundancy.live import store
from redundancy.live import sweep as sweeping
from redundancy.live.due import due_nodes, find_due
from redundancy.live.store import store_steps
from redundancy.models import (
    HaEvent,
    MessageKind,
    NodeRuntime,
    NodeService,
    RequestKind,
    SrmMessage,
)
from redundancy.operations import services
from redundancy.srm.types import Policy
from tests.live.pair import ROUTER, Pair, server


def test_a_step_that_was_overtaken_stores_nothing(pair: Pair) -> None:
    """Two sweeps at once: the second finds another version and gives up, with its events."""
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    pair.run(89)
    pair.clock.now += 2
    mail = {server("imp-sub").pk}
    found = due_nodes(find_due(sweeping.TOGETHER, pair.clock.now, mail, interval=15))
    steps = [step for one in found if (step := sweeping.take(one, pair.clock.now, Policy()))]
    assert [step.situation.stored.name for step in steps] == ["imp-pub", "imp-sub"]
    assert not steps[0].is_quiet
    NodeRuntime.poke(steps[0].key)
    before = HaEvent.objects.filter(node=steps[0].key).count()
    stored = NodeRuntime.objects.get(pk=steps[0].key)
    # The other node's step of the same batch is stored all the same.
    assert store_steps(steps) == steps[1:]
    assert HaEvent.objects.filter(node=steps[0].key).count() == before
    assert NodeRuntime.objects.get(pk=steps[0].key).memory == stored.memory


def test_a_step_that_cannot_be_stored_holds_up_no_other(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.clock.now += 16
    found = due_nodes(find_due(sweeping.TOGETHER, pair.clock.now, set(), interval=15))
    steps = [step for one in found if (step := sweeping.take(one, pair.clock.now, Policy()))]
    assert len(steps) == 2
    write = store._write

    def broken(some: list[store.TakenStep]) -> list[store.TakenStep]:
        if steps[0] in some:
            raise ValueError("broken")
        return write(some)

    monkeypatch.setattr(store, "_write", broken)
    assert store_steps(steps) == steps[1:]


def test_orders_are_carried_out_whatever_another_node_has_none_of(pair: Pair) -> None:
    # The first node refuses, and orders nothing.
    for name, kind in (("imp-pub", MessageKind.FALLBACK), ("imp-sub", MessageKind.FAILOVER)):
        SrmMessage.objects.create(node=server(name), kind=kind, actor="ann")
    pair.clock.now += 1
    pair.sweep(moving=False)
    assert HaEvent.objects.get(refused=True).request == RequestKind.FALLBACK
    assert not NodeService.objects.get(server__name="imp-sub", name=ROUTER).running
    assert NodeService.objects.get(server__name="imp-pub", name=ROUTER).running
