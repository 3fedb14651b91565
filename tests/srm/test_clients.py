"""Clients in virtual time: the same rules as on the live system."""

import pytest

from redundancy.srm.clients import LIMITS, PUSH_WAIT, Clients, has_push_clients
from redundancy.srm.machine import ROUTER
from redundancy.srm.simulator import NODES, Simulator
from redundancy.srm.types import Request
from tests.uniform import distance, limit

USERS = 2000


def curve(clients: Clients, upto: int) -> list[int]:
    return [clients.active("a", second) for second in range(upto + 1)]


def moments(clients: Clients, upto: int) -> list[float]:
    """The second after which each client has logged in, in its middle."""
    counts = curve(clients, upto)
    return [
        second - 0.5
        for second in range(1, len(counts))
        for _ in range(counts[second] - counts[second - 1])
    ]


def test_they_log_in_evenly_between_the_limits() -> None:
    for seed in range(5):
        clients = Clients({"a": USERS}, seed)
        clients.move("a", 0)
        assert (clients.active("a", 120), clients.active("a", 537)) == (0, USERS)
        assert distance(moments(clients, 537), 120, 537) < limit(USERS)


def test_one_seed_is_one_course() -> None:
    courses = []
    for seed in (1, 1, 2):
        clients = Clients({"a": 50}, seed)
        clients.move("a", 0)
        courses.append(curve(clients, 540))
    assert courses[0] == courses[1] != courses[2]


@pytest.mark.parametrize("asked", [False, True])
def test_asking_changes_nothing(asked: bool) -> None:
    clients = Clients({"a": 50, "b": 50}, 3)
    clients.move("a", 0)
    if asked:
        clients.active("a", 300)
    clients.move("b", 10)
    clients.move("a", 300)
    other = Clients({"a": 50, "b": 50}, 3)
    other.move("a", 0)
    other.move("b", 10)
    other.move("a", 300)
    assert curve(clients, 900) == curve(other, 900)


def test_limits_count_from_the_next_login_on() -> None:
    clients = Clients({"a": USERS}, 4)
    clients.set_limits(1000, 1000, 10)
    clients.move("a", 20)
    assert (clients.active("a", 20 + 119), clients.active("a", 20 + 537)) == (0, USERS)
    # At 300 some have logged in again, after the change; the others have not.
    early = clients.active("a", 300)
    clients.move("a", 300)
    assert clients.active("a", 300 + 537) == USERS - early
    assert (clients.active("a", 1299), clients.active("a", 1300)) == (USERS - early, USERS)


def test_nobody_is_active_where_nobody_is_served() -> None:
    first, second = NODES
    pair = Simulator(users={first: 3, second: 2})
    assert (pair.active(first), pair.active(second)) == (3, 2)
    pair.stop_service(first, ROUTER)
    assert (pair.active(first), pair.sessions(first)) == (0, 3)
    pair.start_service(first, ROUTER)
    pair.power_off(second)
    assert (pair.active(first), pair.active(second)) == (0, 0)
    pair.power_on(second)
    pair.run_for(540)
    assert (pair.active(first), pair.active(second)) == (3, 2)
    pair.enable_ha()
    pair.run_for(10)
    pair.ask(first, Request.FAILOVER)
    pair.run_for(10)
    assert (pair.sessions(second), pair.active(second)) == (5, 2)
    pair.run_for(600)
    assert (pair.active(first), pair.active(second)) == (0, 5)


def test_signing_out_and_in_changes_how_many_there_are_and_how_many_are_active() -> None:
    clients = Clients({"a": 50, "b": 7}, 6)
    assert (clients.sessions("a"), clients.active("a", 0)) == (50, 50)
    clients.move("a", 100)
    clients.sign_out("a", 20)
    clients.sign_in("a", 5, 110)
    assert clients.sessions("a") == 35
    # Those who signed in are logged in from then on; the others wait.
    assert (clients.active("a", 109), clients.active("a", 110)) == (0, 5)
    assert clients.active("a", 100 + 537) == 35
    assert (clients.sessions("b"), clients.active("b", 0)) == (7, 7)


def test_one_that_still_waits_keeps_the_limits_of_its_last_login() -> None:
    clients = Clients({"a": 40}, 8)
    clients.move("a", 0)
    clients.set_limits(2000, 2000, 10)
    # Nobody has logged in since.
    clients.move("a", 100)
    assert (clients.active("a", 219), clients.active("a", 637)) == (0, 40)


