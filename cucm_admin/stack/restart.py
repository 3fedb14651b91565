"""When a child that died is started again, and when it is given up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Start again after a growing delay; give up at ``limit`` deaths within ``window`` seconds."""

    limit: int = 5
    window: float = 60.0
    first_delay: float = 0.5
    longest_delay: float = 8.0

    def recent(self, deaths: tuple[float, ...], now: float) -> tuple[float, ...]:
        """Return those of ``deaths`` (moments in seconds) that still count."""
        return tuple(moment for moment in deaths if now - moment < self.window)

    def delay(self, deaths: tuple[float, ...], now: float) -> float | None:
        """Return the seconds to wait after the last of ``deaths``, or ``None`` to give up."""
        count = len(self.recent(deaths, now))
        if count >= self.limit:
            return None
        return min(self.longest_delay, self.first_delay * 2.0 ** max(0, count - 1))
