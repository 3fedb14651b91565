"""Pages tell real clients from those that the lab plays."""

import json

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from redundancy.models import ClientLogin, EventKind, RedundancyGroup, SessionMove
from redundancy.monitor.audit import audit
from redundancy.operations import clients, events
from redundancy.operations.forecasts import remember
from redundancy.relogin import LoginBand
from redundancy.selectors.forecast import Expected
from redundancy.selectors.real_clients import real_return
from tests.labtime import stand_at
from tests.pages.html import soup, words
from tests.relogin.pair import BEGIN, go_home, set_limits, take_over

ANN = "imp-pub.0000"
REAL = "Real clients, which log in by SOAP; the lab plays the others:"


def log_in(userid: str = ANN) -> None:
    clients.log_in(userid=userid, password=settings.JABBER_PASSWORD)


def shown(page: Client, group: RedundancyGroup) -> str:
    region = soup(page.get(reverse("group_edit", args=[group.pk]))).select_one("#live")
    assert region is not None
    return words(region)


def table(page: Client, group: RedundancyGroup, name: str = "group_edit") -> list[list[str]]:
    """What is said of the return of real clients, and of its table the rows."""
    region = soup(page.get(reverse(name, args=[group.pk])))
    heading = region.find("h2", string="Real clients after the last move")
    if heading is None:
        return []
    frame = heading.find_next("table")
    assert frame is not None
    found = [[words(cell) for cell in row.select("th, td")] for row in frame.select("tr")]
    return [[words(heading.find_next("p"))], *found]


def test_after_a_move_the_real_clients_are_held_against_what_was_expected(
    page: Client, group: RedundancyGroup
) -> None:
    stand_at(BEGIN)
    everybody = [f"imp-pub.{number:04}" for number in range(4)]
    for userid in everybody:
        log_in(userid)
    assert table(page, group) == []
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    for userid, after in zip(everybody[:3], (130, 300, 400), strict=True):
        stand_at(BEGIN + 10 + after)
        log_in(userid)
    told = [
        ["Back again", "Expected", "Real clients"],
        ["50 %", "after 5 min 28 s", "after 5 min"],
        ["95 %", "after 8 min 36 s", "not yet"],
        ["100 %", "after 8 min 57 s", "not yet"],
    ]
    for name in ("group_edit", "group_logins"):
        (said,), *rows = table(page, group, name)
        assert said.startswith("3 of 4 have logged in. Nobody was told beforehand; expected is")
        assert rows == told
    # Whoever plays them ends: what they did is kept.
    clients.give_back()
    (said,), *rows = table(page, group)
    assert said.startswith("3 of 4 have logged in.")
    assert [row[2] for row in rows] == ["Real clients", "after 5 min", "never", "never"]


def test_the_forecast_of_who_asked_for_the_move_is_what_they_are_held_against(
    page: Client, group: RedundancyGroup
) -> None:
    stand_at(BEGIN)
    log_in()
    event = events.record(kind=EventKind.ADMIN, sentence="x", group=group, at=BEGIN)
    band = LoginBand(100, 200, 10)
    remember(event, group, Expected(10, 10, (band,)))
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    stand_at(BEGIN + 210)
    log_in()
    (said,), *rows = table(page, group)
    assert said.startswith("1 of 1 have logged in. The forecast is of all 200 users that were")
    assert rows[0] == ["Back again", "Forecast", "Real clients"]
    assert rows[1][1:] == ["after 2 min 30 s", "after 3 min 20 s"]


def test_a_client_that_was_late_as_a_real_one_is_no_breach_when_the_lab_plays_it_again(
    group: RedundancyGroup,
) -> None:
    stand_at(BEGIN)
    log_in()
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    stand_at(BEGIN + 900)
    log_in()
    clients.give_back()
    assert [breach.whole_sentence for breach in audit()] == []
    # Of moves without real clients it is one.
    SessionMove.objects.update(real_logins=None)
    assert "between the limits" in str([breach.whole_sentence for breach in audit()])


def test_what_is_expected_goes_by_the_limits_that_they_got_at_their_node(
    group: RedundancyGroup,
) -> None:
    stand_at(BEGIN)
    log_in()
    stand_at(BEGIN + 5)
    set_limits("imp-pub", 20, 40)
    log_in("imp-pub.0001")
    set_limits("imp-sub", 1, 2)
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    found = real_return(SessionMove.objects.get(), BEGIN + 11)
    assert found is not None
    assert (found.lower, found.upper, found.forecast) == (20, 537, False)
    assert [row[:2] for row in found.rows] == [(50, 40.0), (95, 495.3), (100, 537.0)]


def test_the_next_move_keeps_how_real_clients_came_back_from_the_one_before(
    group: RedundancyGroup,
) -> None:
    stand_at(BEGIN)
    log_in()
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    stand_at(BEGIN + 210)
    log_in()
    go_home("imp-pub")
    first, second = SessionMove.objects.order_by("pk")
    assert first.real_logins == {
        "clients": 1,
        "back": 1,
        "until": {"50": 200.0, "95": 200.0, "100": 200.0},
        "lower": 120.0,
        "upper": 537.0,
        "expected": {"50": 328.5, "95": 516.2, "100": 537.0},
    }
    assert second.real_logins is None


def test_the_group_counts_real_clients_for_themselves(page: Client, group: RedundancyGroup) -> None:
    assert REAL not in shown(page, group)
    log_in()
    log_in("imp-sub.0000")
    assert f"{REAL} imp-pub 1 · imp-sub 1" in shown(page, group)
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    stand_at(BEGIN + 600)
    assert f"{REAL} imp-sub 1 (1 waiting to log in)" in shown(page, group)


def test_a_login_is_news_to_an_open_page(page: Client, group: RedundancyGroup) -> None:
    address = reverse("group_edit", args=[group.pk])
    log_in()
    region = soup(page.get(address)).select_one("#live")
    assert region is not None
    query = str(region["hx-get"])
    assert page.get(address + query).status_code == 204
    log_in("imp-pub.0001")
    assert page.get(address + query).status_code == 200


def test_who_is_still_to_come_has_no_moment(page: Client, group: RedundancyGroup) -> None:
    log_in()
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    stand_at(BEGIN + 600)
    address = reverse("user_history") + f"?userid={ANN}"
    assert "when its client comes" in words(soup(page.get(address)).select_one("main"))
    *_, last = json.loads(page.get(f"{address}&format=json").content)["stays"]
    assert (last["logged_in_not_before"], last["logged_in_not_after"]) == (None, None)
    page.get(f"{address}&format=csv")


def test_the_administration_lists_them_without_what_lets_them_in(
    page: Client, group: RedundancyGroup, admin: User
) -> None:
    log_in()
    admin.is_staff = True
    admin.save()
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    listed = page.get(reverse("admin:redundancy_presencesession_changelist") + "?by_client=1")
    assert "when its client comes" in listed.content.decode()
    row = ClientLogin.objects.get()
    body = page.get(reverse("admin:redundancy_clientlogin_change", args=[row.pk])).content.decode()
    assert ANN in body
    assert row.key_mark not in body