def test_limits_that_are_set_again_are_no_new_ones() -> None:
    clients = Clients({"a": 40}, 9)
    clients.set_limits(*LIMITS, 10)
    clients.set_limits(700, 800, 20)
    clients.move("a", 15)
    assert (clients.active("a", 134), clients.active("a", 552)) == (0, 40)
    clients.move("a", 1000)
    assert (clients.active("a", 1699), clients.active("a", 1800)) == (0, 40)


def test_the_limits_are_those_nobody_changed() -> None:
    assert LIMITS == (120, 537)


def test_at_the_moment_of_its_login_a_client_has_the_new_limits() -> None:
    clients = Clients({"a": 40}, 9)
    clients.set_limits(50, 50, -1)
    clients.move("a", 0)
    clients.set_limits(70, 70, 20)
    clients.move("a", 50)
    assert (clients.active("a", 119), clients.active("a", 120)) == (0, 40)


AUTHENTICATION = "Cisco XCP Authentication Service"


@pytest.fixture
def sim() -> Simulator:
    """A pair without High Availability, whose clients need one service more than the router to log in."""
    sim = Simulator(users=dict.fromkeys(NODES, USERS))
    for name in NODES:
        sim.deploy(
            name,
            {ROUTER: True, AUTHENTICATION: False},
            in_router=frozenset({AUTHENTICATION}),
            for_logins=frozenset({ROUTER, AUTHENTICATION}),
        )
    return sim


def test_who_is_connected_stays_so_while_logins_are_impossible(sim: Simulator) -> None:
    node = NODES[0]
    sim.stop_service(node, AUTHENTICATION)
    sim.run_for(1000)
    assert sim.active(node) == USERS
    # The router takes the others with it, and they stay stopped.
    sim.stop_service(node, ROUTER)
    sim.start_service(node, ROUTER)
    sim.run_for(1000)
    assert (sim.active(node), sim.active(NODES[1])) == (0, USERS)
    sim.start_service(node, AUTHENTICATION)
    assert sim.active(node) < USERS / 50
    sim.run_for(LIMITS[1])
    assert sim.active(node) == USERS


def test_after_a_short_outage_they_wait_as_after_a_move(sim: Simulator) -> None:
    node = NODES[0]
    sim.run_for(10)
    sim.restart_service(node, ROUTER)
    assert sim.active(node) == 0
    counts = []
    for _ in range(540):
        counts.append(sim.active(node))
        sim.run_for(1)
    assert (counts[119], counts[538]) == (0, USERS)
    assert 0 < counts[125] < counts[300] < counts[530]


def test_after_a_long_one_each_is_somewhere_in_its_wait(sim: Simulator) -> None:
    node = NODES[0]
    sim.power_off(node)
    sim.run_for(100_000)
    sim.power_on(node)
    back: list[int] = []
    for second in range(539):
        back += [second] * (sim.active(node) - len(back))
        sim.run_for(1)
    # As ``tests/relogin/test_access.py`` for the live system: mean 186 s, standard deviation 120 s.
    assert len(back) == USERS
    assert abs(sum(back) / USERS - 186) < 5 * 120 / USERS**0.5
    assert back[0] < 10


def test_who_tried_in_vain_keeps_the_limits_of_before(sim: Simulator) -> None:
    clients = Clients({"a": 50}, 0)
    clients.move("a", 0)
    clients.set_limits(0, 0, 100)
    # None of those who tried has got the new limits.
    clients.move("a", 600, stopped_at=0)
    assert (clients.active("a", 719), clients.active("a", 1137)) == (0, 50)


