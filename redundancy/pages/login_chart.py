"""The plot of the logins after a move: where everything stands. Pure: counts in, coordinates out.

Coordinates are user units of the SVG. Bars are logins of clients per second, by the scale at the
left; the line is the active users, by the scale at the right.
"""

import math
from dataclasses import dataclass
from itertools import takewhile

from redundancy.selectors.logins import Logins
from redundancy.srm.words import say

WIDTH, HEIGHT = 760, 236
LEFT, RIGHT, TOP, BOTTOM = 52, 64, 22, 36
# Dots on the line, about.
_DOTS = 12
# Marks on each scale, at most.
_MARKS = 5
_SECONDS = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200)


@dataclass(frozen=True, slots=True)
class Bar:
    """One span's logins per second."""

    x: float
    y: float
    w: float
    h: float
    title: str


@dataclass(frozen=True, slots=True)
class ScaleMark:
    """A mark on a scale: where it stands along it, and its words."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot as it is drawn."""

    logins: Logins
    bars: tuple[Bar, ...]
    line: str
    dots: tuple[tuple[float, float], ...]
    expected: tuple[float, float, float]
    push: tuple[float, float, float] | None
    now: float | None
    seconds: tuple[ScaleMark, ...]
    rates: tuple[ScaleMark, ...]
    users: tuple[ScaleMark, ...]

    width, height = WIDTH, HEIGHT
    left, right, top, bottom = LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM


def draw(logins: Logins) -> Chart:
    """Return the plot of ``logins``."""
    move = logins.move
    horizon = max(math.ceil(move.latest / logins.width), len(logins.spans), 1) * logins.width
    window = logins.push_window
    expected = max(logins.expected, logins.push_expected if window else 0.0)
    most_rate, rates = _scale(max(logins.peak.rate, expected))
    most_users, users = _scale(logins.stayed + logins.done + logins.waiting)

    def x(seconds: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * seconds / horizon, 1)

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)

    def level(lower: float, upper: float, rate: float) -> tuple[float, float, float]:
        return x(lower), x(max(upper, lower + 1)), y(rate / most_rate)

    points = [(x(0), y(logins.stayed / most_users))]
    now = horizon if logins.elapsed is None else min(logins.elapsed, horizon)
    points += [(x(min(span.end, now)), y(span.active / most_users)) for span in logins.spans]
    every = math.ceil(len(points) / _DOTS)
    return Chart(
        logins=logins,
        bars=tuple(
            Bar(
                x(span.begin),
                y(span.rate / most_rate),
                round(x(span.end) - x(span.begin) - 0.8, 1),
                round(y(0) - y(span.rate / most_rate), 1),
                say(
                    "{begin} to {end}: {logins:,} logins, {rate} per second; {active:,} active at "
                    "the end",
                    begin=clock(span.begin),
                    end=clock(span.end),
                    logins=span.logins,
                    rate=span.rate_in_words,
                    active=span.active,
                ),
            )
            for span in logins.spans
            if span.logins
        ),
        line=" ".join(f"{px},{py}" for px, py in points),
        dots=tuple(points[::every]),
        expected=level(move.lower, move.upper, logins.expected),
        push=level(*window, logins.push_expected) if window else None,
        now=None if logins.elapsed is None else x(now),
        seconds=tuple(ScaleMark(x(at), clock(at)) for at in _moments(horizon)),
        rates=tuple(
            ScaleMark(y(value / most_rate), say("{value:g}", value=value)) for value in rates
        ),
        users=tuple(
            ScaleMark(y(value / most_users), say("{count:,.0f}", count=value)) for value in users
        ),
    )


def clock(seconds: float) -> str:
    """Return seconds as ``2:05``, or ``1:02:05``."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def _scale(most: float) -> tuple[float, list[float]]:
    """Return the end of a scale that holds ``most``, and the values to mark on it."""
    if most <= 0:
        return 1.0, [0.0, 1.0]
    raw = most / (_MARKS - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * power for unit in (1, 2, 2.5, 5, 10) if unit * power >= raw * 0.999)
    marks = [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]
    return marks[-1], marks


def _moments(horizon: float) -> list[float]:
    """Return the seconds to mark on the scale of time."""
    step = next((step for step in _SECONDS if horizon / step <= 2 * _MARKS), _SECONDS[-1])
    return list(
        takewhile(lambda at: at <= horizon, (float(step * n) for n in range(2 * _MARKS + 1)))
    )
