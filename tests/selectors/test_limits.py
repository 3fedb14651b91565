"""The re-login limits of a node, and those that clients still keep."""

from redundancy.selectors.limits import Limit


def test_who_logs_in_now_gets_the_newest() -> None:
    assert Limit(120.0, ()).newest == 120.0
    assert Limit(120.0, ((500.0, 60.0), (100.0, 90.0))).newest == 60.0


def test_clients_may_have_each_value_that_held_since_their_login() -> None:
    assert Limit(120.0, ()).values == {120.0}
    assert Limit(120.0, ((500.0, 60.0), (100.0, 90.0))).values == {120.0, 90.0, 60.0}
    # Nobody logged in before the beginning of time.
    assert Limit(120.0, ((500.0, 60.0), (0.0, 90.0))).values == {90.0, 60.0}
