"""Clients in virtual time: the same rules as on the live system."""

import pytest

from redundancy.srm.clients import LIMITS, Clients
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
    assert (pair.active(first), pair.active(second)) == (3, 0)
    pair.power_on(second)
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
