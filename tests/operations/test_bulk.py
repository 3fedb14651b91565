"""Rows that are inserted together are those that one by one would be."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.models import EventKind, HaEvent, RedundancyGroup, Server, bulk
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
        each.inputs = None
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
