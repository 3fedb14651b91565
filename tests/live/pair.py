"""A pair that a test sweeps by hand: the real database and bus, and a lab time that is given."""

from collections.abc import Callable

from redundancy.live import sweep as sweeping
from redundancy.models import NodeRuntime, PresenceSession, Server
from redundancy.operations import moves
from redundancy.operations.moves import MoveRequest

ROUTER = "Cisco XCP Router"


class Clock:
    """Lab time as the test wants it."""

    def __init__(self, now: float) -> None:
        self.now = now

    def reader(self) -> Callable[[], float]:
        return lambda: self.now


class Pair:
    """The sample cluster, swept by hand."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.wanted: list[MoveRequest] = []

    def sweep(self, *, moving: bool = True) -> int:
        taken = sweeping.sweep(self.wanted.extend)
        while moving and self.wanted:
            moves.move_sessions(self.wanted.pop(0))
            taken += sweeping.sweep(self.wanted.extend)
        return taken

    def run(self, seconds: int) -> None:
        """Sweep each second of lab time."""
        for _ in range(seconds):
            self.clock.now += 1
            self.sweep()

    @staticmethod
    def states() -> tuple[str, str]:
        rows = dict(NodeRuntime.objects.values_list("server__name", "state"))
        return rows["imp-pub"], rows["imp-sub"]

    @staticmethod
    def sessions() -> tuple[int, int]:
        on = PresenceSession.objects.filter
        return on(node__name="imp-pub").count(), on(node__name="imp-sub").count()


def server(name: str) -> Server:
    return Server.objects.select_related("group").get(name=name)
