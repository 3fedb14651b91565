"""Clients log in only where the services that they need run, and come back at moments of their own."""

import math
from statistics import mean
from typing import Any

import pytest

from redundancy.catalog import CONNECTION_MANAGER, CONNECTION_SERVICES, LOGIN_SERVICES, XCP_ROUTER
from redundancy.clock import lab_now
from redundancy.models import (
    HaEvent,
    Machine,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    SessionMove,
)
from redundancy.monitor.audit import audit
from redundancy.operations import access, power
from redundancy.operations.measured import keep_complete
from redundancy.operations.services import restart_service, start_service, stop_service
from redundancy.selectors.access import missing_services
from redundancy.selectors.logins import last_move, logins_of, measured_logins
from redundancy.selectors.presence import Presence, presence
from redundancy.selectors.users import places
from redundancy.selectors.whereabouts import stays
from tests.labtime import stand_at
from tests.relogin.pair import BEGIN, USERS, go_home, logins, node, set_limits, take_over

AUTHENTICATION = "Cisco XCP Authentication Service"
AGENT = "Cisco Client Profile Agent"


def seen(name: str = "imp-pub") -> Presence:
    pk = node(name).pk
    return presence([pk], lab_now())[pk]


def stop(name: str, at: float, server: str = "imp-pub") -> None:
    stand_at(BEGIN + at)
    stop_service(server=node(server), name=name, actor="")


def start(name: str, at: float, server: str = "imp-pub") -> None:
    stand_at(BEGIN + at)
    start_service(server=node(server), name=name, actor="")


def breaches() -> list[str]:
    return [breach.whole_sentence for breach in audit()]


@pytest.mark.parametrize("name", LOGIN_SERVICES)
def test_without_one_of_them_nobody_logs_in(group: RedundancyGroup, name: str) -> None:
    stop(name, 10)
    # SRM moves everybody to imp-pub, whatever runs there.
    take_over("imp-pub")
    stand_at(BEGIN + 900)
    here = seen()
    stayed = 0 if name in CONNECTION_SERVICES else USERS
    assert (here.active, here.waiting, here.serves) == (stayed, 2 * USERS - stayed, False)
    assert name in missing_services([node("imp-pub").pk])[node("imp-pub").pk]
    assert access.let_in() == 0
    assert breaches() == []


def test_other_services_are_not_needed(group: RedundancyGroup) -> None:
    for name in set(NodeService.objects.filter(running=True).values_list("name", flat=True)):
        if name not in LOGIN_SERVICES:
            stop(name, 10)
    here = seen()
    assert (here.active, here.waiting, here.serves) == (USERS, 0, True)


def test_who_is_connected_stays_so_while_logins_are_impossible(group: RedundancyGroup) -> None:
    stop(AGENT, 10)
    stop(AUTHENTICATION, 20)
    start(AUTHENTICATION, 500)
    start(AGENT, 600)
    assert access.let_in() == 0
    assert (seen().active, seen().serves) == (USERS, True)
    assert set(logins("imp-pub")) == {0}


@pytest.mark.parametrize("name", CONNECTION_SERVICES)
def test_a_restart_disconnects_everybody(group: RedundancyGroup, name: str) -> None:
    stand_at(BEGIN + 50)
    set_limits("imp-pub", 0, 0)
    restart_service(server=node("imp-pub"), name=name, actor="")
    # Until the next sweep nobody has a moment to log in at.
    assert (seen().active, seen().serves) == (0, True)
    assert access.let_in() == 1
    # The limits of their login, not those of now.
    assert 50 + 120 <= min(logins("imp-pub")) < max(logins("imp-pub")) <= 50 + 537
    assert set(logins("imp-sub")) == {0}
    stand_at(BEGIN + 50 + 537)
    assert (seen().active, seen("imp-sub").active) == (USERS, USERS)
    assert access.let_in() == 0


def test_a_short_outage_is_like_a_move(group: RedundancyGroup) -> None:
    # The other XCP services stay stopped: nobody can log in, though the router runs.
    stop(XCP_ROUTER, 10)
    start(XCP_ROUTER, 20)
    assert (access.let_in(), seen().active, seen().serves) == (0, 0, False)
    start(CONNECTION_MANAGER, 40)
    start(AUTHENTICATION, 60)
    assert access.let_in() == 1
    # They began to wait when they lost their connection.
    assert 10 + 120 <= min(logins("imp-pub")) < 180
    assert 500 < max(logins("imp-pub")) <= 10 + 537


