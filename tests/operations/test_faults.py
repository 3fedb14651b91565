"""Faults that a move or a start uses up: each only its own, and a pause that is over."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from redundancy.models import EventKind, Fault, FaultKind, HaEvent
from redundancy.models.fault import HELD
from redundancy.operations import faults
from tests.operations.pairs import BEGIN, group, make_pairs, node

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pairs(settings: Settings) -> None:
    settings.FAULT_LAB = True
    make_pairs()


def put(kind: FaultKind, **facts: Any) -> Fault:
    return Fault.objects.create(kind=kind, **facts)


def used_up() -> HaEvent:
    return HaEvent.objects.get(sentence__startswith="Fault used up: ")


def test_a_move_uses_up_the_one_of_its_group() -> None:
    others = [
        put(FaultKind.MOVE, group=group("b"), amount=0),
        put(FaultKind.START, node=node("a1")),
        put(FaultKind.LOSS, group=group("a"), amount=0),
    ]
    assert not faults.take_moves([group("a").pk])
    fault = put(FaultKind.MOVE, group=group("a"), amount=0)
    assert faults.take_moves([group("a").pk])
    assert not faults.take_moves([group("a").pk])
    assert set(Fault.objects.all()) == set(others)
    event = used_up()
    assert event.sentence == f"Fault used up: {fault.sentence}"
    assert (event.kind, event.group, event.node, event.actor) == (
        EventKind.LAB,
        group("a"),
        None,
        "",
    )


def test_moves_that_are_held_are_not_used_up() -> None:
    put(FaultKind.MOVE, group=group("b"), amount=HELD)
    put(FaultKind.LOSS, group=group("a"), amount=HELD)
    assert not faults.held_moves([group("a").pk])
    put(FaultKind.MOVE, group=group("a"), amount=HELD)
    assert faults.held_moves([group("a").pk])
    assert not faults.take_moves([group("a").pk])
    assert faults.held_moves([group("a").pk])


def test_a_start_uses_up_the_one_of_its_node() -> None:
    put(FaultKind.START, node=node("a2"))
    put(FaultKind.REPLICATION, node=node("a1"))
    assert not faults.take_start(node("a1"))
    put(FaultKind.START, node=node("a1"))
    assert faults.take_start(node("a1"))
    assert not faults.take_start(node("a1"))
    assert (used_up().node, used_up().group) == (node("a1"), group("a"))
    assert Fault.objects.count() == 2


def test_without_the_fault_lab_none_takes_effect(settings: Settings) -> None:
    settings.FAULT_LAB = False
    put(FaultKind.MOVE, group=group("a"), amount=0)
    put(FaultKind.MOVE, group=group("b"), amount=HELD)
    put(FaultKind.START, node=node("a1"))
    assert not faults.take_moves([group("a").pk])
    assert not faults.held_moves([group("b").pk])
    assert not faults.take_start(node("a1"))
    assert Fault.objects.count() == 3


def test_a_pause_ends_when_it_is_over_and_nothing_else_does() -> None:
    other = put(FaultKind.MOVE, group=group("a"), amount=0)
    pause = put(FaultKind.PAUSE, amount=BEGIN + 10)
    faults.end_pause(now=BEGIN + 9.9)
    assert set(Fault.objects.all()) == {other, pause}
    faults.end_pause(now=BEGIN + 10)
    assert set(Fault.objects.all()) == {other}
