"""Signing users in and out by hand."""

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from redundancy.errors import Refused
from redundancy.keys import pack, unpack
from redundancy.models import (
    HaEvent,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    UserRecord,
)
from redundancy.monitor.audit import audit
from redundancy.operations.assignment import assign_users
from redundancy.operations.groups import disable_ha
from redundancy.operations.presence import share, sign, sign_share
from redundancy.operations.servers import add_server
from redundancy.operations.services import stop_service
from redundancy.operations.users import add_users, edit_user
from redundancy.selectors import effects
from redundancy.selectors.live import live_of
from redundancy.selectors.sessions import Home, of_homes, why_no_login
from redundancy.views import presence_sessions
from tests.labtime import stand_at
from tests.pages.html import soup, status, words
from tests.relogin.pair import BEGIN, USERS, go_home, logins, node, take_over


def one(name: str) -> PresenceUser:
    return PresenceUser.objects.get(userid=f"{name}.0000")


def only(name: str) -> QuerySet[PresenceUser]:
    return PresenceUser.objects.filter(userid=f"{name}.0000")


def last_event() -> str:
    return HaEvent.objects.order_by("-pk")[0].sentence


def test_a_user_signs_out_and_in_again(group: RedundancyGroup, sub: Server) -> None:
    assert sign(out=True, users=only("imp-pub"), actor="ann") == 1
    assert not PresenceSession.objects.filter(user=one("imp-pub")).exists()
    assert last_event() == "User imp-pub.0000 was signed out."
    assert not audit()
    stand_at(BEGIN + 5)
    take_over("imp-sub")
    now = stand_at(BEGIN + 9)
    sign(out=False, users=only("imp-pub"), actor="ann")
    session = PresenceSession.objects.get(user=one("imp-pub"))
    # At the holder, at once, with the limits of now.
    assert (session.node, session.relogin_at, session.limits_at) == (sub, now, now)
    assert not audit()
    go_home("imp-pub")
    assert not audit()


@pytest.mark.parametrize(
    ("out", "sentence"), [(True, "is signed out already"), (False, "is signed in already")]
)
def test_nothing_to_do_is_refused(group: RedundancyGroup, out: bool, sentence: str) -> None:
    if out:
        sign(out=True, users=only("imp-pub"), actor="")
    with pytest.raises(Refused, match=sentence):
        sign(out=out, users=only("imp-pub"), actor="")


def test_who_has_no_node_cannot_sign_in(group: RedundancyGroup) -> None:
    disable_ha(group=group, actor="")
    assign_users(users=only("imp-pub"), node=None, actor="")
    with pytest.raises(Refused, match="is not assigned to a node"):
        sign(out=False, users=only("imp-pub"), actor="")


def test_a_share_is_one_of_those_assigned(group: RedundancyGroup, pub: Server, sub: Server) -> None:
    assert sign_share(out=True, node=pub, percent=10, actor="") == USERS // 10
    assert last_event() == f"{USERS // 10} users were signed out (10 % of imp-pub)."
    # Another tenth of all of them, not of those that are left.
    assert sign_share(out=True, node=pub, percent=10, actor="") == USERS // 10
    assert sign_share(out=False, node=pub, percent=100, actor="") == USERS // 5
    with pytest.raises(Refused, match="Nobody of 10 % of imp-pub is signed out"):
        sign_share(out=False, node=pub, percent=10, actor="")
    assert of_homes([pub.pk, sub.pk]) == {pub.pk: Home(USERS, USERS), sub.pk: Home(USERS, USERS)}
    assert not audit()


@pytest.mark.parametrize("percent", [0, 101, -1])
def test_a_share_has_its_limits(group: RedundancyGroup, pub: Server, percent: int) -> None:
    with pytest.raises(Refused, match="from 1 to 100 percent") as caught:
        sign_share(out=True, node=pub, percent=percent, actor="")
    assert caught.value.field == "percent"


def test_only_a_node_has_users(group: RedundancyGroup) -> None:
    cucm = add_server(name="cucm", server_type="cucm", actor="")
    with pytest.raises(Refused, match="is not a server of type"):
        sign_share(out=True, node=cucm, percent=1, actor="")


