"""The Celery tasks: thin. They decide nothing."""

import logging

from celery import Task, shared_task
from django.conf import settings
from django.db import OperationalError

from redundancy import bus, pulse
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
def sweep(asked: bool = False) -> None:
    """Step every node that is due. ``asked``: not by beat."""
    try:
        sweeping.sweep(ask_for_move, slow_lane, asked=asked)
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
        sweep.apply_async((True,), expires=settings.SWEEP_SECONDS)


# One that waited for a long move is overtaken by the next.
@shared_task(name="redundancy.live.tasks.audit", expires=bus.SLOW_LANE_SECONDS)
def audit() -> None:
    """Check the invariants on the live tables, and log each breach."""
    breaches = audits.audit(recent=RECENT_EVENTS)
    for breach in breaches:
        logger.error("audit: %s", breach)
    pulse.audited(str(breach) for breach in breaches)


@shared_task(name="redundancy.live.tasks.canary", bind=True, expires=bus.SLOW_LANE_SECONDS)
def canary(self: Task[..., None], queue: str, sent: float) -> None:
    """Tell that the worker of ``queue`` works; ``sent`` by the clock of the bus."""
    pulse.sing(queue, sent, self.request.hostname or "")


def slow_lane() -> None:
    """Do what is done once a minute."""
    audit.delay()
    for queue in settings.QUEUES:
        canary.apply_async((queue, pulse.now()), queue=queue)


def ask_for_move(request: MoveRequest) -> None:
    """Queue a session move."""
    move_sessions.apply_async(
        (request.node_id, request.kind.value, request.epoch, request.generation),
        expires=MOVE_EXPIRES,
    )
