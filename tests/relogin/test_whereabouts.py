"""Who had a user at a moment, told from the records of moves and of what was done to users."""

import csv
import io
import random
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import PresenceSession, PresenceUser, RedundancyGroup, Server
from redundancy.operations.assignment import assign_users
from redundancy.operations.groups import disable_ha, edit_group, enable_ha
from redundancy.operations.presence import sign, sign_share
from redundancy.operations.servers import add_server, delete_server
from redundancy.operations.users import add_users
from redundancy.selectors.whereabouts import Stay, stay_at, stays
from redundancy.times import lab_time
from tests.labtime import stand_at
from tests.pages.html import soup, status, words
from tests.relogin.pair import BEGIN, go_home, node, take_over

Told = tuple[float, str, str]


def user(name: str = "imp-pub.0000") -> PresenceUser:
    return PresenceUser.objects.get(userid=name)


def told(name: str = "imp-pub.0000") -> list[Told]:
    return [(stay.begin - BEGIN, stay.server, stay.why) for stay in stays(user(name))]


def at(second: float, name: str = "imp-pub.0000") -> str:
    stay = stay_at(stays(user(name)), BEGIN + second)
    return "not recorded" if stay is None else stay.server


def test_a_day(group: RedundancyGroup) -> None:
    stand_at(BEGIN + 100)
    take_over("imp-sub")
    stand_at(BEGIN + 1000)
    go_home("imp-pub")
    stand_at(BEGIN + 2000)
    sign(out=True, users=PresenceUser.objects.filter(userid="imp-pub.0000"), actor="")
    stand_at(BEGIN + 2500)
    take_over("imp-sub")
    stand_at(BEGIN + 3000)
    sign(out=False, users=PresenceUser.objects.filter(userid="imp-pub.0000"), actor="")
    stand_at(BEGIN + 4000)
    disable_ha(group=group, actor="")
    stand_at(BEGIN + 5000)
    assign_users(users=PresenceUser.objects.filter(userid="imp-pub.0000"), node=None, actor="")
    assert told() == [
        (0, "imp-pub", "assigned to imp-pub"),
        (100, "imp-sub", "200 sessions moved to imp-sub."),
        (1000, "imp-pub", "200 sessions went home."),
        (2000, "", "signed out"),
        (3000, "imp-sub", "signed in"),
        (4000, "imp-pub", "High Availability of pair was disabled; sessions sent home: 200."),
        (5000, "", "unassigned"),
    ]
    assert [at(second) for second in (-1, 0, 99.9, 100, 999, 1000, 2600, 4500)] == [
        "not recorded", "imp-pub", "imp-pub", "imp-sub", "imp-sub", "imp-pub", "", "imp-pub",
    ]  # fmt: skip
    found = stays(user())
    ends = [stay.end and stay.end - BEGIN for stay in found]
    assert ends == [100, 1000, 2000, 3000, 4000, 5000, None]
    assert [stay.home for stay in found] == ["imp-pub"] * 6 + [""]
    # Who is at home where the others were taken to has not moved.
    assert told("imp-sub.0000") == [(0, "imp-sub", "assigned to imp-sub")]


def test_what_the_client_did_is_known_between_the_limits(group: RedundancyGroup) -> None:
    stand_at(BEGIN + 100)
    take_over("imp-sub")
    stand_at(BEGIN + 1000)
    go_home("imp-pub")
    first, away, home = stays(user())
    assert first.client(BEGIN + 50) == "logged in"
    assert [away.client(BEGIN + 100 + second) for second in (0, 119, 121, 536, 537)] == [
        "waiting to log in", "waiting to log in", "waiting to log in, or logged in",
        "waiting to log in, or logged in", "logged in",
    ]  # fmt: skip
    # Of the last move, the session itself tells the moment.
    moment = PresenceSession.objects.get(user=user()).relogin_at
    assert (home.earliest, home.latest) == (moment, moment)
    assert home.client(moment - 0.1) == "waiting to log in"
    assert home.client(moment) == "logged in"


