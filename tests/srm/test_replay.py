"""The same cause under other limits."""

import pytest

from redundancy.srm.replay import Cause, Outage, replay
from redundancy.srm.types import Policy


@pytest.mark.parametrize(
    ("outage", "policy", "declared", "lost"),
    [
        (Outage(Cause.POWER, 60), Policy(heartbeat_timeout=30), 30, 60 * (30 + 150) / 60),
        (Outage(Cause.POWER, 60), Policy(), 60, 60 * (60 + 150) / 60),
        # It is the whole limit, however seldom heartbeats are: the node fails just after one.
        (Outage(Cause.POWER, 60), Policy(heartbeat_interval=29), 60, 60 * (60 + 150) / 60),
        (Outage(Cause.POWER, 60), Policy(heartbeat_timeout=90), 90, 60 * (90 + 150) / 60),
        (Outage(Cause.SERVICE, 60), Policy(critical_service_delay=120), 120, 270),
        (Outage(Cause.SERVICE, 60, lasted=100), Policy(critical_service_delay=60), 60, 210),
        # It was back before the delay had passed: nobody fails over, and the outage is what it cost.
        (Outage(Cause.SERVICE, 60, lasted=100), Policy(critical_service_delay=120), None, 100),
        (Outage(Cause.SERVICE, 60, service="Cisco XCP Text Conference Manager"), Policy(), 90, 240),
        (Outage(Cause.POWER, 60, lasted=30), Policy(), None, 30),
        (Outage(Cause.LINK, 60, lasted=40), Policy(), None, 0),
        # Behind a cut link everybody is served until the move.
        (Outage(Cause.LINK, 60), Policy(heartbeat_timeout=30), 30, 150),
        (Outage(Cause.REQUEST, 60), Policy(), 0, 150),
    ],
)
def test_limits(outage: Outage, policy: Policy, declared: float | None, lost: float) -> None:
    found = replay(outage, policy, 120, 180)
    if declared is None:
        assert (found.declared, found.moved, found.lost) == (None, None, lost)
    else:
        assert found.lost == pytest.approx(lost, abs=5)
        assert found.declared == pytest.approx(declared, abs=2)
        assert (found.moved or 0) >= (found.declared or 0)


@pytest.mark.parametrize("outage", [Outage(Cause.LINK, 60), Outage(Cause.REQUEST, 60)])
def test_who_is_served_until_the_move_loses_the_wait_alone(outage: Outage) -> None:
    assert replay(outage, Policy(), 120, 180).lost == 150


@pytest.mark.parametrize(("push", "minutes"), [(0, 150), (50, 525), (100, 900)])
def test_push_clients_wait_as_such(push: int, minutes: float) -> None:
    assert replay(Outage(Cause.REQUEST, 60), Policy(), 120, 180, push).lost == minutes


def test_relogin_limits_are_what_is_lost_by_waiting() -> None:
    outage = Outage(Cause.POWER, 600)
    short, long = replay(outage, Policy(), 0, 60), replay(outage, Policy(), 120, 540)
    assert short.lost is not None
    assert long.lost is not None
    assert long.lost - short.lost == pytest.approx(600 * (330 - 30) / 60)
    assert short.moved == long.moved


def test_it_can_be_repeated() -> None:
    outage = Outage(Cause.SERVICE, 1000, lasted=500)
    assert replay(outage, Policy(), 120, 537) == replay(outage, Policy(), 120, 537)


def test_a_service_that_nobody_names_is_the_router() -> None:
    assert Outage(Cause.SERVICE, 60) == Outage(Cause.SERVICE, 60, None, "Cisco XCP Router")
