"""Steps that are stored together."""

import pytest

from redundancy import bus, pulse
from redundancy.live import store
from redundancy.live import sweep as sweeping
from redundancy.live.due import due_nodes, find_due
from redundancy.live.store import store_steps
from redundancy.models import (
    HaEvent,
    Machine,
    MessageKind,
    NodeRuntime,
    NodeService,
    RequestKind,
    SrmMessage,
)
from redundancy.operations import actions, services
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


def test_who_is_to_serve_nobody_is_closed_to_clients_from_that_moment(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.clock.now += 1
    pair.sweep(moving=False)
    assert Machine.objects.get(server__name="imp-pub").logins_stopped_at == pair.clock.now


def test_what_happens_in_one_batch_is_told_whatever_the_others_are_like(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 1)
    # Refused, while the other node beats only.
    SrmMessage.objects.create(node=server("imp-pub"), kind=MessageKind.FALLBACK, actor="ann")
    pair.clock.now += 16
    bus.client().delete(bus.SLOW_LANE)
    told: list[str] = []
    steps = sweeping.sweep(
        pair.wanted.extend, lambda: told.append("minute"), lambda: told.append("changed")
    )
    assert told == ["changed", "minute"]
    tick = pulse.last_sweeps()[-1]
    assert (tick.steps, tick.took > 0) == (steps, True)
    assert steps >= 2
    sweeping.sweep(pair.wanted.extend, lambda: told.append("minute"))
    assert told.count("minute") == 1
