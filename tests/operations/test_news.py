"""What polls ask about SRMs in the place of all memories: counted, and written only when it changes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.models import NodeRuntime, SrmNews
from redundancy.models.runtime import NEVER
from redundancy.operations import news
from redundancy.operations.servers import add_server
from redundancy.selectors.stamp import stamp

pytestmark = pytest.mark.django_db

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def nodes() -> list[int]:
    for name in ("imp-pub", "imp-sub"):
        add_server(name=name, server_type="imp", actor="")
    NodeRuntime.objects.update(late_at=NEVER)
    SrmNews.objects.all().delete()
    return list(NodeRuntime.objects.order_by("pk").values_list("pk", flat=True))


def told() -> tuple[int, int, int]:
    return SrmNews.objects.values_list("looks", "late", "late_nodes").get()


def test_steps_with_news_are_counted(nodes: list[int]) -> None:
    before = stamp()
    news.count_looks(2)
    assert stamp() != before
    news.count_looks(3)
    assert told() == (5, 0, 0)


def test_it_is_noted_which_nodes_hear_nothing_in_time(nodes: list[int]) -> None:
    news.note_late(NOW)
    assert not SrmNews.objects.exists()
    NodeRuntime.objects.filter(pk=nodes[0]).update(late_at=NOW)
    news.note_late(NOW)
    assert not SrmNews.objects.exists(), "at its limit it is not late yet"
    before = stamp()
    news.note_late(NOW + 1)
    assert stamp() != before
    assert told() == (0, 1, nodes[0])
    news.count_looks(1)
    # As many, but another one.
    NodeRuntime.objects.filter(pk=nodes[0]).update(late_at=NEVER)
    NodeRuntime.objects.filter(pk=nodes[1]).update(late_at=NOW)
    before = stamp()
    news.note_late(NOW + 1)
    assert stamp() != before
    assert told() == (1, 1, nodes[1])


def test_what_is_noted_already_is_not_written_again(nodes: list[int]) -> None:
    NodeRuntime.objects.filter(pk=nodes[0]).update(late_at=NOW)
    news.note_late(NOW + 1)
    with CaptureQueriesContext(connection) as asked:
        news.note_late(NOW + 2)
    assert [query["sql"].split()[0] for query in asked] == ["SELECT"]
