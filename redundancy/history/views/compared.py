"""A forecast beside what was measured, figure by figure."""

from dataclasses import dataclass

from redundancy.models import Forecast, HaEvent, SessionMove
from redundancy.relogin import rate_in_words
from redundancy.selectors import forecast
from redundancy.selectors.logins import Measured, measured_logins
from redundancy.srm.words import duration, say


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure as forecast and as measured; empty where there is none."""

    what: str
    forecast: str
    measured: str


def compare_move(move: SessionMove, now: float) -> tuple[Compared, ...]:
    """Return forecast and measured of a move at lab time ``now``; nothing when nobody asked for it."""
    told = forecast.forecast_of_move(move)
    return _compared(told, move, now) if told else ()


def compare_event(event: HaEvent, now: float) -> tuple[Compared, ...]:
    """Return forecast and measured of the request ``event``; nothing when nothing was forecast."""
    told = forecast.forecast_of_event(event)
    return _compared(told, forecast.move_of(told), now) if told else ()


def _compared(told: Forecast, move: SessionMove | None, now: float) -> tuple[Compared, ...]:
    expected = {50: told.until_50, 95: told.until_95, 100: told.until_100}
    came = measured_logins(move, now) if move else None
    moved = _sessions(move.moved, move.clients_per_user) if move else say("no move followed")
    took = duration(move.at - told.event.at.timestamp()) if move else ""
    return (
        *([Compared(say("From the request to the move"), "", took)] if took else []),
        Compared(say("Sessions moved"), _sessions(told.moved, told.clients_per_user), moved),
        Compared(say("Users disconnected"), say("{count:,}", count=told.disconnected), ""),
        Compared(say("Logins per second at the peak"), rate_in_words(told.peak), _peak(came)),
        *(
            Compared(
                say("{percent} % back", percent=percent),
                say("after {time}", time=duration(at)),
                _back(came, percent),
            )
            for percent, at in expected.items()
        ),
    )


def _sessions(users: int, per_user: int) -> str:
    """Return how many sessions users have with so many clients each."""
    if per_user == 1:
        return say("{count:,}", count=users)
    return say("{sessions:,} of {users:,} users", sessions=users * per_user, users=users)


def _peak(came: Measured | None) -> str:
    if came is None:
        return ""
    rate = rate_in_words(came.peak)
    return rate if came.complete else say("{rate} so far", rate=rate)


def _back(came: Measured | None, percent: int) -> str:
    if came is None:
        return ""
    seconds = came.until(percent)
    if seconds is not None:
        return say("within {time}", time=duration(seconds))
    return say("never: sessions were moved again") if came.complete else say("not yet")
