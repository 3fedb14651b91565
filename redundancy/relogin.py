"""What the two re-login limits of a node mean for its clients. Pure arithmetic, seconds and clients."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from redundancy.srm.words import say

# Seconds that a span may have; a plot has at most so many spans.
WIDTHS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
MOST = 60
# From this mean on a Poisson distribution is reckoned as a normal one.
_MANY = 500
# Shares of the clients of which is told when they are back.
PERCENTS = (50, 95, 100)


@dataclass(frozen=True, slots=True)
class LoginBand:
    """Clients that log in between ``lower`` and ``upper`` seconds after a move, evenly spread.

    Where a user has several, those log in together and are one of these.
    """

    lower: float
    upper: float
    clients: int

    def back(self, seconds: float) -> float:
        """Return how many are expected back so long after the move."""
        if self.upper <= self.lower:
            return self.clients if seconds >= self.lower else 0.0
        share = (seconds - self.lower) / (self.upper - self.lower)
        return self.clients * min(1.0, max(0.0, share))


def span_of(upper: float) -> int:
    """Return the seconds of a span in which logins are counted, where all come within ``upper`` seconds.

    The plot, the record of a move and the forecast count by the same spans, so their peaks compare.
    """
    return next((width for width in WIDTHS if width * MOST >= upper), WIDTHS[-1])


def peak_of(bands: Sequence[LoginBand]) -> float:
    """Return the logins per second to expect in the busiest span: of such moves half stay below.

    Each client has a random moment of its own, so the logins of a span follow a Poisson distribution
    about its mean, and the busiest of many spans lies well above the mean. The median of the largest
    is the least number that all spans stay at or below with a probability of one half.
    """
    upper = max((band.upper for band in bands), default=0.0)
    width = span_of(upper)
    ends = [number * width for number in range(1, math.floor(upper / width) + 2)]
    # Who comes at the very moment 0 comes in the first span.
    back = [0.0, *(sum(band.back(end - 1e-9) for band in bands) for end in ends)]
    means = Counter(round(after - before, 6) for before, after in pairwise(back))
    low, high = 0, sum(band.clients for band in bands)
    while low < high:
        most = (low + high) // 2
        chance = math.prod(_at_most(most, mean) ** spans for mean, spans in means.items())
        low, high = (low, most) if chance >= 0.5 else (most + 1, high)
    return low / width


def _at_most(most: int, mean: float) -> float:
    """Return the probability of at most so many, in a Poisson distribution."""
    if mean > _MANY:
        return (1 + math.erf((most + 0.5 - mean) / math.sqrt(2 * mean))) / 2
    term = total = math.exp(-mean)
    for number in range(1, most + 1):
        term *= mean / number
        total += term
    return min(1.0, total)


def until_of(share: float, bands: Sequence[LoginBand]) -> float:
    """Return after how many seconds this share (0 to 1) of clients with different limits is back."""
    wanted = share * sum(each.clients for each in bands)
    edges = sorted({edge for each in bands for edge in (each.lower, each.upper)})
    before = 0.0
    for edge in edges:
        found = sum(each.back(edge) for each in bands)
        if found >= wanted:
            # Between two edges it is a straight line; a jump at the edge is the edge.
            start = sum(each.back(before) for each in bands)
            rises = sum(each.back(edge - 1e-9) for each in bands) - start
            if rises <= 0 or wanted <= start or wanted > start + rises + 1e-6:
                return edge
            return before + (edge - before) * (wanted - start) / rises
        before = edge
    return before


def even_rate(clients: float, lower: float, upper: float) -> float:
    """Return the logins per second of clients spread evenly between the limits: the mean, not the peak.

    Equal limits let all of them log in within one second.
    """
    return clients / max(upper - lower, 1)


def expected_until(share: float, lower: float, upper: float) -> float:
    """Return after how many seconds this share (0 to 1) of the clients is back."""
    return lower + share * (upper - lower)


def rate_in_words(rate: float) -> str:
    """Return logins per second as pages show them."""
    return say("{rate:.1f}", rate=rate) if rate >= 0.1 or rate == 0 else say("less than 0.1")
