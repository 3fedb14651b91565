"""The Celery tasks: thin. They decide nothing."""

import contextlib
import logging
from collections.abc import Sequence

from celery import Task, shared_task
from django.conf import settings
from django.db import Error
from django.utils import timezone

import cucm_admin.celery  # noqa: F401 - the tasks below are sent by this application
from redundancy import bus, clock, pulse, shards, workers
from redundancy.alarms import delivery
from redundancy.alarms import writes as alarm_writes
from redundancy.cli.run import run
from redundancy.history import pruning
from redundancy.history import writes as retention
from redundancy.imports.jobs import resume_imports
from redundancy.live import sweep as sweeping
from redundancy.models import Server
from redundancy.monitor import audit as audits
from redundancy.operations import access, clients, measured, moves
from redundancy.operations.moves import MoveRequest
from redundancy.outage import OutageLog, is_outage
from redundancy.shards import Shard
from redundancy.srm.types import MoveKind
from redundancy.traces import collecting
from redundancy.watch import alarming, reporting, watching

# Wall seconds after which an unanswered request to move is not carried out: the node has asked again.
MOVE_SECONDS = 15
# Moves that one task takes; between two tasks others of the queue have their turn.
MOVES_AT_ONCE = 2000

logger = logging.getLogger(__name__)
outages = OutageLog()

collecting.run_commands_with(run)

# Events that the audit of each minute looks at; `manage.py audit` looks at all of them.
RECENT_EVENTS = 5000
_began = timezone.now()


@shared_task(expires=settings.QUEUE_SECONDS)
def sweep(*, asked: bool = False, shard: int = 0, of: int = 1) -> None:
    """Step every node that is due of shard ``shard`` of ``of``: of the only one, when nothing is said.

    ``asked``: not by beat, so also when another began a moment ago. A sweep of beat that comes sooner
    than half an interval after one of beat's ends at once, so that neither a backlog nor a second beat
    costs anything.
    """
    whose = "sweep" if of == 1 else f"sweep of shard {shard + 1} of {of}"
    try:
        if asked:
            bus.begin_wanted(shard)
        elif not bus.take_turn(settings.SWEEP_SECONDS / 2, shard):
            return
        sweeping.sweep(
            ask_for_moves,
            slow_lane,
            ask_for_alarms,
            shard=Shard(shard, of),
            asked=asked,
            wait=lambda seconds: bus.wait_for_nothing(seconds, shard),
        )
    except bus.BusError as error:
        outages.note(error, whose)
    except Error as error:
        # Whatever it is, it will be so again in a second: told once, here and on the pages.
        outages.note(error, whose)
        with contextlib.suppress(bus.BusError):
            bus.note_outage(str(error), shard)
    else:
        outages.over(whose)


# Without an expiry: whoever asks may have a wrong clock, and whether it is too late is judged below.
@shared_task
def move_sessions(*_: object) -> None:
    """Move the sessions that nodes asked for; each hears of the outcome at the next sweep.

    A request of too long ago is left out: the node may want it no more. That is judged by lab time,
    which a process with a wrong clock knows, too. Arguments, of older versions, say nothing.
    """
    asked = bus.begin_moves(MOVES_AT_ONCE)
    if not asked:
        return
    late = clock.lab_now() - MOVE_SECONDS * clock.rate()
    requests = [_named(move) for move, asked_at in asked.items() if asked_at >= late]
    try:
        moves.move_all(requests)
    except Exception as error:
        if not is_outage(error):
            # Nobody shall stumble over them again and again; who still wants to move asks again.
            bus.end_moves(asked)
            raise
        # That is no verdict on the moves, which wait on. The nodes ask again.
        outages.note(error, "move_sessions")
        return
    outages.over("move_sessions")
    # After the commit, so that a crash repeats them instead of losing them.
    if bus.end_moves(asked) and bus.want_moves((), 0):
        move_sessions.delay()
    # One sweep reports all moves of its shard that ended before it.
    if requests:
        for shard in _shards_of(requests):
            if bus.want_sweep(shard.number):
                sweep.delay(asked=True, **shard.order)


