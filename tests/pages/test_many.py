"""Pages of many groups ask no more often than those of few, and read of the others what it takes to rank them."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from redundancy.clock import lab_now
from redundancy.models import NodeRuntime, RedundancyGroup, Server
from redundancy.pages import overview
from redundancy.srm.codec import node_to_json
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Heartbeat, Node, Reading
from tests.bench.population import add_pairs
from tests.pages.conftest import admin, page, read_only, reader, swept

__all__ = ["admin", "page", "read_only", "reader", "swept"]

FEW, MANY = 10, 200
NORMAL = (State.NORMAL, Reason.NORMAL)


def healthy(number: int) -> None:
    """Let there be so many pairs whose nodes are Normal and hear each other."""
    add_pairs(number - RedundancyGroup.objects.count())
    RedundancyGroup.objects.update(ha_enabled=True, ha_generation=1)
    now = lab_now()
    memory = Node(
        "one",
        "two",
        first=True,
        state=State.NORMAL,
        reason=Reason.NORMAL,
        generation=1,
        peer=Heartbeat("two", 1, 1, 1, *NORMAL, 0, healthy=True, hears=True),
        peer_at=now,
        services=(Reading("Cisco XCP Router", up=True, since=now),),
    )
    NodeRuntime.objects.update(
        memory=node_to_json(memory), state=State.NORMAL, reason=Reason.NORMAL
    )


def statements(look: Callable[[], object]) -> list[str]:
    look()
    with CaptureQueriesContext(connection) as asked:
        look()
    return [each["sql"] for each in asked]


PAGES: dict[str, Callable[[], str]] = {
    "topology": lambda: reverse("topology"),
    "compact grid": lambda: reverse("topology") + "?view=grid",
    "map": lambda: reverse("topology") + "?view=map&page=2",
    "one group of the topology": lambda: reverse("topology") + "?name=Group-00003",
    "groups": lambda: reverse("group_list"),
    "a group": lambda: reverse("group_edit", args=[RedundancyGroup.objects.order_by("pk")[2].pk]),
    "a node": lambda: reverse("node_details", args=[Server.objects.order_by("pk")[2].pk]),
    "beat monitor": lambda: reverse("beat_monitor"),
}


@pytest.mark.parametrize("name", PAGES)
def test_many_groups_take_as_many_statements_as_few(page: Client, swept: None, name: str) -> None:
    taken = []
    for number in (FEW, MANY):
        healthy(number)
        url = PAGES[name]()
        assert page.get(url).status_code == 200
        taken.append(len(statements(partial(page.get, url))))
    assert taken[0] == taken[1], taken


def test_the_overview_takes_as_many_statements_for_many_groups(db: None) -> None:
    healthy(FEW)
    few = statements(lambda: overview.look(seeing=True))
    healthy(MANY)
    assert len(statements(lambda: overview.look(seeing=True))) == len(few)


@pytest.mark.parametrize("name", ["topology", "beat monitor"])
def test_no_memory_is_read_of_nodes_that_are_not_shown(
    read_only: Client, swept: None, name: str
) -> None:
    healthy(MANY)
    asked = statements(lambda: read_only.get(PAGES[name]()))
    assert not [sql for sql in asked if '"memory"' in sql]


def test_what_needs_somebody_is_seen_among_many(page: Client, swept: None) -> None:
    healthy(MANY)
    group = RedundancyGroup.objects.get(name=f"Group-{MANY - 1:05}")
    first, second = NodeRuntime.objects.filter(server__group=group).order_by("pk")
    first.memory["services"][0]["up"] = False
    NodeRuntime.objects.filter(pk=first.pk).update(memory=first.memory)
    second.memory["peer_at"] -= 45
    NodeRuntime.objects.filter(pk=second.pk).update(memory=second.memory)
    shown = page.get(reverse("topology")).content.decode()
    attention = shown.partition("Needs attention (1)")[2].partition("<fieldset")[0]
    assert group.name in attention
    assert "Heartbeat: Late" in " ".join(attention.split())
