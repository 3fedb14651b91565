"""The plot of the logins after a move."""

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from redundancy.models import (
    Machine,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    ReloginLimits,
    SessionMove,
)
from redundancy.operations import measured, presence
from redundancy.operations.groups import add_group, disable_ha
from redundancy.operations.servers import add_server
from redundancy.pages.login_chart import Chart, clock, draw
from redundancy.relogin import even_rate, expected_until
from redundancy.selectors.login_counts import SpanCount, count_logins
from redundancy.selectors.logins import Logins, last_move, logins_of, measured_logins
from redundancy.selectors.stamp import stamp
from tests.labtime import seed_database, stand_at
from tests.pages.html import soup, words
from tests.relogin.pair import BEGIN, USERS, go_home, set_limits, take_over

AXES = {"x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "width", "height", "points"}


def seen(group: RedundancyGroup, second: float) -> Logins:
    """The logins so many seconds after BEGIN."""
    found = logins_of(last_move(group.pk), stand_at(BEGIN + second))
    assert found is not None
    return found


@pytest.fixture
def moved(group: RedundancyGroup) -> RedundancyGroup:
    """imp-sub has taken the users of imp-pub at BEGIN; they log in one a second from 100 s on."""
    take_over("imp-sub")
    sessions = list(PresenceSession.objects.filter(user__home__name="imp-pub").order_by("pk"))
    for number, session in enumerate(sessions):
        session.relogin_at = BEGIN + 100 + number
    PresenceSession.objects.bulk_update(sessions, ["relogin_at"])
    return group


def test_before_the_first_move_there_is_nothing(group: RedundancyGroup) -> None:
    assert logins_of(last_move(group.pk), BEGIN) is None
    # Enabled and disabled: a move of nobody.
    disable_ha(group=group, actor="")
    assert SessionMove.objects.get().moved == 0
    assert logins_of(last_move(group.pk), BEGIN) is None


def test_it_counts_what_has_happened_by_now(moved: RedundancyGroup) -> None:
    found = seen(moved, 150.5)
    # 537 s in at most 60 spans: of 10 s.
    assert (found.width, len(found.spans)) == (10, 16)
    assert [span.logins for span in found.spans] == [0] * 10 + [10] * 5 + [1]
    assert [span.active for span in found.spans[9:12]] == [USERS, USERS + 10, USERS + 20]
    assert (found.done, found.waiting, found.stayed, found.others) == (51, USERS - 51, USERS, 0)
    assert (found.elapsed, found.peak.rate) == (150.5, 1)
    assert found.milestones == ((50, None), (95, None), (100, None))
    assert found.expected == pytest.approx(USERS / (537 - 120))


def test_who_looked_at_the_clock_before_the_move_sees_its_beginning(moved: RedundancyGroup) -> None:
    found = seen(moved, -0.5)
    assert found == seen(moved, 0)
    assert (found.done, found.waiting, found.elapsed, found.peak.rate) == (0, USERS, 0, 0)
    assert draw(found).bars == ()


def test_when_all_are_back_it_stands_still(moved: RedundancyGroup) -> None:
    found = seen(moved, 299)
    assert (found.done, found.waiting, found.elapsed) == (USERS, 0, None)
    assert found.milestones == ((50, 200), (95, 290), (100, 299))
    assert seen(moved, 5000) == found


def test_it_follows_the_last_move_only(moved: RedundancyGroup) -> None:
    first = seen(moved, 1000)
    go_home("imp-pub")
    home = seen(moved, 1001)
    assert (first.whither, home.whither) == ("imp-sub", "their assigned servers")
    assert (home.done, home.waiting, home.stayed) == (0, USERS, USERS)


def test_who_still_waits_from_an_earlier_move_is_none_of_the_last(moved: RedundancyGroup) -> None:
    stand_at(BEGIN + 10)
    go_home("imp-pub")
    stand_at(BEGIN + 20)
    take_over("imp-pub")
    found = seen(moved, 21)
    # The users of imp-pub wait there already, and were not moved.
    assert (found.move.moved, found.waiting, found.stayed) == (USERS, USERS, 0)


def test_who_has_left_since_is_counted_as_such(moved: RedundancyGroup) -> None:
    gone = PresenceSession.objects.filter(user__home__name="imp-pub").values_list("pk", flat=True)[
        :5
    ]
    PresenceSession.objects.filter(pk__in=list(gone)).delete()
    assert seen(moved, 1000).others == 5


def by_hand(move: SessionMove, width: int, now: float) -> tuple[dict[int, SpanCount], int]:
    """What ``count_logins`` has to find, counted one by one."""
    spans: dict[int, SpanCount] = {}
    stayed = 0
    for each in PresenceSession.objects.select_related("node__machine"):
        stopped = each.node.machine.logins_stopped_at
        done = each.relogin_at <= (now if stopped is None else min(now, stopped))
        if each.since != move.event.at or each.relogin_at <= each.limits_at:
            stayed += done
            continue
        after = each.relogin_at - move.at
        known = spans.get(int(after // width), SpanCount(0, 0, 0.0))
        spans[int(after // width)] = SpanCount(
            known.everybody + 1, known.done + done, max(known.last, after if done else 0.0)
        )
    return spans, stayed


MOMENTS = (0.0, 99.5, 100.0, 109.999, 110.0, 150.5, 199.0, 299.0, 300.0, 5000.0)


@pytest.mark.parametrize("stopped", [None, -50.0, 0.0, 150.25])
def test_what_was_counted_once_tells_of_any_moment(
    moved: RedundancyGroup, stopped: float | None
) -> None:
    move = SessionMove.objects.select_related("event").get()
    at = None if stopped is None else BEGIN + stopped
    Machine.objects.filter(server__name="imp-sub").update(logins_stopped_at=at)
    # Somebody who was not moved, and logs in later than the move.
    late = PresenceSession.objects.filter(user__home__name="imp-sub").first()
    assert late is not None
    PresenceSession.objects.filter(pk=late.pk).update(relogin_at=BEGIN + 105)
    for second in MOMENTS:
        now = stand_at(BEGIN + second)
        kept = count_logins(move, 10, now, stamp())
        cache.clear()
        assert kept == count_logins(move, 10, now, stamp()) == by_hand(move, 10, now), second


def test_who_signs_out_is_counted_no_more(moved: RedundancyGroup) -> None:
    before = seen(moved, 1000)
    some = PresenceUser.objects.filter(home__name="imp-pub").order_by("pk")[:5]
    users = PresenceUser.objects.filter(pk__in=[user.pk for user in some])
    presence.sign(out=True, users=users, actor="")
    assert (before.others, seen(moved, 1000).others) == (0, 5)


def test_all_are_counted_once_for_many_looks(moved: RedundancyGroup) -> None:
    logins_of(last_move(moved.pk), BEGIN + 200)
    with CaptureQueriesContext(connection) as asked:
        logins_of(last_move(moved.pk), BEGIN + 202)
    # The move, the stamp, who serves, and the span that has begun.
    assert len(asked) == 4
    (counted,) = [each["sql"] for each in asked if PresenceSession._meta.db_table in each["sql"]]
    assert '"relogin_at" > ' in counted.partition("WHERE")[2]


@pytest.mark.parametrize(("lower", "upper"), [(0, 0), (60, 60), (0, 1), (120, 537), (0, 86400)])
def test_every_pair_of_limits_can_be_drawn(group: RedundancyGroup, lower: int, upper: int) -> None:
    set_limits("imp-sub", lower, upper)
    ReloginLimits.objects.update(at=0)
    PresenceSession.objects.update(relogin_at=BEGIN - 9, limits_at=BEGIN - 9)
    seed_database(1)
    take_over("imp-sub")
    for second in (0, lower + 0.5, upper, upper + 100000):
        inside(draw(seen(group, second)))


def inside(chart: Chart) -> None:
    """Nothing is drawn outside, and no more than the plot can bear."""
    assert len(chart.bars) <= 61
    for bar in chart.bars:
        assert chart.left <= bar.x
        assert bar.x + bar.w <= chart.right
        assert chart.top - 0.1 <= bar.y <= bar.y + bar.h <= chart.bottom + 0.1
    for x, y in chart.dots:
        assert chart.left <= x <= chart.right
        assert chart.top <= y <= chart.bottom
    assert chart.now is None or chart.left <= chart.now <= chart.right
    assert chart.left <= chart.expected[0] <= chart.expected[1]
    for marks, low, high in (
        (chart.seconds, chart.left, chart.right),
        (chart.rates, chart.top, chart.bottom),
        (chart.users, chart.top, chart.bottom),
    ):
        assert 1 <= len(marks) <= 12
        assert all(low <= mark.at <= high for mark in marks)
        assert len({mark.text for mark in marks}) == len(marks)


def test_the_line_ends_with_everybody(moved: RedundancyGroup) -> None:
    chart = draw(seen(moved, 1000))
    inside(chart)
    last = chart.line.split()[-1].partition(",")
    everybody = next(mark for mark in chart.users if mark.text == f"{2 * USERS}")
    assert float(last[2]) == pytest.approx(everybody.at, abs=0.2)
    assert chart.bars[0].title == ("1:40 to 1:50: 10 logins, 1.0 per second; 210 active at the end")


def test_times_in_words() -> None:
    assert [clock(second) for second in (0, 65, 3725)] == ["0:00", "1:05", "1:02:05"]


def test_what_is_expected() -> None:
    assert even_rate(417, 120, 537) == 1
    assert even_rate(50, 60, 60) == 50
    assert [expected_until(share, 100, 300) for share in (0, 0.5, 1)] == [100, 200, 300]


def test_the_group_page_shows_it_while_it_runs(page: Client, moved: RedundancyGroup) -> None:
    address = reverse("group_edit", args=[moved.pk])
    stand_at(BEGIN + 150)
    shown = soup(page.get(address))
    text = words(shown.select_one("#live"))
    assert "200 sessions moved to imp-sub. 51 logged in, 149 waiting to log in." in text
    assert len(shown.select("svg.plot .plot-bar")) == 6
    assert shown.select("svg.plot .plot-now")
    assert not shown.select("#live form")
    region = shown.select_one("#live")
    assert region is not None
    query = str(region["hx-get"])
    assert page.get(address + query).status_code == 204
    stand_at(BEGIN + 165)
    assert page.get(address + query).status_code == 200


def test_it_is_drawn_alike_in_every_language(page: Client, moved: RedundancyGroup) -> None:
    stand_at(BEGIN + 150)
    drawn = []
    for language in ("en", "pt-br"):
        page.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        with translation.override(language):
            shown = soup(page.get(reverse("group_logins", args=[moved.pk])))
        drawn.append(
            [
                {k: v for k, v in tag.attrs.items() if k in AXES}
                for tag in shown.select("svg.plot *")
            ]
        )
    assert drawn[0] == drawn[1]
    assert any("." in str(tag.get("x", "")) for tag in drawn[0])


def test_the_group_page_shows_it_for_a_while_only(page: Client, moved: RedundancyGroup) -> None:
    assert seen(moved, 200).gone_at(1800) == BEGIN + 537 + 1800
    address = reverse("group_edit", args=[moved.pk])
    for second, shown in ((537 + 1800, True), (537 + 1801, False)):
        stand_at(BEGIN + second)
        assert bool(soup(page.get(address)).select(".plot")) is shown
    # Its own page has it as long as the sessions tell of it.
    assert soup(page.get(reverse("group_logins", args=[moved.pk]))).select(".plot")


def test_its_own_page_has_the_table(page: Client, moved: RedundancyGroup) -> None:
    address = reverse("group_logins", args=[moved.pk])
    stand_at(BEGIN + 1000)
    shown = soup(page.get(address))
    rows = [[words(cell) for cell in row.select("td")] for row in shown.select(".logins tbody tr")]
    assert rows[10] == ["1 min 40 s", "1 min 50 s", "10", "1.0", "210"]
    assert sum(int(row[2]) for row in rows) == USERS
    assert "100 % within 4 min 59 s" in words(shown.select_one("#live"))
    region = shown.select_one("#live")
    assert region is not None
    assert page.get(address + str(region["hx-get"])).status_code == 204
    assert page.get(address + "?fragment=1&v=x").status_code == 200
    assert page.get(reverse("group_logins", args=[10**9])).status_code == 404


def test_without_a_move_the_pages_say_so(page: Client, group: RedundancyGroup) -> None:
    shown = soup(page.get(reverse("group_logins", args=[group.pk])))
    assert "No session of this group has been moved yet." in words(shown.select_one("#live"))
    assert not soup(page.get(reverse("group_edit", args=[group.pk]))).select(".plot")


@pytest.mark.parametrize(
    ("second", "recorded", "complete", "logged_in", "overtaken"),
    [
        (150, False, False, 51, USERS - 51),
        (150, True, True, 51, USERS - 51),
        (600, False, True, USERS, 0),
        (600, True, True, USERS, 0),
    ],
)
def test_a_record_is_complete_when_nobody_is_to_come(
    moved: RedundancyGroup,
    second: int,
    recorded: bool,
    complete: bool,
    logged_in: int,
    overtaken: int,
) -> None:
    move = SessionMove.objects.get()
    if recorded:
        measured.overtake([moved], BEGIN + second)
        move.refresh_from_db()
    found = measured_logins(move, BEGIN + second)
    assert (found.complete, found.logged_in, found.overtaken) == (complete, logged_in, overtaken)
    assert (found.moved, found.others) == (USERS, 0)


@pytest.mark.parametrize("number", [0, 1])
def test_a_move_of_somebody_is_recorded(moved: RedundancyGroup, number: int) -> None:
    SessionMove.objects.update(moved=number)
    measured.overtake([moved], BEGIN + 600)
    assert (SessionMove.objects.get().logins is not None) is bool(number)


def test_a_move_of_another_group_leaves_the_record_open(moved: RedundancyGroup) -> None:
    third = add_server(name="imp-3", server_type="imp", actor="")
    other = add_group(name="Rome", first=third, actor="")
    measured.overtake([other], BEGIN + 150)
    assert SessionMove.objects.get().logins is None
