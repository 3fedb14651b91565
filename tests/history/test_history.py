"""The HA event history: filters, pages, export, addresses."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from redundancy.history.reads import events as history
from redundancy.history.reads.events import Page, Place, Wanted
from redundancy.models import EventKind, HaEvent, RedundancyGroup, Server
from redundancy.operations.groups import delete_group, edit_group, enable_ha
from redundancy.operations.servers import add_server
from redundancy.srm.inputs import inputs_of
from redundancy.srm.types import Node, Policy, Reading
from redundancy.views.exports import cell
from tests.history.conftest import BEGAN, Tell
from tests.pages.html import rows, soup, status

LIST = reverse("event_history")


def shown(client: Client, **query: str) -> list[str]:
    """The sentences on the page."""
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return [row[4] for row in rows(answer) if len(row) > 1]


def sentences(page: Page) -> list[str]:
    return [event.sentence for event in page.events]


@pytest.fixture
def told(tell: Tell, sub: Server) -> None:
    sub.refresh_from_db()
    tell("imp-pub is Normal.", new_state="Normal", new_reason="Normal")
    tell("imp-sub is away.", node=sub, new_state="Running in Backup Mode", new_reason="Peer Down")
    tell("5 sessions moved to imp-pub.", EventKind.MOVE)
    tell("Failover was requested.", EventKind.ADMIN, actor="ann")
    tell("Heartbeat interval changed.", EventKind.PARAMETER, node=None, actor="bob")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"group": "DefaultCUPSubCluster"}, [3, 2, 1, 0]),
        ({"group": "defaultcupsubcluster", "node": "imp-sub"}, [1]),
        ({"group": "elsewhere"}, []),
        ({"node": "imp-pub"}, [3, 2, 0]),
        ({"kind": "state"}, [1, 0]),
        ({"kind": "state", "node": "imp-pub"}, [0]),
        ({"since": "2027-01-15T08:00:02"}, [4, 3, 2]),
        ({"until": "2027-01-15 08:00:01"}, [1, 0]),
        ({"since": "2027-01-15T08:00:01", "until": "2027-01-15T08:00:02"}, [2, 1]),
        ({"since": "2027-01-16"}, []),
        ({"find": "SESSIONS moved"}, [2]),
        ({"find": "Backup"}, [1]),
        ({"find": "bob"}, [4]),
        ({"find": "100%"}, []),
    ],
)
def test_filters(told: None, page: Client, query: dict[str, str], expected: list[int]) -> None:
    every = list(HaEvent.objects.order_by("pk").values_list("sentence", flat=True))
    found = shown(page, **query)
    assert [row.split(": ")[-1] for row in found] == [every[i] for i in expected]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"since": "yesterday"}, "From (lab time): give a date and a time"),
        ({"since": "2027-01-02", "until": "2027-01-01"}, "To must not be before From."),
        ({"kind": "gossip"}, "Kind: choose one of the list."),
        ({"find": "a\0b"}, "Text must not contain null characters."),
    ],
)
def test_a_filter_that_makes_no_sense_names_its_field(
    told: None, page: Client, query: dict[str, str], error: str
) -> None:
    answer = page.get(LIST, query)
    assert answer.status_code == 400
    assert error in status(answer)


@pytest.mark.parametrize("query", ["before=x", "after=1-", "before=1-²", "export=xml"])
def test_an_address_made_up_is_refused(told: None, page: Client, query: str) -> None:
    assert page.get(f"{LIST}?{query}").status_code == 400


def test_pages_follow_each_other_whatever_is_added_meanwhile(tell: Tell) -> None:
    # Two by two at one moment: the key decides.
    for number in range(9):
        tell(str(number), at=BEGAN + number // 2)
    first = history.events_page(Wanted(), rows=4)
    assert sentences(first) == ["8", "7", "6", "5"]
    assert first.newer is None
    tell("later")
    second = history.events_page(Wanted(), before=first.older, rows=4)
    assert sentences(second) == ["4", "3", "2", "1"]
    last = history.events_page(Wanted(), before=second.older, rows=4)
    assert sentences(last) == ["0"]
    assert last.older is None
    back = history.events_page(Wanted(), after=last.newer, rows=4)
    assert sentences(back) == sentences(second)
    assert sentences(history.events_page(Wanted(), after=back.newer, rows=4)) == [
        "8",
        "7",
        "6",
        "5",
    ]


def test_an_address_tells_a_place_to_the_microsecond() -> None:
    moment = datetime(2027, 1, 15, 8, 0, 0, 1, tzinfo=UTC)
    assert str(Place(moment, 7)) == "1800000000000001-7"
    assert Place.parse("1800000000000001-7") == Place(moment, 7)


def test_both_ends_of_a_span_belong_to_it(tell: Tell) -> None:
    at = tell("one").at
    assert sentences(history.events_page(Wanted(since=at, until=at))) == ["one"]


def test_a_page_that_holds_the_last_ones_leads_no_further(tell: Tell) -> None:
    places = [Place.of(tell(str(number))) for number in range(4)]
    whole = history.events_page(Wanted(), rows=4)
    assert (sentences(whole), whole.older) == (["3", "2", "1", "0"], None)
    newer = history.events_page(Wanted(), after=places[1], rows=2)
    assert (sentences(newer), newer.older, newer.newer) == (["3", "2"], places[2], None)
    # Beyond the newest there is nothing: the newest page it is.
    assert history.events_page(Wanted(), after=places[3], rows=4) == whole


def test_a_text_is_found_at_the_very_end_of_what_is_looked_through(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SCAN", 2)
    # All at one moment: the key alone says which ones are looked through.
    events = [tell(text, at=BEGAN) for text in ("rare 0", "rare 1", "c", "d", "rare 2", "rare 3")]
    wanted = Wanted(text="rare")
    whole = history.events_page(wanted, rows=2)
    assert (sentences(whole), whole.older) == (["rare 3", "rare 2"], Place.of(events[4]))
    assert whole.searched == events[4].at
    nothing = history.events_page(wanted, before=whole.older, rows=2)
    assert (nothing.events, nothing.older) == ((), Place.of(events[2]))
    older = history.events_page(wanted, before=nothing.older, rows=2)
    # Nothing is left to look through: the next page would be empty, and says so.
    assert (sentences(older), older.older) == (["rare 1", "rare 0"], Place.of(events[0]))
    assert history.events_page(wanted, before=older.older, rows=2) == Page(())
    nothing = history.events_page(wanted, after=Place.of(events[1]), rows=2)
    assert (nothing.events, nothing.newer) == ((), Place.of(events[3]))
    newer = history.events_page(wanted, after=nothing.newer, rows=2)
    assert (sentences(newer), newer.newer) == (["rare 3", "rare 2"], Place.of(events[5]))


def test_links_keep_the_filter(tell: Tell, page: Client) -> None:
    for number in range(120):
        tell(f"a & b {number}")
    tell("other")
    query = {"find": "a & b", "kind": "state"}
    first = page.get(LIST, query)
    older = soup(first).select_one(".pager a")
    assert older is not None
    assert older.text == "Older"
    second = page.get(LIST + str(older["href"]))
    assert [row[4] for row in rows(second)] == [f"a & b {n}" for n in range(69, 19, -1)]
    labels = [tag.text for tag in soup(second).select(".pager a")]
    assert labels == ["Newest", "Newer", "Older"]
    newest = soup(second).select_one(".pager a")
    assert newest is not None
    assert newest["href"] == "?" + urlencode({"kind": "state", "find": "a & b"})


def test_text_is_looked_for_in_so_many_events_at_a_time(
    tell: Tell, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SCAN", 3)
    for sentence in ("rare 1", "b", "c", "rare 2", "e", "f", "g", "h"):
        tell(sentence)
    first = page.get(LIST, {"find": "rare"})
    assert rows(first) == [["No events found."]]
    assert "looked for back to 2027-01-15 08:00:05" in soup(first).get_text(" ")
    seen, place = [], None
    for _ in range(5):
        part = history.events_page(Wanted(text="rare"), before=place)
        seen += sentences(part)
        place = part.older
        if place is None:
            break
    assert seen == ["rare 2", "rare 1"]
    assert [event.sentence for event in history.everything(Wanted(text="rare"))] == seen


def test_a_page_takes_the_same_few_queries_and_counts_nothing(
    tell: Tell, page: Client, django_assert_num_queries: Any
) -> None:
    for number in range(130):
        tell(f"event {number}", kind=EventKind.ADMIN if number % 2 else EventKind.STATE)
    for query in ({}, {"find": "event"}, {"before": str(Place.of(HaEvent.objects.all()[60]))}):
        page.get(LIST, query)
        with django_assert_num_queries(2 + ("find" in query)) as taken:
            history.events_page(Wanted(group="DefaultCUPSubCluster", text=query.get("find", "")))
        assert not any("COUNT(" in each["sql"] for each in taken.captured_queries)


def exported(client: Client, kind: str, **query: str) -> str:
    answer = client.get(LIST, {"export": kind, **query})
    assert isinstance(answer, StreamingHttpResponse)
    assert "attachment" in answer["Content-Disposition"]
    return answer.getvalue().decode()


def test_exports_hold_what_the_filter_lets_through(
    told: None, page: Client, read_only: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CHUNK", 2)
    lines = list(csv.DictReader(StringIO(exported(page, "csv", node="imp-pub"))))
    assert [line["sentence"] for line in lines] == [
        "Failover was requested.",
        "5 sessions moved to imp-pub.",
        "imp-pub is Normal.",
    ]
    assert lines[0]["actor"] == "ann"
    assert lines[0]["lab_time"] == "2027-01-15T08:00:03+00:00"
    objects = json.loads(exported(read_only, "json", find="imp-pub"))
    assert [each["id"] for each in objects] == list(
        HaEvent.objects.filter(sentence__contains="imp-pub").values_list("pk", flat=True)
    )
    assert json.loads(exported(page, "json", node="nobody")) == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-", "'-"),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("plain", "plain"),
        (None, ""),
        (3, "3"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_no_cell_is_a_formula(value: object, written: str) -> None:
    assert cell(value) == written


def test_the_history_outlives_what_it_is_about(pair: RedundancyGroup, page: Client) -> None:
    alone = edit_group(
        group=pair,
        name="Old",
        description="",
        first=pair.servers.get(slot=1),
        second=None,
        actor="",
    )
    third = add_server(name="imp-3", server_type="imp", actor="")
    gone = edit_group(
        group=pair,
        name="New",
        description="",
        first=pair.servers.get(slot=1),
        second=None,
        actor="",
    )
    assert alone.pk == gone.pk
    assert shown(page, node=third.name)
    # Under its new name, what happened under the old one, too.
    assert shown(page, group="New") == shown(page, group="new")
    assert not shown(page, group="DefaultCUPSubCluster")
    pub = pair.servers.get(slot=1)
    pub.group = None
    pub.slot = None
    pub.save()
    delete_group(group=gone, actor="")
    assert "Presence redundancy group New was deleted." in shown(page, group="New")


def test_an_event_has_an_address_of_its_own(told: None, page: Client) -> None:
    event = HaEvent.objects.get(actor="ann")
    down = Reading("Cisco XCP Router", False, BEGAN)
    node = Node("imp-pub", "imp-sub", first=True, services=(down,), listening_since=BEGAN)
    event.inputs = inputs_of(node, BEGAN + 90, Policy())
    event.save()
    answer = page.get(reverse("event", args=[event.pk]))
    text = " ".join(soup(answer).get_text(" ").split())
    assert "Failover was requested." in text
    assert "Cisco XCP Router since 2027-01-15 08:00:00" in text
    assert "Last heartbeat of the peer none since 2027-01-15 08:00:00 (90.0 s)" in text
    assert page.get(reverse("event", args=[event.pk + 100])).status_code == 404


def test_a_change_is_kept_with_the_address_it_came_from(
    page: Client, pair: RedundancyGroup
) -> None:
    url = reverse("group_edit", args=[pair.pk])
    first, second = pair.servers.order_by("slot")
    data = {"name": pair.name, "first": first.pk, "second": second.pk, "ha_enabled": "on"}
    data["confirmed"] = "1"  # No sweep runs here, as the preflight says.
    page.post(url, data, REMOTE_ADDR="192.0.2.7")
    event = HaEvent.objects.get(sentence__contains="was enabled")
    assert (event.actor, event.address) == ("ccmadmin", "192.0.2.7")
    assert "192.0.2.7" in page.get(LIST, {"find": "was enabled"}).content.decode()


def test_what_comes_from_no_request_has_no_address(pair: RedundancyGroup) -> None:
    enable_ha(group=pair, actor="cli")
    assert not HaEvent.objects.exclude(address=None).exists()


def test_the_group_page_leads_to_its_history(
    page: Client, told: None, group: RedundancyGroup
) -> None:
    answer = page.get(reverse("group_edit", args=[group.pk]))
    link = soup(answer).find("a", string="History")
    assert link is not None
    assert len(shown(page, group=group.name)) == 4
    assert link["href"] == f"{LIST}?group={group.name}"
