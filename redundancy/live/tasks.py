"""The Celery tasks: thin. They decide nothing."""

import logging

from celery import shared_task
from django.conf import settings
from django.db import OperationalError

from redundancy import bus
from redundancy.live import sweep as sweeping
from redundancy.operations import moves
from redundancy.operations.moves import MoveRequest
from redundancy.selectors import audit as audits
from redundancy.srm.types import MoveKind

# Wall seconds after which an unanswered request to move is dropped: the node has asked again.
MOVE_EXPIRES = 15

logger = logging.getLogger(__name__)

# What happened before was looked at a minute ago; `manage.py audit` looks at all of it.
RECENT_EVENTS = 5000


@shared_task(name="redundancy.live.tasks.sweep")
def sweep() -> None:
    """Step every node that is due."""
    try:
        sweeping.sweep(ask_for_move, audit.delay)
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
        sweep.apply_async(expires=settings.SWEEP_SECONDS)


# One that waited for a long move is overtaken by the next.
@shared_task(name="redundancy.live.tasks.audit", expires=bus.SLOW_LANE_SECONDS)
def audit() -> None:
    """Check the invariants on the live tables, and log each breach."""
    for breach in audits.audit(recent=RECENT_EVENTS):
        logger.error("audit: %s", breach)


def ask_for_move(request: MoveRequest) -> None:
    """Queue a session move."""
    move_sessions.apply_async(
        (request.node_id, request.kind.value, request.epoch, request.generation),
        expires=MOVE_EXPIRES,
    )