def test_a_node_that_changes_its_group_or_goes_leaves_its_history(
    group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    third = add_server(name="imp-old", server_type="imp", actor="")
    disable_ha(group=group, actor="")
    assign_users(users=PresenceUser.objects.filter(home=sub), node=pub, actor="")
    edit_group(group=group, name="pair", description="", first=pub, second=third, actor="")
    stand_at(BEGIN + 50)
    add_users(rows=[("zoe", "", "zoe@example.com", node("imp-old"))], actor="")
    enable_ha(group=group, actor="")
    stand_at(BEGIN + 100)
    take_over("imp-pub")
    stand_at(BEGIN + 200)
    go_home("imp-old")
    stand_at(BEGIN + 300)
    disable_ha(group=group, actor="")
    assign_users(users=PresenceUser.objects.filter(userid="zoe"), node=pub, actor="")
    edit_group(
        group=group, name="pair", description="", first=pub, second=node("imp-sub"), actor=""
    )
    delete_server(server=node("imp-old"), actor="")
    assert [(begin, server) for begin, server, _ in told("zoe")] == [
        (50, "imp-old"), (100, "imp-pub"), (200, "imp-old"), (300, "imp-pub"),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_it_tells_what_was_seen_on_a_random_day(group: RedundancyGroup, seed: int) -> None:
    dice, second = random.Random(seed), 0.0
    pub, sub = node("imp-pub"), node("imp-sub")
    everybody = list(PresenceUser.objects.filter(userid__endswith="0"))
    seen: list[tuple[float, dict[int, str]]] = []
    for _ in range(25):
        second += dice.randint(1, 900)
        stand_at(BEGIN + second)
        group.refresh_from_db()
        home = dice.choice([pub, sub])
        match dice.choice(["take", "home", "out", "in", "assign", "ha"]):
            case "take" if group.ha_enabled:
                take_over(home.name)
            case "home" if group.ha_enabled:
                go_home(home.name)
            case "out" if PresenceSession.objects.filter(user__home=home).exists():
                sign_share(out=True, node=home, percent=dice.randint(1, 60), actor="")
            case "in" if PresenceUser.objects.filter(home=home, signed_out=True).exists():
                sign_share(out=False, node=home, percent=dice.randint(1, 60), actor="")
            case "assign" if group.holder_id is None and not group.ha_enabled:
                some = [one.pk for one in dice.sample(everybody, 8)]
                assign_users(users=PresenceUser.objects.filter(pk__in=some), node=home, actor="")
            case "ha":
                (disable_ha if group.ha_enabled else enable_ha)(group=group, actor="")
        where = dict(PresenceSession.objects.values_list("user_id", "node__name"))
        seen.append((BEGIN + second + 0.5, where))
    for one in dice.sample(everybody, 15):
        history = stays(one)
        for moment, where in seen:
            stay = stay_at(history, moment)
            assert stay is not None
            assert stay.server == where.get(one.pk, ""), (one.userid, moment - BEGIN, history)


def test_it_takes_as_many_queries_however_many_users(
    group: RedundancyGroup, django_assert_max_num_queries: Callable
) -> None:
    take_over("imp-sub")
    ann = user()
    with django_assert_max_num_queries(3):
        stays(ann)


# --- the page ------------------------------------------------------------------------------------


@pytest.fixture
def address(group: RedundancyGroup) -> str:
    stand_at(BEGIN + 100)
    take_over("imp-sub")
    stand_at(BEGIN + 1000)
    return reverse("user_history")


def shown_time(second: float) -> str:
    return lab_time(BEGIN + second)


def test_the_page_answers(page: Client, address: str) -> None:
    answer = page.get(address, {"userid": "IMP-PUB.0000", "at": shown_time(101)})
    text = words(soup(answer).select_one(".answer"))
    assert text == (
        f"At {shown_time(101)} imp-pub.0000 was with imp-sub ; the client: waiting to log in."
    )
    rows = [words(row) for row in soup(answer).select("table.list tbody tr")]
    assert "imp-sub (asked for) imp-pub 200 sessions moved to imp-sub. pair" in rows[0]
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("second", "words_"),
    [
        (-50, "not recorded"),
        (50, "was with imp-pub ; the client: logged in"),
        (5000, "still to come"),
    ],
)
def test_every_moment_has_an_answer(page: Client, address: str, second: float, words_: str) -> None:
    answer = page.get(address, {"userid": "imp-pub.0000", "at": shown_time(second)})
    assert words_ in words(soup(answer).select_one(".answer"))


def test_of_a_moment_to_come_nothing_is_told(page: Client, address: str) -> None:
    query = {"userid": "imp-pub.0000", "at": shown_time(5000)}
    found = soup(page.get(address, query))
    assert not found.select("table.list tr[aria-current]")
    assert "(asked for)" not in words(found.select_one("table.list"))
    assert page.get(address, {**query, "format": "json"}).json()["stays"] == []


def test_the_exports_say_the_same(page: Client, address: str) -> None:
    whole = page.get(address, {"userid": "imp-pub.0000", "format": "json"}).json()
    assert [each["served_by"] for each in whole["stays"]] == ["imp-pub", "imp-sub"]
    assert whole["stays"][1]["epoch"] == 1
    assert whole["stays"][1]["until"] is None
    text = page.get(address, {"userid": "imp-pub.0000", "at": shown_time(101), "format": "csv"})
    assert text["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text.getvalue().decode())))
    assert [(row["served_by"], row["assigned_to"], row["group"]) for row in rows] == [
        ("imp-sub", "imp-pub", "pair")
    ]
    assert rows[0]["from"] == whole["stays"][1]["from"]


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ({"userid": ""}, "User ID is required."),
        ({"userid": "nobody"}, "There is no user 'nobody'."),
        ({"userid": "imp-pub.0000", "at": "yesterday"}, "Lab time must be a time such as"),
    ],
)
def test_what_is_wrong_is_said(
    page: Client, address: str, query: dict[str, str], rule: str
) -> None:
    answer = page.get(address, query)
    assert answer.status_code == 422
    assert rule in status(answer)


def test_the_page_begins_empty(page: Client, group: RedundancyGroup) -> None:
    answer = page.get(reverse("user_history"))
    assert answer.status_code == 200
    assert not soup(answer).select("table.list")


def test_a_cell_is_no_formula(page: Client, group: RedundancyGroup) -> None:
    add_users(rows=[("=cmd", "", "cmd@example.com", node("imp-pub"))], actor="")
    answer = page.get(reverse("user_history"), {"userid": "=cmd", "format": "csv"})
    assert b"'=cmd" in answer.getvalue()


def test_a_stay_without_a_session_has_no_client() -> None:
    assert Stay(0, None, "", "imp-pub", "signed out").client(1) == "no session"
