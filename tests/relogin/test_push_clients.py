"""Push clients: they come back late, and pages, record and audit know it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from redundancy.catalog import LOGIN_SERVICES, XCP_ROUTER
from redundancy.clock import lab_now
from redundancy.models import (
    HaEvent,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    ReloginLimits,
    Server,
    SessionMove,
)
from redundancy.operations import access, power
from redundancy.operations.groups import disable_ha
from redundancy.operations.measured import keep_complete
from redundancy.operations.services import restart_service
from redundancy.pages.login_chart import draw
from redundancy.relogin import LoginBand
from redundancy.selectors import forecast
from redundancy.selectors.logins import last_move, logins_of, measured_logins
from redundancy.selectors.whereabouts import stays
from redundancy.srm.clients import PUSH_WAIT, has_push_clients
from redundancy.srm.states import Reason
from tests.labtime import seed_database, stand_at
from tests.pages.html import rows, soup, words
from tests.relogin.clients import breaches, effects, have
from tests.relogin.pair import BEGIN, USERS, go_home, node, set_limits, take_over
from tests.uniform import distance, limit

LATEST = PUSH_WAIT[1]


def waits(push: int, home: str = "imp-pub") -> tuple[list[float], list[float]]:
    """When push clients of this home log in after BEGIN, and when the others do."""
    found: dict[bool, list[float]] = {True: [], False: []}
    sessions = PresenceSession.objects.filter(user__home__name=home)
    for user, moment in sessions.values_list("user", "relogin_at"):
        found[has_push_clients(user, push)].append(moment - BEGIN)
    return found[True], found[False]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("push", [10, 50, 75])
def test_their_share_waits_for_ten_to_twenty_minutes(
    group: RedundancyGroup, seed: int, push: int
) -> None:
    have(push=push)
    seed_database(seed)
    take_over("imp-sub")
    theirs, others = waits(push)
    assert len(theirs) == pytest.approx(USERS * push / 100, abs=3)
    assert distance(theirs, *PUSH_WAIT) < limit(len(theirs))
    assert distance(others, 120, 537) < limit(len(others))
    assert set(waits(push, "imp-sub")[0]) == {0}
    assert breaches() == []


def test_all_of_them(group: RedundancyGroup) -> None:
    have(push=100)
    take_over("imp-sub")
    theirs, others = waits(100)
    assert (len(theirs), others) == (USERS, [])
    assert PUSH_WAIT[0] <= min(theirs) <= max(theirs) <= LATEST
    assert breaches() == []


def test_they_wait_as_long_on_the_way_home_and_are_the_same_users(group: RedundancyGroup) -> None:
    have(push=25)
    take_over("imp-sub")
    first = waits(25)
    stand_at(BEGIN + 2000)
    go_home("imp-pub")
    theirs, others = waits(25)
    assert (len(theirs), len(others)) == tuple(map(len, first))
    assert distance([at - 2000 for at in theirs], *PUSH_WAIT) < limit(len(theirs))
    assert max(others) <= 2000 + 537
    stand_at(BEGIN + 9000)
    take_over("imp-sub")
    stand_at(BEGIN + 20_000)
    disable_ha(group=RedundancyGroup.objects.get(), actor="")
    theirs, others = waits(25)
    assert min(theirs) >= 20_000 + 600
    assert max(others) <= 20_000 + 537
    assert breaches() == []


def test_limits_of_the_node_do_not_reach_them(group: RedundancyGroup) -> None:
    set_limits("imp-sub", 0, 1)
    ReloginLimits.objects.update(at=BEGIN - 1)
    stand_at(BEGIN + 5)
    set_limits("imp-sub", 3000, 4000)
    have(push=50)
    take_over("imp-sub")
    theirs, others = waits(50)
    assert min(theirs) >= 5 + 600
    assert max(others) <= 5 + 1
    move = SessionMove.objects.get()
    assert (move.lower, move.upper, move.push_clients) == (0, 1, 50)
    assert move.latest == LATEST


def test_it_is_one_statement_with_them_too(group: RedundancyGroup) -> None:
    have(push=25)
    with CaptureQueriesContext(connection) as seen:
        take_over("imp-sub")
    touching = [query["sql"] for query in seen if "redundancy_presencesession" in query["sql"]]
    assert [sql.split()[0] for sql in touching] == ["SELECT", "UPDATE"]


def test_a_setting_that_changes_later_is_not_that_of_the_move(group: RedundancyGroup) -> None:
    have(push=25)
    take_over("imp-sub")
    have(push=0)
    assert breaches() == []
    have(push=75)
    assert breaches() == []
    now = stand_at(BEGIN + 700)
    # Not complete at the Upper Limit of the others.
    assert keep_complete(now) == 0
    assert keep_complete(stand_at(BEGIN + LATEST + 1)) == 1
    move = SessionMove.objects.get()
    found = measured_logins(move, lab_now())
    assert (found.logged_in, found.complete) == (USERS, True)
    assert 600 < found.last <= LATEST


@pytest.mark.parametrize(("user", "wait"), [(True, 300.0), (False, 700.0), (True, 1300.0)])
def test_the_audit_knows_who_has_to_wait_for_how_long(
    group: RedundancyGroup, user: bool, wait: float
) -> None:
    have(push=25)
    take_over("imp-sub")
    keys = PresenceUser.objects.filter(home__name="imp-pub").values_list("pk", flat=True)
    one = next(pk for pk in keys if has_push_clients(pk, 25) is user)
    PresenceSession.objects.filter(user=one).update(relogin_at=BEGIN + wait)
    (breach,) = breaches()
    assert "log in at imp-sub" in breach
    assert ("not 600 s to 1200 s" if user else "not 120 s to 537 s") in breach


def test_who_served_a_user_says_when_it_may_have_logged_in(group: RedundancyGroup) -> None:
    have(push=25)
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    stand_at(BEGIN + 2000)
    go_home("imp-pub")
    for user in PresenceUser.objects.filter(home__name="imp-pub")[:20]:
        _, away, _ = stays(user)
        wait = PUSH_WAIT if has_push_clients(user.pk, 25) else (120, 537)
        assert (away.earliest, away.latest) == (BEGIN + 10 + wait[0], BEGIN + 10 + wait[1])


def test_they_are_forecast_apart(group: RedundancyGroup, sub: Server) -> None:
    have(push=25)
    expected = forecast.of_takeover(group, sub)
    keys = PresenceUser.objects.filter(home__name="imp-pub").values_list("pk", flat=True)
    theirs = sum(has_push_clients(pk, 25) for pk in keys)
    assert expected.bands == (
        LoginBand(120, 537, USERS - theirs),
        LoginBand(*PUSH_WAIT, theirs),
    )
    assert (expected.moved, expected.pushed) == (USERS, theirs)
    assert expected.until(100) == pytest.approx(LATEST)
    take_over("imp-sub")
    found = logins_of(last_move(group.pk), BEGIN + 10)
    assert found is not None
    assert found.width == expected.span


@pytest.mark.parametrize(
    ("reason", "fate"),
    [
        (Reason.PEER_DOWN, "Their unread messages are lost, as the failure was sudden."),
        (
            Reason.CRITICAL_SERVICE_DOWN,
            "Their unread messages are lost, as the failure was sudden.",
        ),
        (Reason.ON_ADMIN_REQUEST, "Their unread messages are kept, as nothing fails."),
        (Reason.PEER_REBOOT, "Their unread messages are kept, as nothing fails."),
    ],
)
def test_the_history_says_what_becomes_of_unread_messages(
    group: RedundancyGroup, reason: Reason, fate: str
) -> None:
    have(push=50)
    NodeRuntime.objects.filter(server=node("imp-sub")).update(reason=reason)
    take_over("imp-sub")
    theirs, _ = waits(50)
    assert HaEvent.objects.latest("pk").sentence == (
        f"200 sessions moved to imp-sub. {len(theirs)} users have push clients, which return only "
        f"after 10 to 20 minutes. {fate}"
    )
    stand_at(BEGIN + 2000)
    go_home("imp-pub")
    assert HaEvent.objects.latest("pk").sentence.endswith("are kept, as nothing fails.")


def test_the_confirmation_says_how_long_they_take(
    page: Client, group: RedundancyGroup, pub: Server
) -> None:
    assert "push clients" not in effects(page, group, pub)
    have(push=25)
    keys = PresenceUser.objects.filter(home__name="imp-pub").values_list("pk", flat=True)
    theirs = sum(has_push_clients(pk, 25) for pk in keys)
    told = effects(page, group, pub)
    assert (
        f"{theirs} users have push clients, which return only after 10 to 20 minutes. Their unread "
        "messages are kept, as nothing fails."
    ) in told
    assert "100 % after 20 min" in told


def test_after_a_restart_they_come_back_late(group: RedundancyGroup) -> None:
    have(push=25)
    stand_at(BEGIN + 50)
    restart_service(server=node("imp-pub"), name=XCP_ROUTER, actor="")
    NodeService.objects.filter(name__in=LOGIN_SERVICES).update(running=True)
    access.follow_all(BEGIN + 50)
    assert access.let_in() == 1
    theirs, others = waits(25)
    assert distance([at - 50 for at in theirs], *PUSH_WAIT) < limit(len(theirs))
    assert distance([at - 50 for at in others], 120, 537) < limit(len(others))
    move = SessionMove.objects.get()
    assert 115 <= move.lower <= move.upper <= 537
    assert breaches() == []


def test_after_a_long_outage_what_is_left_of_their_wait(group: RedundancyGroup) -> None:
    have(push=50)
    stand_at(BEGIN + 10)
    power.power_off(server=node("imp-pub"), actor="")
    stand_at(BEGIN + 100_000)
    power.power_on(server=node("imp-pub"), actor="")
    assert access.let_in() == 1
    theirs, others = ([at - 100_000 for at in some] for some in waits(50))
    assert max(others) <= 537
    assert 0 <= min(theirs) < 100
    assert 600 < max(theirs) <= LATEST
    # The mean of what is left is E[w²] / 2 E[w]: 467 s; sd 278 s.
    assert abs(sum(theirs) / len(theirs) - 467) < 4 * 278 / len(theirs) ** 0.5
    assert breaches() == []
    found = logins_of(last_move(group.pk), lab_now())
    assert found is not None
    assert (found.waiting, found.push_window) == (USERS, None)
    assert draw(found).push is None


def test_the_plot_expects_them_apart(page: Client, group: RedundancyGroup) -> None:
    have(clients=2, push=50)
    take_over("imp-sub")
    found = logins_of(last_move(group.pk), stand_at(BEGIN + 900))
    assert found is not None
    assert found.expected == pytest.approx(USERS / 417)
    assert found.push_expected == pytest.approx(USERS / 600)
    chart = draw(found)
    assert chart.push is not None
    assert chart.left < chart.expected[0] < chart.expected[1] < chart.push[0] < chart.push[1]
    assert chart.push[1] == chart.right
    shown = soup(page.get(reverse("group_logins", args=[group.pk])))
    assert "expected of push clients: 0.3 per second from 10 min to 20 min" in words(
        shown.select_one("#live")
    )
    assert len(shown.select("svg.plot > .plot-expected")) == 2


def test_forecast_and_measured_name_both(page: Client, group: RedundancyGroup) -> None:
    have(clients=2, push=25)
    take_over("imp-sub")
    stand_at(BEGIN + 2000)
    disable_ha(group=RedundancyGroup.objects.get(), actor="ann")
    have()
    stand_at(BEGIN + 4000)
    table = {row[0]: row[1:] for row in rows(page.get(reverse("group_logins", args=[group.pk])))}
    assert table["Sessions moved"] == ["400 of 200 users", "400 of 200 users"]
    assert table["100 % back"][0] == "after 20 min"
