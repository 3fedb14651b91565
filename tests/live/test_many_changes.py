"""Many pairs that change at once: their steps are stored in a number of statements that does not grow."""

from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from redundancy import trace_store
from redundancy.drivers import get_driver
from redundancy.models import (
    Fault,
    FaultKind,
    HaEvent,
    Incident,
    Machine,
    MessageKind,
    NodeService,
    RedundancyGroup,
    TracePiece,
)
from redundancy.monitor.audit import audit
from redundancy.srm.states import State
from tests.live.pair import ROUTER, Clock
from tests.live.pairs import INTERVAL, Pairs, nodes

FEW, MANY = 3, 24


def running(groups: Sequence[RedundancyGroup], slot: int, name: str = ROUTER) -> set[bool]:
    """Return whether the service runs on these nodes, without doubles."""
    found = NodeService.objects.filter(server__in=nodes(groups, slot), name=name)
    return set(found.values_list("running", flat=True))


@pytest.fixture
def pairs(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Pairs:
    # Traces are trimmed by chance.
    monkeypatch.setattr(trace_store, "TRIM_BYTES", 1e12)
    return Pairs(clock, FEW + MANY)


def fail_over_and_back(pairs: Pairs, groups: Sequence[RedundancyGroup]) -> list[int]:
    """Failover by hand stops services, and fallback starts them."""
    pairs.ask(groups, MessageKind.FAILOVER, 1)
    counted = pairs.run(INTERVAL)
    assert (pairs.states(groups, 1), pairs.states(groups, 2)) == ({State.IDLE}, {State.BACKUP})
    assert (running(groups, 1), running(groups, 2)) == ({False}, {True})
    pairs.ask(groups, MessageKind.FALLBACK, 1)
    counted += pairs.run(INTERVAL)
    assert (pairs.states(groups, 1), pairs.states(groups, 2)) == ({State.NORMAL}, {State.NORMAL})
    assert running(groups, 1) == {True}
    told = HaEvent.objects.filter(
        group__in=groups, sentence__startswith="SRM started the critical services of"
    )
    assert sorted(told.values_list("node", flat=True)) == [n.pk for n in nodes(groups, 1)]
    assert Incident.objects.filter(group__in=groups, closed_at=None).count() == 0
    return counted


def lose_the_peer_of_an_idle_node(pairs: Pairs, groups: Sequence[RedundancyGroup]) -> list[int]:
    """An idle node whose peer dies starts its services by itself."""
    pairs.ask(groups, MessageKind.FAILOVER, 1)
    counted = pairs.run(INTERVAL)
    machines = Machine.objects.filter(server__in=nodes(groups, 2))
    machines.update(powered=False, srm_running=False)
    counted += pairs.run(6 * INTERVAL)
    assert pairs.states(groups, 1) == {State.BACKUP}
    assert running(groups, 1) == {True}
    return counted


def shut_down(pairs: Pairs, groups: Sequence[RedundancyGroup]) -> list[int]:
    """A node goes down when its SRM has told its peer."""
    pairs.ask(groups, MessageKind.SHUTDOWN, 1)
    counted = pairs.run(INTERVAL)
    assert pairs.states(groups, 2) == {State.BACKUP}
    machines = Machine.objects.filter(server__in=nodes(groups, 1))
    assert set(machines.values_list("powered", "srm_running", "boots_at")) == {(False, False, None)}
    assert running(groups, 1) == {False}
    told = HaEvent.objects.filter(group__in=groups, sentence__english__endswith=" was shut down.")
    assert sorted(told.values_list("node", flat=True)) == [n.pk for n in nodes(groups, 1)]
    return counted


@pytest.mark.parametrize("story", [fail_over_and_back, lose_the_peer_of_an_idle_node, shut_down])
def test_statements_do_not_grow_with_the_pairs_that_change(
    pairs: Pairs, story: Callable[[Pairs, Sequence[RedundancyGroup]], list[int]]
) -> None:
    few = story(pairs, pairs.groups[:FEW])
    many = story(pairs, pairs.groups[FEW:])
    assert max(few) == max(many), (few, many)
    assert not audit()


def test_a_start_that_fails_harms_no_other_of_the_same_sweep(
    pairs: Pairs, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    some = pairs.groups[:FEW]
    pairs.ask(some, MessageKind.FAILOVER, 1)
    pairs.run(INTERVAL)
    failing = nodes(some, 1)[0]
    Fault.objects.create(kind=FaultKind.START, node=failing)
    pairs.ask(some, MessageKind.FALLBACK, 1)
    pairs.run(2)
    assert running(some[:1], 1) == {False}
    assert running(some[1:], 1) == {True}
    assert not Fault.objects.exists()
    told = HaEvent.objects.filter(sentence__startswith="On ").get()
    assert (told.node, told.sentence.split(":")[0]) == (failing, f"On {failing} did not start")


def test_what_a_node_is_not_asked_for_is_left_to_the_other(pairs: Pairs) -> None:
    first, second = nodes(pairs.groups[:2], 1)
    get_driver().stop({first.pk: [ROUTER], second.pk: ["Cisco Presence Engine"]})
    assert running(pairs.groups[:1], 1) == {False}
    assert running(pairs.groups[:1], 1, "Cisco Presence Engine") == {True}
    assert running(pairs.groups[1:2], 1) == {True}
    assert running(pairs.groups[1:2], 1, "Cisco Presence Engine") == {False}


def test_a_node_without_power_keeps_no_other_from_starting(pairs: Pairs) -> None:
    first, second = nodes(pairs.groups[:2], 1)
    get_driver().stop({first.pk: [ROUTER], second.pk: [ROUTER]})
    Machine.objects.filter(server=first).update(powered=False)
    get_driver().start({first.pk: [ROUTER], second.pk: [ROUTER]})
    assert (running(pairs.groups[:1], 1), running(pairs.groups[1:2], 1)) == ({False}, {True})


def test_traces_of_many_nodes_are_trimmed_in_one_statement(
    pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    TracePiece.objects.all().delete()
    of_all = [node.pk for node in nodes(pairs.groups, 1)]
    for number in range(4):
        trace_store.append({pk: [f"line {number}"] for pk in of_all})
    monkeypatch.setattr(trace_store, "KEPT_BYTES", 14)
    monkeypatch.setattr(trace_store, "TRIM_BYTES", 0)
    few, many = of_all[:FEW], of_all[FEW:]
    numbers = []
    for some in (few, many):
        with CaptureQueriesContext(connection) as seen:
            trace_store.append({pk: ["line 4"] for pk in some})
        numbers.append(len(seen))
    assert numbers[0] == numbers[1], numbers
    assert {tuple(trace_store.read(pk)) for pk in of_all} == {("line 3", "line 4")}