def test_shares() -> None:
    assert [share(200, percent) for percent in (1, 10, 50, 100)] == [2, 20, 100, 200]
    assert [share(3, percent) for percent in (1, 50, 100)] == [1, 2, 3]
    assert share(0, 50) == 0


def test_who_is_signed_out_stays_so_wherever_assigned(group: RedundancyGroup, sub: Server) -> None:
    disable_ha(group=group, actor="")
    both = PresenceUser.objects.filter(userid__in=["imp-pub.0000", "imp-pub.0001"])
    sign(out=True, users=both, actor="")
    assign_users(users=only("imp-pub"), node=None, actor="")
    assign_users(users=both, node=sub, actor="")
    user = one("imp-pub")
    edit_user(
        user=user, display_name="", im_address=user.im_address, home=node("imp-pub"), actor=""
    )
    assert not PresenceSession.objects.filter(user__in=both).exists()
    assert not audit()


def test_a_move_leaves_them_alone(group: RedundancyGroup, pub: Server) -> None:
    sign_share(out=True, node=pub, percent=50, actor="")
    stand_at(BEGIN + 5)
    take_over("imp-sub")
    assert len(logins("imp-pub")) == USERS // 2
    assert of_homes([pub.pk])[pub.pk] == Home(USERS, USERS // 2, USERS // 2)
    assert of_homes([pub.pk])[pub.pk].signed_out == USERS // 2
    assert not audit()


def test_the_effects_count_those_who_are_really_away(
    group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    sign_share(out=True, node=pub, percent=50, actor="")
    sign_share(out=True, node=sub, percent=50, actor="")
    stand_at(BEGIN + 5)
    take_over("imp-sub")
    first, second = live_of([group.pk])[group.pk].rows
    servers = {pub.pk: pub, sub.pk: sub}
    told = " ".join(effects.fallback(first, second, servers))
    assert f"{USERS // 2} sessions move to imp-pub." in told


def test_it_takes_as_many_statements_however_many_users(
    group: RedundancyGroup, pub: Server
) -> None:
    def statements(percent: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            sign_share(out=True, node=pub, percent=percent, actor="")
            sign_share(out=False, node=pub, percent=percent, actor="")
        return len(seen)

    assert statements(1) == statements(100)


@pytest.mark.parametrize("keys", [[], [0], [5], [7, 3, 5], [1, 2**40], list(range(9, 9000, 7))])
def test_keys_are_packed_and_unpacked(keys: list[int]) -> None:
    assert unpack(pack(keys)) == set(keys)


def test_many_keys_take_few_bytes() -> None:
    assert len(pack(range(1, 75_001))) < 2000
    assert len(pack(range(1, 75_001, 10))) < 2000


def test_a_record_for_each_thing_that_is_done(group: RedundancyGroup, pub: Server) -> None:
    add_users(rows=[("zoe", "", "zoe@example.com", pub)], actor="")
    sign_share(out=True, node=pub, percent=10, actor="")
    disable_ha(group=group, actor="")
    assign_users(users=PresenceUser.objects.all(), node=None, actor="")
    told = [str(record) for record in UserRecord.objects.order_by("pk")]
    assert sorted(told[:2]) == [
        f"{USERS} users assigned imp-pub",
        f"{USERS} users assigned imp-sub",
    ]
    assert told[2:] == [
        "1 users assigned imp-pub",
        f"{USERS // 10} users signed out",
        f"{2 * USERS + 1} users unassigned",
    ]


# --- the page ------------------------------------------------------------------------------------


def test_the_page_shows_the_sessions_by_server(
    page: Client, group: RedundancyGroup, pub: Server
) -> None:
    sign_share(out=True, node=pub, percent=10, actor="")
    stand_at(BEGIN + 5)
    take_over("imp-sub")
    shown = soup(page.get(reverse("session_list")))
    rows = [
        [words(cell) for cell in row.select("td")] for row in shown.select("table.list tbody tr")
    ]
    assert rows == [
        ["imp-pub", "200", "180", "20", "180", "0"],
        ["imp-sub", "200", "200", "0", "0", "200 (180 waiting to log in)"],
    ]


def test_many_servers_are_shown_page_by_page(
    page: Client, group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_sessions, "ROWS", 1)
    names = []
    for number in (1, 2):
        shown = soup(page.get(reverse("session_list"), {"page": number}))
        names += [words(row.select("td")[0]) for row in shown.select("table.list tbody tr")]
    assert names == ["imp-pub", "imp-sub"]
    assert [(a.text, a["href"]) for a in shown.select(".pager a")] == [
        ("First", "?page=1"),
        ("Previous", "?page=1"),
    ]


def asked(**fields: str | int) -> dict[str, str | int]:
    begin: dict[str, str | int] = {"userid": "", "node": "", "percent": "", "act": "out"}
    return begin | fields


def test_it_asks_before_it_signs_out(page: Client, group: RedundancyGroup, pub: Server) -> None:
    given = asked(node=pub.pk, percent=10)
    question = page.get(reverse("session_sign"), given)
    text = words(soup(question).select_one(".confirm"))
    assert "Sign Out 10 % of the users assigned to imp-pub?" in text
    assert "20 users of the 200 who are signed in, picked at random." in text
    assert PresenceSession.objects.count() == 2 * USERS
    fields = {
        str(field["name"]): field.get("value", "")
        for field in soup(question).select(".confirm input")
    }
    answer = page.post(reverse("session_sign"), fields, follow=True)
    assert "20 users were signed out." in status(answer)
    assert PresenceSession.objects.count() == 2 * USERS - 20
    assert HaEvent.objects.order_by("-pk")[0].actor == "ccmadmin"


def test_a_login_is_not_promised_where_none_is_possible(
    page: Client, group: RedundancyGroup, pub: Server
) -> None:
    stop_service(server=pub, name="Cisco Client Profile Agent", actor="")
    told = "Nobody can log in at imp-pub: Cisco Client Profile Agent does not run there."
    for given in ({"node": pub.pk, "percent": 10}, {"userid": "imp-pub.0000"}):
        text = page.get(reverse("session_sign"), asked(act="in", **given)).text
        assert told in text
        assert "logs in at once" not in text
    assert why_no_login(node("imp-sub").pk) == ""
    # It is the node that serves the users now that counts.
    take_over("imp-pub")
    assert why_no_login(node("imp-sub").pk).startswith(told)
    assert why_no_login(None) == ""


def test_a_user_is_named_in_any_case(page: Client, group: RedundancyGroup) -> None:
    answer = page.post(reverse("session_sign"), asked(userid="IMP-PUB.0000"), follow=True)
    assert "1 user was signed out." in status(answer)
    again = page.post(reverse("session_sign"), asked(userid="imp-pub.0000"))
    assert again.status_code == 409
    assert "imp-pub.0000 is signed out already" in status(again)
    back = page.post(reverse("session_sign"), asked(userid="imp-pub.0000", act="in"), follow=True)
    assert "1 user was signed in." in status(back)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({}, "one of the two"),
        ({"userid": "imp-pub.0000", "node": "PUB", "percent": 1}, "one of the two"),
        ({"userid": "nobody"}, "There is no user 'nobody'"),
        ({"node": "PUB"}, "Share (percent) must be"),
        ({"node": "PUB", "percent": 0}, "Share (percent) must be"),
        ({"node": "PUB", "percent": "x"}, "Share (percent) must be"),
        ({"node": 10**9, "percent": 5}, "choose one of the list"),
        ({"userid": "imp-pub.0000", "act": "sideways"}, "choose one of the list"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_wrong_is_said(
    page: Client, group: RedundancyGroup, pub: Server, fields: dict, rule: str, method: str
) -> None:
    given = {name: pub.pk if value == "PUB" else value for name, value in asked(**fields).items()}
    answer = getattr(page, method)(reverse("session_sign"), given)
    assert answer.status_code == 422
    assert rule in status(answer)
    assert PresenceSession.objects.count() == 2 * USERS


def test_the_reader_looks_only(reader: Client, group: RedundancyGroup) -> None:
    shown = soup(reader.get(reverse("session_list")))
    assert not shown.select("main form[action] button[name=act]")
    assert reader.get(reverse("session_sign"), asked(userid="imp-pub.0000")).status_code == 403
    assert reader.post(reverse("session_sign"), asked(userid="imp-pub.0000")).status_code == 403
