"""The timeline of a group: content, places, page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.clock import lab_datetime
from redundancy.history.reads import timeline as selector
from redundancy.history.timeline.layout import (
    DAY,
    HOUR,
    LEFT,
    RIGHT,
    THIN,
    WEEK,
    WIDTH,
    Picture,
    draw_timeline,
)
from redundancy.history.timeline.model import Timeline, build_timeline
from redundancy.history.views import timeline as views
from redundancy.models import EventKind, HaEvent, Incident, RedundancyGroup, Server
from redundancy.operations import events
from redundancy.selectors.wording import TONES
from redundancy.srm.states import NOT_RESPONDING, State
from tests.history.conftest import BEGAN, Tell
from tests.labtime import stand_at
from tests.pages.html import rows, soup, words

NODES = ("imp-pub", "imp-sub")


def change(pk: int, at: float, state: str, node: str = "imp-pub", reason: str = "") -> HaEvent:
    return HaEvent(
        pk=pk,
        at=lab_datetime(at),
        kind=EventKind.STATE,
        node_name=node,
        new_state=state,
        new_reason=reason or state,
        sentence=f"because {pk}",
    )


def mark(pk: int, at: float, kind: EventKind = EventKind.ADMIN, node: str = "imp-pub") -> HaEvent:
    return HaEvent(
        pk=pk, at=lab_datetime(at), kind=kind, node_name=node, sentence=f"did {pk}", actor="ann"
    )


def made(
    *events: HaEvent,
    before: dict[str, list[HaEvent]] | None = None,
    end: float = HOUR,
    now: float = HOUR,
    **more: Any,
) -> Timeline:
    return build_timeline(
        begin=0,
        end=end,
        now=now,
        nodes=NODES,
        before=before or {},
        events=sorted(events, key=lambda event: (event.at, event.pk)),
        tones={state.value: tone for state, tone in TONES.items()},
        **more,
    )


def test_a_state_lasts_until_the_next_one() -> None:
    line = made(
        change(2, 100, "Failing Over", reason="Critical Service Down"),
        change(3, 130, "Idle"),
        before={"imp-pub": [change(1, -50, "Normal")]},
        now=1000,
    )
    spans = line.lanes[0].spans
    assert [(s.begin, s.end, s.since, s.lasts, s.state) for s in spans] == [
        (0, 100, -50, False, "Normal"),
        (100, 130, 100, False, "Failing Over"),
        (130, 1000, 130, True, "Idle"),
    ]
    assert spans[0].label == "Normal, for 2 min 30 s. because 1"
    assert spans[1].label == "Failing Over, Critical Service Down, for 30 s. because 2"
    assert spans[2].label == "Idle. because 3"
    assert line.lanes[1].spans == ()


def test_events_stand_on_the_lane_of_their_node_or_of_the_group() -> None:
    line = made(mark(1, 5), mark(2, 6, EventKind.MOVE, ""), mark(3, 7, node="imp-old"))
    assert [lane.name for lane in line.lanes] == ["imp-pub", "imp-sub", "imp-old", ""]
    assert line.lanes[0].marks[0].label == "Administrator's action: did 1 By ann."
    assert [lane.marks[0].event for lane in (line.lanes[2], line.lanes[3])] == [3, 2]


def power(pk: int, at: float, *, reports: bool, node: str = "imp-pub") -> HaEvent:
    event = mark(pk, at, EventKind.LAB, node)
    event.inputs = {"reports": reports}
    return event


def started(pk: int, at: float, state: str) -> HaEvent:
    """A change of state that is the first thing an SRM does."""
    event = change(pk, at, state)
    event.inputs = {"srm_since": at}
    return event


def shown(line: Timeline) -> list[tuple[float, float, str, int]]:
    return [(s.begin, s.end, s.state, s.event) for s in line.lanes[0].spans]


def test_a_node_does_not_respond_from_its_end_until_its_srm_has_said_something() -> None:
    line = made(
        power(2, 100, reports=False),
        # Already silent: nothing changes.
        power(3, 150, reports=False),
        power(4, 600, reports=True),
        started(5, 601, "Initializing"),
        change(6, 610, "Normal"),
        before={"imp-pub": [change(1, -50, "Normal")]},
        now=1000,
    )
    assert shown(line) == [
        (0, 100, "Normal", 1),
        (100, 601, NOT_RESPONDING, 2),
        (601, 610, "Initializing", 5),
        (610, 1000, "Normal", 6),
    ]
    away = line.lanes[0].spans[1]
    assert (away.tone, away.silent) == ("bad", True)
    assert away.label == f"{NOT_RESPONDING}, for 8 min 21 s. did 2"
    texts = [bar.text for bar in draw_timeline(line).rows[0].bars]
    assert texts[1] == "Not Responding"


def test_a_node_that_is_away_when_the_picture_begins_is_drawn_so() -> None:
    before = [change(1, -90, "Normal"), power(2, -50, reports=False)]
    line = made(before={"imp-pub": before}, now=1000)
    assert shown(line) == [(0, 1000, NOT_RESPONDING, 2)]
    assert line.lines[0].at == -50
    assert line.lanes[0].spans[0].lasts


def test_an_srm_that_starts_without_a_change_of_state_is_in_the_one_it_was_in() -> None:
    line = made(
        power(2, 100, reports=False),
        power(3, 130, reports=True),
        # Much later, and of another cause.
        change(4, 500, "Idle"),
        before={"imp-pub": [change(1, -50, "Normal")]},
        now=1000,
    )
    assert shown(line) == [
        (0, 100, "Normal", 1),
        (100, 130, NOT_RESPONDING, 2),
        (130, 500, "Normal", 1),
        (500, 1000, "Idle", 4),
    ]


def test_without_high_availability_nobody_is_missed() -> None:
    enabled = mark(4, 300, node="")
    enabled.inputs = {"ha_enabled": True}
    line = made(
        change(1, 0, "Unknown"),
        power(2, 100, reports=False),
        enabled,
        power(5, 400, reports=True),
        started(6, 400, "Initializing"),
        now=1000,
    )
    assert [span[2] for span in shown(line)] == ["Unknown", NOT_RESPONDING, "Initializing"]
    assert [span[0] for span in shown(line)] == [0, 300, 400]


def test_incidents_and_times_nobody_saw_are_bands_over_all_lanes() -> None:
    told = mark(9, 900, EventKind.LAB, "")
    told.inputs = {"unseen_since": 700.0}
    closed = Incident(pk=1, opened_at=lab_datetime(-20), closed_at=lab_datetime(500), reason="A")
    opened = Incident(pk=2, opened_at=lab_datetime(950), reason="B")
    line = made(
        change(1, 0, "Normal"),
        incidents=[closed, opened],
        unseen=[told],
        unseen_since=990,
        now=1000,
    )
    assert [(e.begin, e.end, e.label) for e in (*line.incidents, *line.unseen)] == [
        (0, 500, "Incident 1: A, for 8 min 40 s"),
        (950, 1000, "Incident 2: B, not over yet"),
        (700, 900, "Nobody could see the nodes, for 3 min 20 s"),
        (990, 1000, "Nobody could see the nodes, not over yet"),
    ]
    picture = draw_timeline(line)
    bands = (*picture.incidents, *picture.unseen)
    first_lane = picture.rows[0].bars[0].y
    assert all(band.y + band.h < first_lane for band in bands)
    assert {band.y + band.over for band in bands} == {picture.axis}
    assert all(band.x >= LEFT and band.x + band.w <= WIDTH - RIGHT for band in bands)
    assert all(band.w >= THIN for band in bands)
    assert {line.incident for line in line.lines} == {None, 1, 2}


def everything(picture: Picture) -> list[tuple[float, float]]:
    """Left and right edge of everything drawn."""
    bars = [(bar.x, bar.x + bar.w) for row in picture.rows for bar in row.bars]
    return bars + [(s.x - 7, s.x + 7) for row in picture.rows for s in row.spots]


def test_everything_is_inside_and_can_be_pointed_at() -> None:
    picture = draw_timeline(
        made(
            change(1, 0, "Normal"),
            change(2, HOUR - 0.2, "Failing Over"),
            change(3, HOUR - 0.1, "Idle"),
            mark(4, 0),
            mark(5, HOUR),
        )
    )
    assert all(left >= LEFT and right <= WIDTH - RIGHT + 0.1 for left, right in everything(picture))
    assert all(bar.w >= THIN for bar in picture.rows[0].bars)
    assert picture.rows[-1].y < picture.axis < picture.height


def test_events_on_one_spot_are_one_mark_with_their_number() -> None:
    picture = draw_timeline(made(*(mark(n, 1000 + n) for n in range(1, 9)), mark(20, 3000)))
    many, one = picture.rows[0].spots
    assert (many.number, one.number) == ("8", "")
    assert many.label.count("did") == 5
    assert many.label.endswith("; and 3 more")
    mixed = draw_timeline(made(mark(1, 1000), mark(2, 1001, EventKind.LAB)))
    assert mixed.rows[0].spots[0].kind == "many"
    assert many.kind == "admin"


@pytest.mark.parametrize(
    ("length", "ticks"),
    [
        (HOUR, ["00:10", "00:20", "00:30", "00:40", "00:50"]),
        (DAY, ["03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]),
        (WEEK, ["01-02", "01-03", "01-04", "01-05", "01-06", "01-07"]),
    ],
)
def test_the_axis_is_marked(length: float, ticks: list[str]) -> None:
    picture = draw_timeline(made(end=length, now=length))
    assert [tick.text for tick in picture.ticks] == ticks
    assert picture.now == WIDTH - RIGHT
    assert draw_timeline(made(end=length, now=length * 2)).now is None


def test_every_state_has_a_tone() -> None:
    assert set(State) == set(TONES)


@pytest.fixture
def told(tell: Tell, sub: Server) -> None:
    """imp-pub fails over ten minutes ago, after being Normal for a day."""
    sub.refresh_from_db()
    stand_at(BEGAN + 600)
    tell("All is well.", at=BEGAN - DAY, new_state="Normal", new_reason="Normal")
    tell("All is well, too.", at=BEGAN - DAY, node=sub, new_state="Normal", new_reason="Normal")
    tell("Failover of imp-pub was requested.", EventKind.ADMIN, at=BEGAN, actor="ann")
    tell("An administrator asked.", at=BEGAN + 1, new_state="Idle", new_reason="On Admin Request")


def test_picture_and_table_say_the_same(
    told: None, page: Client, read_only: Client, group: RedundancyGroup
) -> None:
    first = HaEvent.objects.get(new_state="Idle")
    row = Incident.objects.create(
        group=group, opened_at=first.at, first_event=first, reason="On Admin Request"
    )
    incident = reverse("incident", args=[row.pk])
    for client in (page, read_only):
        answer = client.get(reverse("timeline", args=[group.pk]))
        html = soup(answer)
        titles = [words(tag) for tag in html.select(".timeline a title")]
        assert len(titles) == 5
        # Without the node's name and the moment, which have columns of their own.
        drawn = sorted(title.split(": ", 1)[1] for title in titles)
        assert drawn == sorted(row[2] for row in rows(answer))
        links = [tag["href"] for tag in html.select(".timeline a")]
        assert all(client.get(str(link)).status_code == 200 for link in links)
        assert {incident} < set(map(str, links))
        assert f"Incident {row.pk}: On Admin Request, not over yet" in drawn
        assert rows(answer)[0][2] == "Idle, On Admin Request. An administrator asked."
        assert html.select_one(f'table a[href="{incident}"]') is not None
        assert [tag["aria-label"] for tag in html.select(".timeline a")] == titles


def test_one_zooms_and_walks_by_links(told: None, page: Client, group: RedundancyGroup) -> None:
    url = reverse("timeline", args=[group.pk])
    page_now = soup(page.get(url))
    links = {tag.text: str(tag["href"]) for tag in page_now.select(".timeline-tools a")}
    assert list(links) == ["Hour", "Day", "Week", "Earlier"]
    earlier = soup(page.get(url + links["Earlier"]))
    assert "Later" not in [tag.text for tag in earlier.select(".timeline-tools a")]
    assert "Now" in [tag.text for tag in earlier.select(".timeline-tools a")]
    week = page.get(f"{url}?zoom=week")
    assert len(rows(week)) == 4
    # A day before the first event nothing is known.
    empty = page.get(f"{url}?zoom=day&end={int(BEGAN - 3 * DAY)}")
    assert rows(empty) == [["No events are recorded for this time span."]]


def test_the_table_has_pages_of_the_same_span(
    told: None, page: Client, group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "LINES", 3)
    url = reverse("timeline", args=[group.pk])
    first = page.get(f"{url}?zoom=week")
    assert len(rows(first)) == 3
    link = next(tag for tag in soup(first).select(".pager a") if tag.text == "Next")
    second = page.get(url + str(link["href"]))
    assert len(rows(second)) == 1
    assert rows(second)[0] not in rows(first)
    # The picture is whole on each, and as wide as there is room.
    for answer in (first, second):
        drawn = soup(answer).select_one("svg.timeline")
        assert drawn is not None
        assert (drawn["width"], len(drawn.select("a"))) == ("100%", 4)


@pytest.mark.parametrize("query", ["zoom=year", "end=x", "end=-1", f"end={10**12}"])
def test_an_address_made_up_is_refused(page: Client, group: RedundancyGroup, query: str) -> None:
    assert page.get(reverse("timeline", args=[group.pk]) + f"?{query}").status_code == 400


def test_of_too_much_the_newest_is_drawn(
    told: None,
    tell: Tell,
    page: Client,
    group: RedundancyGroup,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,
) -> None:
    monkeypatch.setattr(selector, "MOST", 5)
    for number in range(10):
        tell(f"event {number}", EventKind.LAB, at=BEGAN + 10 + number)
    with django_assert_max_num_queries(5):
        found = selector.happened(group, BEGAN - 100, BEGAN + 600)
    assert found.cut
    assert [event.sentence for event in found.events] == [f"event {n}" for n in range(5, 10)]
    answer = page.get(reverse("timeline", args=[group.pk]))
    assert "More happened than can be drawn" in answer.content.decode()


def test_what_an_administrator_did_to_a_node_is_shown_from_before_the_span(
    told: None, pub: Server, group: RedundancyGroup
) -> None:
    off = {"reports": False}
    for kind in (EventKind.LAB, EventKind.ADMIN):
        event = events.record(
            kind=kind, sentence="Off.", node=pub, actor="ann", at=BEGAN - 60, inputs=off
        )
        found = selector.happened(group, BEGAN - 30, BEGAN + 600)
        assert event in found.before["imp-pub"]


def test_a_renamed_server_keeps_its_lane(told: None, group: RedundancyGroup, pub: Server) -> None:
    Server.objects.filter(pk=pub.pk).update(name="imp-new")
    found = selector.happened(group, BEGAN - DAY - 1, BEGAN + 600)
    assert found.nodes == ("imp-new", "imp-sub")
    assert {event.node_name for event in found.events} == {"imp-new", "imp-sub"}