def test_after_a_long_outage_each_has_a_moment_of_its_own(group: RedundancyGroup) -> None:
    stand_at(BEGIN + 10)
    power.power_off(server=node("imp-pub"), actor="")
    stand_at(BEGIN + 100_000)
    power.power_on(server=node("imp-pub"), actor="")
    assert access.let_in() == 1
    after = [moment - 100_000 for moment in logins("imp-pub")]
    assert 0 <= min(after) < 40
    assert max(after) <= 537
    # What is left of a wait of 120 to 537 s: the mean is E[w²] / 2 E[w], 186 s; sd 120 s.
    assert abs(mean(after) - 186) < 5 * 120 / math.sqrt(USERS)
    assert len({round(moment) for moment in after}) > USERS / 4


def test_some_tried_in_vain_and_some_had_not_tried_yet(group: RedundancyGroup) -> None:
    stop(CONNECTION_MANAGER, 0.5)
    start(CONNECTION_MANAGER, 300.5)
    assert access.let_in() == 1
    found = logins("imp-pub")
    assert all(300 <= moment <= 300 + 537 for moment in found)
    # Those that had not tried keep their moment; nobody tries twice within 120 s.
    assert any(moment > 540 for moment in found)


def test_without_limits_it_is_a_storm(group: RedundancyGroup) -> None:
    set_limits("imp-pub", 0, 0)
    PresenceSession.objects.update(relogin_at=BEGIN + 1, limits_at=BEGIN + 1)
    stop(XCP_ROUTER, 10)
    for number, name in enumerate(LOGIN_SERVICES):
        start(name, 1000 + number)
    access.let_in()
    assert set(logins("imp-pub")) == {1000 + len(LOGIN_SERVICES) - 1}
    stand_at(lab_now() + 1)
    found = logins_of(last_move(group.pk), lab_now())
    assert found is not None
    assert (found.done, len(found.spans), found.stayed) == (USERS, 1, USERS)


def test_it_is_an_event_and_the_plot_tells_of_it(group: RedundancyGroup) -> None:
    stop(CONNECTION_MANAGER, 10)
    start(CONNECTION_MANAGER, 11)
    access.let_in()
    move = SessionMove.objects.get()
    assert (move.again, move.moved, move.holder, move.group) == (True, USERS, None, group)
    assert (move.event.sentence, move.event.node_name) == (
        f"{USERS} clients log in at imp-pub again.",
        "imp-pub",
    )
    assert 118 <= move.lower <= move.upper <= 537
    found = logins_of(last_move(group.pk), stand_at(BEGIN + 300))
    assert found is not None
    assert found.done + found.waiting == USERS
    assert found.stayed == USERS
    assert breaches() == []
    user = PresenceUser.objects.get(userid="imp-pub.0000")
    *_, stay = stays(user)
    assert (stay.server, stay.begin) == ("imp-pub", BEGIN + 11)
    *_, other = stays(PresenceUser.objects.get(userid="imp-sub.0000"))
    assert other.begin == BEGIN


def test_who_tried_in_vain_does_not_count_as_back(group: RedundancyGroup) -> None:
    stop(AUTHENTICATION, 0, server="imp-sub")
    take_over("imp-sub")
    move = SessionMove.objects.get()
    stand_at(BEGIN + 600)
    found = logins_of(last_move(group.pk), lab_now())
    assert found is not None
    assert (found.done, found.waiting, found.stayed) == (0, USERS, USERS)
    # Not complete, however much later than its limits.
    assert keep_complete(lab_now()) == 0
    start(AUTHENTICATION, 700, server="imp-sub")
    access.let_in()
    move.refresh_from_db()
    measured = measured_logins(move, lab_now())
    assert (measured.logged_in, measured.overtaken, measured.waited) == (0, USERS, USERS * 700)
    again = SessionMove.objects.select_related("event").get(again=True)
    assert (again.moved, again.holder_name) == (USERS, "imp-sub")
    assert again.event.inputs == {"lost": 0, "lost_at": BEGIN + 700}


def test_a_move_takes_those_along_who_tried_in_vain(group: RedundancyGroup) -> None:
    stop(AUTHENTICATION, 0, server="imp-sub")
    take_over("imp-sub")
    stand_at(BEGIN + 600)
    set_limits("imp-pub", 0, 0)
    take_over("imp-pub")
    # They never logged in at imp-sub, so they keep the limits of before.
    waits = [moment - 600 for moment in logins("imp-pub")]
    assert 120 <= min(waits) < max(waits) <= 537


def test_a_service_that_stops_again_lets_nobody_in(group: RedundancyGroup) -> None:
    stop(XCP_ROUTER, 10)
    for name in LOGIN_SERVICES:
        start(name, 20)
    stop(AGENT, 21)
    assert (access.let_in(), seen().active, seen().serves) == (0, 0, False)
    start(AGENT, 22)
    assert (access.let_in(), seen().serves) == (1, True)


def test_what_is_written_past_the_operations_is_noticed(group: RedundancyGroup) -> None:
    NodeService.objects.filter(name=AGENT).update(running=False)
    assert "imp-pub" in " ".join(breaches())
    access.follow_all(BEGIN)
    assert breaches() == []
    assert Machine.objects.filter(logins_stopped_at=BEGIN).count() == 2