@shared_task(expires=settings.QUEUE_SECONDS)
@outages.watch
def audit() -> None:
    """Check the invariants on the live tables, and log each breach."""
    breaches = audits.audit(recent=RECENT_EVENTS)
    for breach in breaches:
        logger.error("audit: %s", breach)
    pulse.note_audit(breach.whole_sentence for breach in breaches)


@shared_task(bind=True, expires=settings.QUEUE_SECONDS)
def canary(self: Task[..., None], queue: str, sent: float) -> None:
    """Tell that the worker of ``queue`` works; ``sent`` by the clock of the bus."""
    pulse.note_canary(queue, sent, self.request.hostname or "")


@shared_task
def worker_canary(name: str) -> None:
    """Tell that the worker ``name`` works off what is sent to it."""
    workers.note_canary(name)


# No sooner than the others: by clocks a minute apart no alarm would ever be raised.
@shared_task(expires=settings.QUEUE_SECONDS)
@outages.watch
def alarms() -> None:
    """Bring the alarms in line with the nodes and with real clusters, and see to it that channels are told."""
    bus.begin_alarms()
    alarm_writes.reconcile()
    alarming.reconcile(timezone.now(), since=_began)
    delivery.deliver_beside()


@shared_task(expires=settings.QUEUE_SECONDS)
@outages.watch
def watch() -> None:
    """Look at the real cluster, and report on it, where that is due; beat sends it only where the settings name one."""
    watching.look_beside()
    reporting.send_due(timezone.now())


@shared_task(expires=settings.QUEUE_SECONDS)
@outages.watch
def tidy() -> None:
    """Notice whom clients lost, keep how they logged in; once an hour let go of old history, piece by piece."""
    access.follow_all(clock.lab_now())
    measured.keep_complete(clock.lab_now())
    if bus.begin_hour():
        deleted, more = retention.prune(days=settings.HISTORY_DAYS)
        clients.forget_old(clock.lab_now())
        if deleted:
            logger.info("%d events older than %g days were deleted", deleted, settings.HISTORY_DAYS)
        others, more_others = pruning.prune_others(days=settings.HISTORY_DAYS)
        if others:
            logger.info("old rows were deleted: %s", others)
        if more or more_others:
            bus.end_hour()


def slow_lane() -> None:
    """Do what is done once a minute."""
    audit.delay()
    tidy.delay()
    resume_imports.delay()
    ask_for_alarms()
    collecting.resume_collections()
    for queue in settings.QUEUES:
        canary.apply_async((queue, pulse.now()), queue=queue)
    now = pulse.now()
    workers.forget_old(now)
    for sign in workers.signs():
        # What waits for one that is gone would only grow.
        if sign.role != workers.BEAT and now - sign.seen <= workers.SILENT_SECONDS:
            worker_canary.apply_async((sign.name,), queue=workers.own_queue(sign.name))


def ask_for_alarms() -> None:
    """Let the alarms be looked at, once for all that changes until then: in a flood each sweep asks several times."""
    if bus.want_alarms():
        alarms.delay()


def ask_for_moves(requests: Sequence[MoveRequest]) -> None:
    """Let session moves wait for their worker, each once: a node asks until it is done.

    So no more of them wait than there are nodes, however slow the worker, and it takes them together.
    """
    if requests and bus.want_moves(map(_name, requests), clock.lab_now()):
        move_sessions.delay()


def _shards_of(requests: Sequence[MoveRequest]) -> list[Shard]:
    """Return the shards of the nodes that asked for moves."""
    if settings.SWEEP_SHARDS == 1:
        return [shards.WHOLE]
    nodes = Server.objects.filter(pk__in=[request.node_id for request in requests])
    return shards.of_groups(nodes.values_list("group", flat=True), settings.SWEEP_SHARDS)


def _name(request: MoveRequest) -> str:
    return f"{request.node_id}:{request.kind.value}:{request.epoch}:{request.generation}"


def _named(move: str) -> MoveRequest:
    node, kind, epoch, generation = move.split(":")
    return MoveRequest(int(node), MoveKind(kind), int(epoch), int(generation))
