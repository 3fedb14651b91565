"""What became of clients that lost their node: how long they were away, and how fast they came back."""

import math
from collections import Counter
from dataclasses import dataclass, field

from redundancy.relogin import PERCENTS


@dataclass(slots=True)
class Wave:
    """Clients that lost their node together. Moments are wall seconds of one clock.

    ``begun``: when the first of them lost it; ``heard``: when the last one was told. ``back``: when each
    was logged in again. ``rate``: of the lab's clock. ``lower`` and ``upper``: the widest
    limits that they kept, lab seconds. ``failures``: logins that failed, by reason.
    """

    begun: float
    rate: float
    heard: float = 0.0
    lost: int = 0
    lower: float = math.inf
    upper: float = 0.0
    back: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def lose(self, begun: float, now: float, lower: float, upper: float) -> None:
        """Count one that lost its node at ``begun`` and hears of it ``now``."""
        self.begun = min(self.begun, begun)
        self.heard = now
        self.lost += 1
        self.lower, self.upper = min(self.lower, lower), max(self.upper, upper)

    def until(self, percent: int) -> float | None:
        """Return the lab seconds after which so many percent were back; None while they are not."""
        needed = math.ceil(self.lost * percent / 100)
        if not needed or len(self.back) < needed:
            return None
        return (sorted(self.back)[needed - 1] - self.begun) * self.rate

    @property
    def peak(self) -> int:
        """Return the logins of the busiest wall second."""
        return max(Counter(int(each - self.begun) for each in self.back).values(), default=0)

    def data(self) -> dict[str, object]:
        """Return it for programs; seconds are lab seconds."""
        return {
            "lost": self.lost,
            "back": len(self.back),
            "lower": self.lower if self.lost else None,
            "upper": self.upper if self.lost else None,
            "first": self._seconds(min(self.back, default=None)),
            "until": {str(percent): _round(self.until(percent)) for percent in PERCENTS},
            "peak_per_second": self.peak,
            "failures": dict(self.failures),
        }

    def text(self) -> list[str]:
        """Return it for people."""
        lines = [
            f"{self.lost:,} clients lost their node and waited {self.lower:g} s to {self.upper:g} s; "
            f"{len(self.back):,} are back."
        ]
        for percent in PERCENTS:
            if (seconds := self.until(percent)) is not None:
                lines.append(f"  {percent:>3} % were back {seconds:,.1f} s after the event")
        lines.append(f"  busiest second: {self.peak:,} logins (wall time)")
        lines += failures_text(self.failures)
        return lines

    def _seconds(self, moment: float | None) -> float | None:
        return None if moment is None else _round((moment - self.begun) * self.rate)


def failures_text(failures: Counter[str]) -> list[str]:
    """Return the failures by reason, the most frequent first."""
    return [f"  {count:,} × {reason}" for reason, count in failures.most_common()]


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
