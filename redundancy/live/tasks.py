"""The Celery tasks: thin. They decide nothing."""

import logging

from celery import shared_task
from django.db import OperationalError

from redundancy import bus
from redundancy.live import sweep as sweeping
from redundancy.operations import moves
from redundancy.operations.moves import MoveRequest
from redundancy.srm.types import MoveKind

logger = logging.getLogger(__name__)


@shared_task(name="redundancy.live.tasks.sweep")
def sweep() -> None:
    """Step every node that is due."""
    try:
        sweeping.sweep(_ask_for_move)
    except bus.BusError as error:
        logger.warning("no sweep: the heartbeat bus cannot be reached (%s)", error)


@shared_task(name="redundancy.live.tasks.move_sessions")
def move_sessions(node_id: int, kind: str, epoch: int, generation: int) -> None:
    """Move the sessions a node asked for; the node hears of the outcome at the next sweep."""
    request = MoveRequest(node_id, MoveKind(kind), epoch, generation)
    try:
        moves.move_sessions(request)
    except OperationalError:
        # The database was busy or away: that is no verdict on the move. The node asks again.
        logger.exception("%s was not carried out", request)
    except Exception:
        logger.exception("%s failed", request)
        moves.report_failure(request)
    else:
        sweep.delay()


def _ask_for_move(request: MoveRequest) -> None:
    move_sessions.delay(request.node_id, request.kind.value, request.epoch, request.generation)
