"""The SRM of one node in a process of its own, as on a machine of its own.

It looks into its own inbox only, and the sweep leaves its node alone. A process that is not seen for
some seconds is shown as silent, and keeps the node: whether anybody is taken over is decided by
the peer, which hears no heartbeat. Resumed, it goes on as after any absence of an observer: its own
gap is no silence of the peer, and what the peer has said meanwhile is heard before anything is judged.
"""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db.models import Q

from redundancy import bus, clock
from redundancy.live import sweep as sweeping
from redundancy.models import FaultKind, Server
from redundancy.operations import power
from redundancy.operations.moves import MoveRequest
from redundancy.selectors import faults as fault_selectors
from redundancy.srm.types import Heartbeat


class LoneSrm:
    """Runs the SRM of ``server`` as long as nobody else does; ``worker`` names this process."""

    def __init__(self, server: Server, worker: str) -> None:
        self._server = server
        self._worker = worker
        self._heard: Heartbeat | None = None

    def start(self) -> None:
        """Take the node's SRM over from whoever ran it; it is restarted."""
        power.run_srm_alone(server=self._server, worker=self._worker)

    def look(self, ask_for_moves: Callable[[Sequence[MoveRequest]], object]) -> bool:
        """Step the node where it is due; False when it is not this process's any more. BusError as ``sweep``."""
        if not power.still_runs_srm(server=self._server, worker=self._worker):
            return False
        lab_now = clock.reader()
        faults = fault_selectors.in_force()
        if not sweeping.paused(faults, lab_now()):
            of = settings.SWEEP_SHARDS
            if settings.FAULT_LAB:
                for shard in range(of):
                    bus.deliver(lab_now(), faults[FaultKind.CUT], shard)
            # Read together with the version that a step must find again to be stored, and whoever
            # takes the node over raises: so of two processes only the owner's steps count.
            me = Q(pk=self._server.pk, server__machine__srm_worker=self._worker)
            sweeping.settle(me, self._collect, lab_now, faults, ask_for_moves, shards=of)
        return True

    def stop(self) -> None:
        """End the node's SRM in order; its peer hears no more of it."""
        power.end_srm_alone(server=self._server, worker=self._worker)

    def _collect(self) -> set[int]:
        newest = bus.read([self._server.pk]).get(self._server.pk)
        if newest is None or newest == self._heard:
            return set()
        self._heard = newest
        return {self._server.pk}
