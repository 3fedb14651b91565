"""What is told before the button is pressed, and how it compares with what came."""

import random
from collections import Counter

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import Forecast, HaEvent, NodeRuntime, RedundancyGroup, Server, SessionMove
from redundancy.operations import actions, groups, moves
from redundancy.operations.moves import MoveRequest
from redundancy.parameters.writes.parameters import set_parameters
from redundancy.relogin import LoginBand, peak_of, span_of, until_of
from redundancy.selectors import forecast
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveKind
from tests.labtime import stand_at
from tests.memory import remember, remember_pair
from tests.pages.html import rows, soup, words
from tests.relogin.pair import BEGIN, USERS


@pytest.mark.parametrize(
    ("bands", "half", "nearly", "all_"),
    [
        ([], 0, 0, 0),
        ([LoginBand(120, 520, 400)], 320, 500, 520),
        # Equal limits: all within a second.
        ([LoginBand(120, 120, 400)], 120, 120, 120),
        ([LoginBand(100, 200, 100), LoginBand(300, 400, 100)], 200, 390, 400),
        ([LoginBand(100, 200, 100), LoginBand(100, 300, 100)], 166.67, 280, 300),
        ([LoginBand(100, 200, 100), LoginBand(150, 150, 100)], 150, 190, 200),
    ],
)
def test_the_arithmetic_of_clients_with_different_limits(
    bands: list[LoginBand], half: float, nearly: float, all_: float
) -> None:
    told = [until_of(share, bands) for share in (0.5, 0.95, 1)]
    assert told == pytest.approx([half, nearly, all_], abs=0.01)


