"""At a move each client gets a moment of its own between the limits that it keeps from its last login."""

from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.clock import lab_now
from redundancy.models import PresenceSession, RedundancyGroup, ReloginLimits, Server
from redundancy.monitor.audit import audit
from redundancy.operations.groups import disable_ha
from redundancy.operations.users import edit_user
from redundancy.parameters.writes.parameters import set_parameter
from redundancy.selectors.presence import Presence, presence
from tests.labtime import seed_database, stand_at
from tests.relogin.pair import BEGIN, USERS, go_home, logins, node, set_limits, take_over
from tests.uniform import distance, limit


def counted() -> list[tuple[int, int]]:
    """Logged in and waiting on each node, as the clock stands."""
    servers = [node(name).pk for name in ("imp-pub", "imp-sub")]
    found = presence(servers, lab_now())
    return [(found[pk].active, found[pk].waiting) for pk in servers]


def within(moments: Sequence[float], lower: float, upper: float) -> bool:
    return bool(moments) and all(lower <= moment <= upper for moment in moments)


def test_whoever_moves_waits_and_whoever_stays_does_not(group: RedundancyGroup) -> None:
    stand_at(BEGIN + 100)
    take_over("imp-sub")
    assert within(logins("imp-pub"), 100 + 120, 100 + 537)
    assert set(logins("imp-sub")) == {0}
    assert counted() == [(0, 0), (USERS, USERS)]
    stand_at(BEGIN + 100 + 537)
    assert counted() == [(0, 0), (2 * USERS, 0)]
    assert not audit()


def test_time_alone_logs_them_in(group: RedundancyGroup) -> None:
    take_over("imp-sub")
    before = list(PresenceSession.objects.order_by("pk").values())
    seen = []
    for second in (0, 119, 200, 300, 400, 537):
        stand_at(BEGIN + second)
        (_, (active, waiting)) = counted()
        assert active + waiting == 2 * USERS
        seen.append(active - USERS)
    assert (seen[:2], seen[-1]) == ([0, 0], USERS)
    assert 0 < seen[2] < seen[3] < seen[4] < USERS
    assert list(PresenceSession.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("lower", "upper"), [(120, 537), (0, 10), (300, 3600)])
def test_logins_are_spread_evenly(
    group: RedundancyGroup, seed: int, lower: int, upper: int
) -> None:
    set_limits("imp-sub", lower, upper)
    # The limits were in force when the clients logged in.
    ReloginLimits.objects.update(at=BEGIN - 1)
    seed_database(seed)
    take_over("imp-sub")
    moments = logins("imp-pub")
    assert within(moments, lower, upper)
    assert len(set(moments)) == USERS
    assert distance(moments, lower, upper) < limit(USERS)


def test_the_test_of_evenness_can_fail() -> None:
    even = [(i + 0.5) / USERS for i in range(USERS)]
    assert distance(even, 0, 1) < limit(USERS)
    assert distance([x * x for x in even], 0, 1) > limit(USERS)
    assert distance([0.9 * x for x in even], 0, 1) > 0.09


def test_one_seed_one_spread(group: RedundancyGroup) -> None:
    spreads = []
    for _ in range(2):
        seed_database(7)
        take_over("imp-sub")
        spreads.append([moment - min(logins("imp-pub")) for moment in logins("imp-pub")])
        go_home("imp-pub")
        stand_at(BEGIN + 5000)
        PresenceSession.objects.update(relogin_at=BEGIN, limits_at=BEGIN)
    assert spreads[0] == pytest.approx(spreads[1], abs=1e-3)


def test_equal_limits_are_one_moment(group: RedundancyGroup) -> None:
    set_limits("imp-sub", 60, 60)
    ReloginLimits.objects.update(at=BEGIN - 1)
    take_over("imp-sub")
    assert set(logins("imp-pub")) == {60}


def test_a_change_of_limits_reaches_a_client_at_its_next_login(group: RedundancyGroup) -> None:
    stand_at(BEGIN + 10)
    set_limits("imp-sub", 1000, 2000)
    set_limits("imp-pub", 3000, 4000)
    stand_at(BEGIN + 20)
    # Logged in before the change: the old limits of the node they go to.
    take_over("imp-sub")
    assert within(logins("imp-pub"), 20 + 120, 20 + 537)
    stand_at(BEGIN + 1000)
    # Logged in at imp-sub after the change: the new limits, those of imp-pub.
    go_home("imp-pub")
    assert within(logins("imp-pub"), 1000 + 3000, 1000 + 4000)
    # They never moved: nothing of theirs changed.
    assert set(logins("imp-sub")) == {0}


def test_who_still_waits_keeps_the_limits_of_the_login_before(group: RedundancyGroup) -> None:
    take_over("imp-sub")
    stand_at(BEGIN + 10)
    set_limits("imp-pub", 3000, 4000)
    stand_at(BEGIN + 300)
    moments = dict(PresenceSession.objects.values_list("pk", "relogin_at"))
    go_home("imp-pub")
    for session in PresenceSession.objects.filter(user__home__name="imp-pub"):
        early = moments[session.pk] <= BEGIN + 300
        waited = session.relogin_at - BEGIN - 300
        # 120 s to 537 s: from the login at the beginning; 3000 s to 4000 s: from the one at imp-sub.
        assert (3000 <= waited <= 4000) if early else (120 <= waited <= 537)
        assert session.limits_at == (moments[session.pk] if early else BEGIN)
    assert not audit()


