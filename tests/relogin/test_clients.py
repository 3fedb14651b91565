"""Several clients of each user: what moves, returns and counts."""

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.alarms.reads import CROWDED_SECONDS, crowded
from redundancy.catalog import LOGIN_SERVICES, XCP_ROUTER
from redundancy.clock import lab_now
from redundancy.models import (
    HaEvent,
    NodeService,
    PresenceSession,
    RedundancyGroup,
    Server,
    SessionMove,
)
from redundancy.operations import access
from redundancy.operations.services import restart_service
from redundancy.selectors import forecast
from redundancy.selectors.logins import last_move, logins_of, measured_logins
from redundancy.selectors.presence import counted_sessions
from tests.labtime import stand_at
from tests.pages.html import soup, words
from tests.relogin.clients import effects, have
from tests.relogin.pair import BEGIN, USERS, go_home, node, take_over


def test_sessions_of_the_engine_count_clients(group: RedundancyGroup, pub: Server) -> None:
    assert counted_sessions([pub.pk], BEGIN) == {pub.pk: USERS}
    have(clients=3)
    assert counted_sessions([pub.pk], BEGIN) == {pub.pk: 3 * USERS}


def test_a_node_is_crowded_by_clients(group: RedundancyGroup, pub: Server) -> None:
    Server.objects.filter(pk=pub.pk).update(node_size=2 * USERS)
    now = stand_at(BEGIN + CROWDED_SECONDS + 1)
    assert crowded(now) == []
    have(clients=2)
    assert [alarm.node_name for alarm in crowded(now)] == ["imp-pub"]


def test_twice_the_clients_are_twice_the_load_at_the_same_time(
    group: RedundancyGroup, sub: Server
) -> None:
    one = forecast.of_takeover(group, sub)
    have(clients=2)
    two = forecast.of_takeover(group, sub)
    assert (one.moved, two.moved, two.sessions) == (USERS, USERS, 2 * USERS)
    assert two.peak == 2 * one.peak
    assert (two.bands, two.milestones) == (one.bands, one.milestones)


def test_a_move_keeps_how_many_clients_there_were(group: RedundancyGroup) -> None:
    have(clients=2)
    take_over("imp-sub")
    move = SessionMove.objects.get()
    assert (move.moved, move.sessions) == (USERS, 2 * USERS)
    sentence = "400 sessions of 200 users moved to imp-sub."
    assert move.event.sentence == sentence
    now = stand_at(BEGIN + 300)
    before = logins_of(last_move(group.pk), now)
    measured = measured_logins(move, now)
    have(clients=5)
    assert logins_of(last_move(group.pk), now) == before
    assert measured_logins(move, now) == measured
    assert before is not None
    users = PresenceSession.objects.filter(user__home__name="imp-pub", relogin_at__lte=now).count()
    assert (before.done, before.logins, before.waiting) == (users, 2 * users, USERS - users)
    assert before.waiting_clients == 2 * (USERS - users)
    # The scale at the right is of users.
    assert before.spans[-1].active == USERS + users
    assert before.peak.rate == measured.peak
    assert before.expected == pytest.approx(2 * USERS / (537 - 120))
    assert measured.logged_in == users


def test_plot_and_record_say_the_same(group: RedundancyGroup) -> None:
    have(clients=4)
    take_over("imp-sub")
    found = logins_of(last_move(group.pk), stand_at(BEGIN + 600))
    assert found is not None
    measured = measured_logins(SessionMove.objects.get(), lab_now())
    recorded = [measured.until(percent) for percent in (50, 95, 100)]
    assert [seconds for _, seconds in found.milestones] == pytest.approx(recorded, abs=0.1)
    assert (found.done, found.logins, found.waiting, found.others) == (USERS, 4 * USERS, 0, 0)
    go_home("imp-pub")
    assert HaEvent.objects.latest("pk").sentence == "800 sessions of 200 users went home."


def test_clients_that_log_in_again_are_counted(group: RedundancyGroup) -> None:
    have(clients=2)
    stand_at(BEGIN + 10)
    restart_service(server=node("imp-pub"), name=XCP_ROUTER, actor="")
    NodeService.objects.filter(name__in=LOGIN_SERVICES).update(running=True)
    access.follow_all(BEGIN + 10)
    access.let_in()
    move = SessionMove.objects.get()
    assert move.event.sentence == "400 clients of 200 users log in at imp-pub again."
    assert move.clients_per_user == 2


def test_the_pages_say_which_are_users_and_which_clients(
    page: Client, group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    have(clients=2)
    told = effects(page, group, pub)
    assert "400 sessions of 200 users move to imp-sub." in told
    assert "200 users on imp-pub are disconnected and log in at imp-sub." in told
    assert (
        "Each user has 2 clients, which log in together: sessions and logins count clients." in told
    )
    take_over("imp-sub")
    stand_at(BEGIN + 300)
    shown = soup(page.get(reverse("group_logins", args=[group.pk])))
    text = words(shown.select_one("#live"))
    assert "400 sessions of 200 users moved to imp-sub." in text
    done = PresenceSession.objects.filter(
        user__home__name="imp-pub", relogin_at__lte=BEGIN + 300
    ).count()
    left = USERS - done
    assert f"{done} users ({2 * done} clients) logged in" in text
    assert f"{left} users ({2 * left} clients) waiting to log in." in text
    table = [words(row.select("td")[2]) for row in shown.select(".logins tbody tr")]
    assert sum(int(cell) for cell in table) == 2 * done