def split(clients: Clients, push: int) -> tuple[list[float], list[float]]:
    """When push clients log in, and when the others do: those that limits of 120 and 537 s let."""
    found = moments(clients, 1200)
    theirs = [moment for moment in found if moment > 537]
    return theirs, found[: len(found) - len(theirs)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("push", [10, 50])
def test_push_clients_have_limits_of_their_own(seed: int, push: int) -> None:
    clients = Clients({"a": USERS}, seed)
    clients.set_push(push)
    clients.move("a", 0)
    theirs, others = split(clients, push)
    assert len(theirs) == pytest.approx(USERS * push / 100, abs=3)
    assert distance(theirs, *PUSH_WAIT) < limit(len(theirs))
    assert distance(others, 120, 537) < limit(len(others))


def test_a_share_that_changes_later_is_that_of_the_next_move() -> None:
    clients = Clients({"a": USERS}, 1)
    clients.set_push(50)
    clients.move("a", 0)
    clients.set_push(0)
    assert clients.active("a", 599) == pytest.approx(USERS / 2, abs=3)
    clients.move("a", 5000)
    assert clients.active("a", 5537) == USERS


def test_push_clients_are_the_same_users_at_every_move() -> None:
    clients = Clients({"a": USERS}, 2)
    clients.set_push(25)
    clients.set_limits(0, 0, -1)
    clients.move("a", 0)
    first = USERS - clients.active("a", 0)
    # Some of them still wait; the others are back at once, as before.
    clients.move("a", 900)
    assert USERS - clients.active("a", 900) == first
    clients.sign_in("a", USERS, 950)
    clients.move("a", 1000)
    assert 2 * USERS - clients.active("a", 1000) == pytest.approx(USERS / 2, abs=6)


def test_users_who_sign_in_one_by_one_have_their_share_of_push_clients() -> None:
    clients = Clients({"a": 0}, 3)
    clients.set_push(50)
    for _ in range(200):
        clients.sign_in("a", 1, 0)
    clients.move("a", 10)
    assert clients.active("a", 10 + 537) == pytest.approx(100, abs=8)


@pytest.mark.parametrize("step", [1, 2, 3, 6, 100])
@pytest.mark.parametrize("push", [10, 25, 50, 75])
def test_of_any_users_they_are_their_share(step: int, push: int) -> None:
    numbers = range(17, 17 + 400 * step, step)
    found = sum(has_push_clients(number, push) for number in numbers)
    assert found == pytest.approx(4 * push, abs=8)


def test_nobody_and_everybody() -> None:
    assert not any(has_push_clients(number, 0) for number in range(20_000))
    assert all(has_push_clients(number, 100) for number in range(20_000))


def test_a_larger_share_has_everybody_of_a_smaller_one() -> None:
    for number in range(3000):
        found = [has_push_clients(number, push) for push in (10, 25, 50, 75, 100)]
        assert found == sorted(found)


def test_after_an_outage_push_clients_come_back_late() -> None:
    clients = Clients({"a": USERS}, 5)
    clients.set_push(50)
    clients.let_in("a", 100_000, 10, 10)
    assert clients.active("a", 100_000 + 537) < USERS
    assert clients.active("a", 100_000 + 1200) == USERS
    clients.let_in("a", 200_000, 199_999, 199_999)
    assert clients.active("a", 199_999 + 537) == pytest.approx(USERS / 2, abs=3)
    assert clients.active("a", 199_999 + 599) == pytest.approx(USERS / 2, abs=3)


def test_logins_that_come_back_take_nobody_off_who_is_connected() -> None:
    clients = Clients({"a": USERS}, 6)
    clients.move("a", 0)
    connected = clients.active("a", 300)
    clients.let_in("a", 1000, 300, None)
    assert 0 < clients.active("a", 999) == connected < USERS
    assert clients.active("a", 1000 + 537) == USERS


def test_push_clients_that_tried_in_vain_wait_as_such() -> None:
    clients = Clients({"a": USERS}, 7)
    clients.set_push(100)
    clients.move("a", 0)
    # They tried between 600 and 1200 s, and do so again 600 to 1200 s later: half of them by 1800 s.
    clients.let_in("a", 1200, 0, None)
    assert clients.active("a", 1199) == 0
    assert clients.active("a", 1800) == pytest.approx(USERS / 2, abs=5 * USERS**0.5 / 2)
    assert clients.active("a", 2400) == USERS


def test_one_that_tried_in_vain_waits_again_with_the_limits_it_has() -> None:
    clients = Clients({"a": USERS}, 8)
    clients.move("a", 0)
    clients.set_limits(2000, 2000, 10)
    # Those that tried after 380 s have not waited 120 s again; limits of 2000 s are of nobody yet.
    clients.let_in("a", 500, 0, None)
    assert clients.active("a", 499) == 0
    assert clients.active("a", 500 + 537) == USERS


def test_with_equal_limits_they_are_evenly_somewhere_in_their_wait() -> None:
    clients = Clients({"a": USERS}, 9)
    clients.set_limits(100, 100, -1)
    clients.move("a", 0)
    clients.let_in("a", 100_000, 50, None)
    back = [moment - 100_000 for moment in moments(clients, 100_100)]
    assert len(back) == USERS
    assert distance(back, 0, 100) < limit(USERS)