def test_a_second_move_while_waiting_draws_anew(group: RedundancyGroup) -> None:
    take_over("imp-sub")
    first = logins("imp-pub")
    stand_at(BEGIN + 50)
    go_home("imp-pub")
    assert within(logins("imp-pub"), 50 + 120, 50 + 537)
    assert logins("imp-pub") != first
    assert counted() == [(0, USERS), (USERS, 0)]


def test_a_repeated_move_leaves_the_moments_alone(group: RedundancyGroup) -> None:
    take_over("imp-sub")
    first = logins("imp-pub")
    stand_at(BEGIN + 50)
    group.refresh_from_db()
    take_over("imp-sub")
    assert logins("imp-pub") == first


def test_disabling_sends_home_with_the_same_wait(group: RedundancyGroup) -> None:
    take_over("imp-sub")
    stand_at(BEGIN + 1000)
    disable_ha(group=group, actor="")
    assert within(logins("imp-pub"), 1000 + 120, 1000 + 537)
    assert set(logins("imp-sub")) == {0}
    assert counted() == [(0, USERS), (USERS, 0)]


def test_each_node_has_its_own_limits_on_the_way_home(
    group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    for name, lower, upper in (("imp-pub", 10, 20), ("imp-sub", 30, 40)):
        set_limits(name, lower, upper)
    ReloginLimits.objects.update(at=BEGIN - 1)
    PresenceSession.objects.filter(node=pub).update(node=sub)
    PresenceSession.objects.filter(user__home=sub).update(node=pub)
    disable_ha(group=group, actor="")
    assert within(logins("imp-pub"), 10, 20)
    assert within(logins("imp-sub"), 30, 40)


def test_assigning_a_user_elsewhere_is_a_login_there(group: RedundancyGroup, sub: Server) -> None:
    disable_ha(group=group, actor="")
    session = PresenceSession.objects.filter(node__name="imp-pub").select_related("user")[0]
    now = stand_at(BEGIN + 70)
    user = session.user
    edit_user(
        user=user,
        display_name="",
        im_address=user.im_address,
        home=sub,
        actor="",
    )
    session.refresh_from_db()
    assert (session.node, session.relogin_at, session.limits_at) == (sub, now, now)


def kept(name: str) -> list[tuple[float, int, int]]:
    rows = node(name).relogin_limits.all()
    return [(row.at - BEGIN, row.lower, row.upper) for row in rows]


def test_limits_that_nobody_has_are_forgotten(group: RedundancyGroup) -> None:
    stand_at(BEGIN + 10)
    set_limits("imp-sub", 1, 2)
    stand_at(BEGIN + 20)
    set_limits("imp-sub", 3, 4)
    # Everybody logged in before, with the defaults.
    assert kept("imp-sub") == [(20, 3, 4)]
    take_over("imp-sub")
    assert within(logins("imp-pub"), 20 + 120, 20 + 537)
    stand_at(BEGIN + 1000)
    set_limits("imp-sub", 5, 6)
    # Since then they have logged in with these.
    assert kept("imp-sub") == [(20, 3, 4), (1000, 5, 6)]
    stand_at(BEGIN + 2000)
    go_home("imp-pub")
    take_over("imp-sub")
    assert within(logins("imp-pub"), 2000 + 3, 2000 + 4)


def test_every_client_gets_those_of_its_own_login(group: RedundancyGroup) -> None:
    sessions = list(PresenceSession.objects.filter(node__name="imp-pub").order_by("pk"))
    for number in range(4):
        stand_at(BEGIN + 100 * number)
        set_limits("imp-sub", 1000 * number + 10, 1000 * number + 20)
        moment = stand_at(BEGIN + 100 * number + 50)
        PresenceSession.objects.filter(
            pk__in=[session.pk for session in sessions[number::4]]
        ).update(relogin_at=moment, limits_at=moment)
    stand_at(BEGIN + 500)
    take_over("imp-sub")
    for number in range(4):
        for session in sessions[number::4]:
            session.refresh_from_db()
            waited = session.relogin_at - BEGIN - 500 - 1000 * number
            assert 10 <= waited <= 20


def test_other_parameters_leave_no_trace(group: RedundancyGroup) -> None:
    set_parameter(key="critical_service_delay", value="60", actor="")
    set_parameter(key="relogin_upper", value="537", server=node("imp-sub"), actor="")
    assert not ReloginLimits.objects.exists()


def test_a_move_is_one_statement(
    group: RedundancyGroup,
) -> None:
    with CaptureQueriesContext(connection) as seen:
        take_over("imp-sub")
    touching = [query["sql"] for query in seen if "redundancy_presencesession" in query["sql"]]
    assert [sql.split()[0] for sql in touching] == ["UPDATE"]


@pytest.mark.parametrize(
    ("presence_", "words"),
    [
        (Presence(1000), "1,000"),
        (Presence(1000, 200), "1,000 (200 waiting to log in)"),
        (Presence(0, 2000, serves=False), "0 (2,000 not served)"),
    ],
)
def test_presence_in_words(presence_: Presence, words: str) -> None:
    assert str(presence_) == words
