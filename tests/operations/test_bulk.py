"""Rows that are inserted together are those that one by one would be."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.models import (
    EventKind,
    HaEvent,
    Incident,
    RedundancyGroup,
    Server,
    SessionMove,
    bulk,
)
from redundancy.operations import events
from redundancy.operations.servers import add_server
from redundancy.srm.words import say

pytestmark = pytest.mark.django_db
# Given to each row by itself.
OWN = {"id", "recorded_at"}


def made(count: int) -> list[HaEvent]:
    node = Server.objects.select_related("group").get()
    made = [
        events.event(
            kind=EventKind.LAB,
            sentence=say("Number {number} of {node}.", number=number, node=node.name),
            node=node if number % 2 else None,
            at=1_800_000_000.25 + number,
            inputs={"number": number},
        )
        for number in range(count)
    ]
    for each in made[::3]:
        each.inputs, each.address = None, "2001:db8::1"
    return made


@pytest.fixture(autouse=True)
def node() -> None:
    add_server(name="imp-pub", server_type="imp", actor="")
    HaEvent.objects.all().delete()


def test_they_are_what_bulk_create_makes_of_them() -> None:
    HaEvent.objects.bulk_create(made(7))
    others = bulk.insert(made(7))
    kept = list(HaEvent.objects.order_by("pk").values())
    for before, after in zip(kept[:7], kept[7:], strict=True):
        assert {k: v for k, v in before.items() if k not in OWN} == {
            k: v for k, v in after.items() if k not in OWN
        }
    assert [row["id"] for row in kept[7:]] == [event.pk for event in others]
    assert all(row["recorded_at"] is not None for row in kept)
    sentence: Any = HaEvent.objects.get(pk=others[3].pk).sentence
    assert sentence.parts[0] == "Number {number} of {node}."
    # Saved again it is the same row.
    others[0].actor = "ann"
    others[0].save()
    assert HaEvent.objects.count() == 14


def test_a_thousand_are_one_statement_and_more_than_a_statement_takes_are_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with CaptureQueriesContext(connection) as seen:
        assert len(bulk.insert(made(1000))) == 1000
    assert sum("INSERT" in query["sql"] for query in seen) == 1
    monkeypatch.setattr(bulk, "MOST_VALUES", 60)
    told = bulk.insert(made(10))
    assert list(HaEvent.objects.order_by("pk").values_list("pk", flat=True))[-10:] == [
        event.pk for event in told
    ]
    assert bulk.insert([]) == []
    assert RedundancyGroup.objects.exists()


def test_what_is_in_the_way_of_another_is_left_out() -> None:
    group = RedundancyGroup.objects.get()

    def incident(event: HaEvent) -> Incident:
        return Incident(
            group=group,
            node_name="imp-pub",
            reason="",
            cause="",
            opened_at=event.at,
            first_event=event,
        )

    one, two = bulk.insert(made(2))
    for event in (one, two):
        bulk.insert([incident(event)], ignore_conflicts=True)
    assert Incident.objects.get().first_event == one


def test_rows_that_have_keys_keep_them() -> None:
    event = bulk.insert(made(1))[0]
    move = SessionMove(
        event=event, at=1.5, epoch=1, first_name="imp-pub", moved=2, lower=3, upper=4
    )
    assert bulk.insert([move]) == [move]
    assert SessionMove.objects.get(pk=event.pk).moved == 2
    # Saved again it is the same row.
    move.save()
    assert SessionMove.objects.count() == 1


def test_what_is_no_json_is_not_stored_as_something_else() -> None:
    event = made(2)[1]
    event.inputs = {"number": object()}
    with pytest.raises(TypeError):
        bulk.insert([event])