def busiest(bands: list[LoginBand], chance: random.Random) -> float:
    """The logins per second in the busiest span of one move."""
    width = span_of(max(band.upper for band in bands))
    moments = [
        chance.uniform(band.lower, band.upper) for band in bands for _ in range(band.clients)
    ]
    return Counter(int(moment // width) for moment in moments).most_common(1)[0][1] / width


@pytest.mark.parametrize(
    "bands",
    [
        [LoginBand(120, 537, 350)],
        [LoginBand(120, 537, 15_000)],
        [LoginBand(120, 2075, 40)],
        [LoginBand(100, 200, 100), LoginBand(100, 300, 100)],
        [LoginBand(0, 30, 500), LoginBand(120, 537, 300)],
    ],
)
def test_half_of_all_moves_stay_below_the_peak(bands: list[LoginBand]) -> None:
    chance = random.Random(7)
    peak, moves = peak_of(bands), 60 if bands[0].clients > 1000 else 400
    found = sorted(busiest(bands, chance) for _ in range(moves))
    width = span_of(max(band.upper for band in bands))
    # Within the spread of a median of so many, and one login of rounding.
    low, high = found[int(moves * 0.4)], found[int(moves * 0.6)]
    assert low - 1 / width <= peak <= high + 1 / width


def test_a_peak_without_spread() -> None:
    assert peak_of([]) == 0
    # All come at one moment: in one span of two seconds.
    assert peak_of([LoginBand(120, 120, 400)]) == pytest.approx(200, rel=0.01)
    assert peak_of([LoginBand(0, 0, 400)]) == pytest.approx(400, rel=0.01)


def take_over(group: RedundancyGroup, node: Server, at: float) -> None:
    stand_at(at)
    group.refresh_from_db()
    moves.move_sessions(MoveRequest(node.pk, MoveKind.TAKE_OVER, group.epoch, group.ha_generation))


def test_a_takeover_moves_who_is_elsewhere_and_disconnects_who_is_logged_in(
    group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    expected = forecast.of_takeover(group, sub)
    assert (expected.moved, expected.disconnected) == (USERS, USERS)
    assert expected.bands == (LoginBand(120, 537, USERS),)
    take_over(group, sub, BEGIN + 10)
    # Nobody of the moved has logged in yet: nobody is disconnected by the way home.
    home = forecast.of_homecoming(group)
    assert (home.moved, home.disconnected) == (USERS, 0)
    stand_at(BEGIN + 1000)
    assert forecast.of_homecoming(group).disconnected == USERS
    assert forecast.of_takeover(group, sub).moved == 0


def test_clients_are_forecast_with_the_limits_of_their_login(
    group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    stand_at(BEGIN + 10)
    set_parameters(values={"relogin_lower": "10", "relogin_upper": "20"}, server=sub, actor="ann")
    # All logged in before the change, which reaches them at their next login.
    assert forecast.of_takeover(group, sub).bands == (LoginBand(120, 537, USERS),)


def make_normal(pub: Server, sub: Server) -> None:
    normal = (State.NORMAL, Reason.NORMAL)
    for node, peer in ((pub, sub), (sub, pub)):
        remember(node, normal, peer, normal)


def test_the_request_keeps_the_forecast_and_the_page_compares(
    page: Client, group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    make_normal(pub, sub)
    stand_at(BEGIN + 10)
    serial = NodeRuntime.objects.get(server=pub).serial
    address = reverse("group_action", args=[group.pk, pub.pk, "failover"])
    told = words(soup(page.get(address)).select_one(".effects"))
    assert f"{USERS} sessions move to imp-sub." in told
    assert f"{USERS} users on imp-pub are disconnected and log in at imp-sub." in told
    assert "Cisco Presence Engine and Cisco XCP Router" in told or "Cisco XCP Router" in told
    assert "50 % after 5 min 28 s, 95 % after 8 min 36 s, 100 % after 8 min 57 s" in told
    actions.request_failover(node=pub, serial=serial, actor="ann")
    kept = Forecast.objects.get()
    assert (kept.event.actor, kept.moved, kept.disconnected) == ("ann", USERS, USERS)
    back = (kept.until_50, kept.until_95, kept.until_100)
    assert back == pytest.approx((328.5, 516.15, 537))
    take_over(group, sub, BEGIN + 13)
    stand_at(BEGIN + 13 + 600)
    shown = page.get(reverse("group_logins", args=[group.pk]))
    table = {row[0]: row[1:] for row in rows(shown)}
    assert table["From the request to the move"] == ["-", "3 s"]
    assert table["Sessions moved"] == [f"{USERS}", f"{USERS}"]
    assert table["100 % back"][0] == "after 8 min 57 s"
    assert table["100 % back"][1].startswith("within")
    # The event of the request tells the same, also when later moves have come.
    event = reverse("event", args=[kept.pk])
    assert {row[0]: row[1:] for row in rows(page.get(event))} == table
    take_over(group, pub, BEGIN + 2000)
    assert {row[0]: row[1:] for row in rows(page.get(event))} == table


def test_the_forecast_of_a_fallback_is_of_those_who_go_home(
    group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    take_over(group, sub, BEGIN + 10)
    remember_pair(
        pub, (State.IDLE, Reason.ON_ADMIN_REQUEST), sub, (State.BACKUP, Reason.ON_ADMIN_REQUEST)
    )
    actions.request_fallback(node=pub, serial=None, actor="ann")
    kept = Forecast.objects.get()
    assert (kept.event.request, kept.moved, kept.disconnected) == ("fallback", USERS, 0)


def test_a_request_that_no_move_followed_says_so(
    page: Client, group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    make_normal(pub, sub)
    actions.request_failover(node=pub, serial=None, actor="ann")
    shown = page.get(reverse("event", args=[Forecast.objects.get().pk]))
    assert ["Sessions moved", f"{USERS}", "no move followed"] in rows(shown)


def test_a_failover_nobody_asked_for_has_no_forecast(
    page: Client, group: RedundancyGroup, sub: Server
) -> None:
    take_over(group, sub, BEGIN + 10)
    shown = soup(page.get(reverse("group_logins", args=[group.pk])))
    assert not shown.select("table.forecast")


def test_an_older_forecast_is_not_that_of_a_later_move(
    group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    make_normal(pub, sub)
    actions.request_failover(node=pub, serial=None, actor="ann")
    take_over(group, sub, BEGIN + 10)
    first = SessionMove.objects.latest("pk")
    take_over(group, pub, BEGIN + 2000)
    second = SessionMove.objects.latest("pk")
    assert forecast.forecast_of_move(first) is not None
    assert forecast.forecast_of_move(second) is None


def test_disabling_ha_in_a_failed_over_state_has_one(
    page: Client, group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    take_over(group, sub, BEGIN + 10)
    stand_at(BEGIN + 1000)
    groups.disable_ha(group=group, actor="ann")
    move = SessionMove.objects.latest("pk")
    told = forecast.forecast_of_move(move)
    assert told is not None
    assert (told.moved, told.disconnected, move.moved) == (USERS, USERS, USERS)


def test_disabling_ha_with_everybody_at_home_forecasts_nothing(group: RedundancyGroup) -> None:
    groups.disable_ha(group=group, actor="ann")
    assert not Forecast.objects.exists()
    assert HaEvent.objects.filter(sentence__contains="was disabled").exists()


def test_a_move_is_remembered_with_the_limits_of_those_who_moved(
    group: RedundancyGroup, sub: Server
) -> None:
    stand_at(BEGIN + 10)
    set_parameters(values={"relogin_upper": "1009"}, server=sub, actor="ann")
    take_over(group, sub, BEGIN + 20)
    move = SessionMove.objects.latest("pk")
    assert (move.lower, move.upper) == (120, 537)
