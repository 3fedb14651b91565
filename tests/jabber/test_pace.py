"""What counts as a ceiling: logins of seconds in which no connection was idle."""

from redundancy.jabber.pace import SECONDS, Pace


def logins(pace: Pace, begin: float, seconds: float, each: int) -> None:
    for number in range(int(seconds * each)):
        pace.login(begin + (number + 1) / each)


def test_it_is_the_best_of_so_many_seconds() -> None:
    pace = Pace()
    pace.begin(100.0)
    logins(pace, 100.0, SECONDS - 1, 50)
    assert pace.best is None
    logins(pace, 100.0 + SECONDS - 1, 3, 50)
    assert pace.best == 50
    logins(pace, 100.0 + SECONDS + 2, 30, 20)
    assert pace.best == 50


def test_of_seconds_in_which_a_connection_was_idle_nothing_is_known() -> None:
    pace = Pace()
    pace.begin(100.0)
    logins(pace, 100.0, SECONDS / 2, 50)
    pace.idle()
    logins(pace, 105.0, 2 * SECONDS, 90)
    assert pace.best is None
    pace.busy(125.0)
    logins(pace, 125.0, SECONDS - 1, 30)
    assert pace.best is None
    logins(pace, 125.0 + SECONDS - 1, 1, 30)
    assert pace.best == 30


def test_all_connections_must_have_something_to_do() -> None:
    pace = Pace()
    pace.begin(0.0)
    pace.idle()
    pace.idle()
    pace.busy(1.0)
    logins(pace, 1.0, 2 * SECONDS, 40)
    assert pace.best is None
