"""What the two re-login limits of a node mean for its clients. Pure arithmetic, seconds and clients."""

from collections.abc import Sequence
from dataclasses import dataclass

from redundancy.srm.words import say

# Shares of the clients of which is told when they are back.
PERCENTS = (50, 95, 100)


@dataclass(frozen=True, slots=True)
class LoginBand:
    """Clients that log in between ``lower`` and ``upper`` seconds after a move, evenly spread."""

    lower: float
    upper: float
    clients: int

    def back(self, seconds: float) -> float:
        """Return how many are expected back so long after the move."""
        if self.upper <= self.lower:
            return self.clients if seconds >= self.lower else 0.0
        share = (seconds - self.lower) / (self.upper - self.lower)
        return self.clients * min(1.0, max(0.0, share))


def peak_of(bands: Sequence[LoginBand]) -> float:
    """Return the most logins per second of clients with different limits."""
    # Where a band begins the rate rises; it is highest at one of those moments.
    return max(
        (
            sum(
                expected_peak(each.clients, each.lower, each.upper)
                for each in bands
                if each.lower <= moment < max(each.upper, each.lower + 1)
            )
            for moment in {each.lower for each in bands}
        ),
        default=0.0,
    )


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


def expected_peak(clients: int, lower: float, upper: float) -> float:
    """Return the logins per second of clients spread evenly between the limits.

    Equal limits let all of them log in within one second.
    """
    return clients / max(upper - lower, 1)


def expected_until(share: float, lower: float, upper: float) -> float:
    """Return after how many seconds this share (0 to 1) of the clients is back."""
    return lower + share * (upper - lower)


def rate_in_words(rate: float) -> str:
    """Return logins per second as pages show them."""
    return say("{rate:.1f}", rate=rate) if rate >= 0.1 or rate == 0 else say("less than 0.1")