def test_the_list_of_users_says_the_same(group: RedundancyGroup) -> None:
    stop(AUTHENTICATION, 5)
    take_over("imp-pub")
    keys = list(PresenceUser.objects.values_list("pk", flat=True))

    def states() -> set[str]:
        return {place.session for place in places(keys).values()}

    stand_at(BEGIN + 900)
    assert states() == {"Active", "Not served"}
    start(AUTHENTICATION, 901)
    assert states() == {"Active", "Waiting to log in"}


def test_a_node_in_no_group(db: None, group: RedundancyGroup) -> None:
    Server.objects.filter(name="imp-sub").update(group=None, slot=None)
    stop(CONNECTION_MANAGER, 10, server="imp-sub")
    start(CONNECTION_MANAGER, 30, server="imp-sub")
    assert access.let_in() == 1
    assert (SessionMove.objects.get().group, SessionMove.objects.get().first_name) == (
        None,
        "imp-sub",
    )
    assert breaches() == []
    assert HaEvent.objects.filter(node_name="imp-sub", kind="move").count() == 1


def test_who_reaches_no_node_for_long_gives_up(group: RedundancyGroup, settings: Any) -> None:
    settings.LAB_CLIENTS_GIVE_UP_MINUTES = 30
    stop(AUTHENTICATION, 0, server="imp-sub")
    take_over("imp-sub")
    stop(XCP_ROUTER, 600, server="imp-sub")
    # Those of imp-pub never logged in at imp-sub; its own lost it ten minutes later.
    assert access.give_up(BEGIN + 1799) == 0
    assert access.give_up(BEGIN + 1801) == USERS
    assert not PresenceSession.objects.filter(user__home__name="imp-pub").exists()
    event = HaEvent.objects.first()
    assert event is not None
    assert event.sentence == "200 users were signed out (reached no server for 30 min)."
    assert access.give_up(BEGIN + 2399) == 0
    assert access.give_up(BEGIN + 2401) == USERS
    assert PresenceUser.objects.filter(signed_out=True).count() == 2 * USERS
    assert breaches() == []


def test_nobody_gives_up_where_no_time_is_set(group: RedundancyGroup) -> None:
    stop(XCP_ROUTER, 0)
    assert access.give_up(BEGIN + 1_000_000) == 0


def test_who_may_log_in_again_does_not_give_up(group: RedundancyGroup, settings: Any) -> None:
    settings.LAB_CLIENTS_GIVE_UP_MINUTES = 1
    stop(CONNECTION_MANAGER, 0)
    start(CONNECTION_MANAGER, 10_000)
    assert access.give_up(BEGIN + 10_000) == 0
    access.let_in()
    assert access.give_up(BEGIN + 10_100) == 0


def test_what_happens_to_both_nodes_at_one_moment_is_told_apart(group: RedundancyGroup) -> None:
    """Clients of one node are judged by their own limits, not by those of the other."""
    for name, lower in (("imp-pub", 10), ("imp-sub", 2000)):
        set_limits(name, lower, lower + 10)
    # With these limits they log in.
    take_over("imp-pub")
    stand_at(BEGIN + 3000)
    go_home("imp-pub")
    stand_at(BEGIN + 9000)
    for name in ("imp-pub", "imp-sub"):
        restart_service(server=node(name), name=CONNECTION_MANAGER, actor="")
    assert access.let_in() == 2
    assert breaches() == []
    again = SessionMove.objects.filter(again=True)
    assert len({move.event.at for move in again}) == 2
    assert {(move.event.node_name, round(move.at - BEGIN)) for move in again} == {
        ("imp-pub", 9000),
        ("imp-sub", 9000),
    }


@pytest.mark.parametrize("home", [True, False], ids=["sent home", "taken over"])
def test_who_tried_in_vain_and_stays_where_others_move_gets_a_moment_of_its_own(
    group: RedundancyGroup, home: bool
) -> None:
    """Else all of them would log in at one moment, and the node count as one that nobody waits for."""
    stand_at(BEGIN + 2000)
    restart_service(server=node("imp-pub"), name=CONNECTION_MANAGER, actor="")
    assert access.let_in() == 1
    stop(AUTHENTICATION, 2060)
    stand_at(BEGIN + 4000)
    take_over("imp-pub")
    if home:
        go_home("imp-pub")
    # At the very moment of the move, as when High Availability is disabled.
    start(AUTHENTICATION, 4000)
    assert access.let_in() == 1
    assert breaches() == []
    moments = logins("imp-pub")
    assert len(set(moments)) > USERS / 2
    assert 4000 < min(moments) < max(moments) <= 4000 + 537
