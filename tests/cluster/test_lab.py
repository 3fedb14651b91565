"""The lab as a snapshot: in a number of queries that its size does not change."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.cluster.lab import lab_snapshot
from redundancy.models import Server
from redundancy.selectors.services import services_of
from redundancy.srm.words import english
from tests.bench.population import add_pairs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's states are known, as if a sweep had just run."""
    monkeypatch.setattr("redundancy.selectors.observing.sees", lambda: True)


def test_its_queries_do_not_grow_with_its_nodes() -> None:
    asked = []
    for more in (1, 4):
        add_pairs(more)
        with CaptureQueriesContext(connection) as queries:
            snapshot = lab_snapshot()
        asked.append(len(queries))
    assert len(snapshot.groups) == 5
    assert len(snapshot.nodes) == 10
    assert asked[0] == asked[1]


def test_it_tells_the_nodes_in_the_order_of_their_slots_and_the_services_in_that_of_the_catalogue() -> (
    None
):
    (group,) = add_pairs(1)
    snapshot = lab_snapshot()
    assert snapshot.groups[group.name].nodes == ("imp-00001a", "imp-00001b")
    node = Server.objects.get(name="imp-00001b")
    told = snapshot.nodes[node.name].services
    assert list(told) == [each.name for each in services_of(node)]
    assert english(told["Cisco XCP Router"].text) == "STARTED"
