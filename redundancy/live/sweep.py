"""One sweep: every node that is due takes a step, until no message is left.

A shard is swept by itself (``SWEEP_SHARDS``). Two sweeps at once, of one shard or of several, are harmless: a step is written only if the node's memory is still the one it
began with. A sweep that cannot reach the bus steps nobody, so that no node counts a silence that
is ours.
"""

import logging
import time
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial

from django.conf import settings
from django.db import Error
from django.db.models import Q

from redundancy import bus, clock, pulse
from redundancy.live import inbox, link, tracing
from redundancy.live.due import DueNode, due_nodes, find_due, next_limit
from redundancy.live.link import Letter
from redundancy.live.store import TakenStep, store_steps
from redundancy.models import FaultKind
from redundancy.operations import access, news, observer, power, replication
from redundancy.operations import faults as fault_operations
from redundancy.operations.moves import MoveRequest
from redundancy.selectors import faults as fault_selectors
from redundancy.selectors import policy as policies
from redundancy.selectors.faults import Faults
from redundancy.shards import WHOLE, Shard
from redundancy.srm.step import step
from redundancy.srm.types import (
    Action,
    Heartbeat,
    IllegalRequest,
    Leaving,
    MoveSessions,
    Node,
    Policy,
    Request,
    RestartServices,
    SendHeartbeat,
    Tick,
)

logger = logging.getLogger(__name__)

# A pair settles in a few rounds; what is left then waits for the next sweep.
MAX_ROUNDS = 12
# Nodes whose steps are stored together: what is held up by a slow database, or done again.
BATCH = 1000
# A sweep looks again for this part of its interval, no more often than each APART wall seconds, and
# PAST wall seconds after the moment itself, so that it is over.
LOOKING, APART, PAST = 0.9, 0.1, 0.002
# The nodes that have no process of their own.
TOGETHER = Q(server__machine__srm_worker="")


def sweep(
    ask_for_moves: Callable[[Sequence[MoveRequest]], object],
    slow_lane: Callable[[], object] = bool,
    changed: Callable[[], object] = bool,
    *,
    shard: Shard = WHOLE,
    asked: bool = False,
    wait: Callable[[float], bool] | None = None,
) -> int:
    """Step every due node of a shard and return how many steps were taken.

    A time limit that is reached before the next sweep is judged at its moment, not up to a whole interval
    later: the sweep waits for it and looks again.

    Args:
        ask_for_moves: Called after a commit with the session moves that nodes want.
        slow_lane: Called once a minute of wall time.
        changed: Called when a node has changed its state, or somebody its services or power.
        shard: Whose nodes; what is done once for all shards is done with the first.
        asked: Whether somebody asked for this sweep, other than beat.
        wait: Lets wall seconds pass and returns whether it may go on; without it nothing is waited for.

    Raises:
        bus.BusError: The heartbeat bus cannot be reached.
        django.db.Error: The database cannot be used, see ``outage.is_outage``. Then some steps were
            not stored, and nobody may take the nodes for seen.

    """
    began = time.perf_counter()
    lab_now, rate = clock.look()
    faults = fault_selectors.in_force()
    if paused(faults, lab_now()):
        return 0
    if bus.sweep_age_of(shard.number) is None:
        interval = policies.current().heartbeat_interval
        observer.note_start(now=lab_now(), interval=interval, shard=shard)
    power.boot_due_nodes(now=lab_now(), shard=shard)
    unreplicated = {node for node in faults[FaultKind.REPLICATION] if node is not None}
    replication.let_publisher_go_on(nodes=unreplicated, now=lab_now(), shard=shard)
    if settings.FAULT_LAB:
        bus.deliver(lab_now(), faults[FaultKind.CUT], shard.number)
    power.count_missed_sweeps(shard)
    whom = TOGETHER & shard.whose("server__group")
    collect = partial(bus.collect, shard.number)
    look = partial(settle, whom, collect, lab_now, faults, ask_for_moves, changed, shards=shard.of)
    looked = lab_now()
    taken = look()
    access.let_in(shard)
    if shard.is_first:
        access.give_up(lab_now())
        news.note_late(lab_now())
    # Last, because this sweep itself may have caused the gap.
    observer.note_return(age=bus.sweep_age_of(shard.number), now=lab_now(), shard=shard)
    took = time.perf_counter() - began
    pulse.note_sweep(took=took, steps=taken, asked=asked, shard=shard.number)
    if bus.take_change():
        changed()
    if bus.mark_sweep(shard.number, shard.of):
        slow_lane()
    if wait is not None:
        end = began + LOOKING * settings.SWEEP_SECONDS
        taken += _look_again(whom, look, wait, lab_now, rate, looked, end)
    return taken


def _look_again(
    whom: Q,
    look: Callable[[], int],
    wait: Callable[[float], bool],
    lab_now: Callable[[], float],
    rate: float,
    looked: float,
    end: float,
) -> int:
    """Judge each time limit that is reached before ``end`` (of ``perf_counter``) at its moment.

    ``looked``: the lab time before the last look; a limit that was reached while it went on is judged at once.
    """
    taken = 0
    soonest = time.perf_counter()
    while (left := end - time.perf_counter()) > 0:
        now = lab_now()
        at = next_limit(whom, looked, now + left * rate)
        if at is None:
            break
        pause = max((at - now) / rate, soonest - time.perf_counter(), 0.0)
        if pause > left or not wait(pause + PAST):
            break
        soonest = time.perf_counter() + APART
        looked = lab_now()
        taken += look()
    return taken


def paused(faults: Faults, now: float) -> bool:
    """Return whether nobody shall look at the nodes now; end a pause whose time is over."""
    until = faults[FaultKind.PAUSE].get(None, 0)
    if now < until:
        return True
    if until:
        fault_operations.end_pause(now=now)
    return False


def settle(
    whom: Q,
    collect: Callable[[], set[int]],
    lab_now: Callable[[], float],
    faults: Faults,
    ask_for_moves: Callable[[Sequence[MoveRequest]], object],
    changed: Callable[[], object] = bool,
    *,
    shards: int = 1,
) -> int:
    """Step the due nodes, and those that get mail by it, until none is left. Return the steps taken.

    ``whom``: which nodes, as a condition on their memory. ``collect`` returns those whose inbox was
    written since its last call. ``shards``: how many there are. The other functions are those of
    ``sweep``.
    """
    policy = policies.current()
    count = changes = 0
    failed: Error | None = None
    for _ in range(MAX_ROUNDS):
        mail = collect()
        due = find_due(whom, lab_now(), mail, policy.heartbeat_interval)
        if not due:
            break
        stepping = {one.pk for one in due}
        for start in range(0, len(due), BATCH):
            some = due_nodes(due[start : start + BATCH])
            # Read after the memories: a change of parameters in between makes these steps void,
            # and no node takes one, and sleeps, by parameters that hold no more.
            policy = policies.current()
            taken = [one for one in (take(s, lab_now(), policy) for s in some) if one]
            taken = judge_silent(taken, stepping, lab_now, policy)
            try:
                stored = store_steps(taken)
            except Error as error:
                # The steps of the other nodes may be stored all the same.
                failed = error
                continue
            letters = [letter for one in stored if (letter := _letter(one))]
            link.send_letters(letters, faults, shards)
            ask_for_moves([request for one in stored for request in _moves(one)])
            tracing.write_traces(stored)
            count += len(stored)
            changes += sum(not one.is_quiet for one in stored)
        if failed:
            break
    if changes:
        changed()
    if failed:
        raise failed
    return count


def judge_silent(
    taken: Sequence[TakenStep],
    stepping: Container[int],
    lab_now: Callable[[], float],
    policy: Policy,
) -> list[TakenStep]:
    """Return these steps; of nodes whose peer has just become silent, with the step that judges it.

    That step would be taken in the next round, after what the peer says in this one. A peer that is not
    ``stepping`` (keys) says nothing: the bus is read again, and the two steps are stored as one.
    """
    doubtful = {one.key for one in taken if _may_judge(one, stepping)}
    heard = bus.read(doubtful)
    return [
        _judged(one, heard.get(one.key), lab_now(), policy) if one.key in doubtful else one
        for one in taken
    ]


def _may_judge(taken: TakenStep, stepping: Container[int]) -> bool:
    situation = taken.situation
    suspects = taken.node.suspects and not taken.before.suspects
    # What it has ordered its machine to do is done, and seen, only when it is stored.
    alone = situation.together and situation.peer not in stepping
    return suspects and alone and taken.is_quiet


def _judged(taken: TakenStep, heard: Heartbeat | None, now: float, policy: Policy) -> TakenStep:
    """Return a step with the one that follows it by what was ``heard`` since; unchanged when that fails."""
    situation = taken.situation._replace(heartbeat=heard)
    then = take(situation._replace(messages=()), now, policy, taken.node)
    if then is None:
        return taken
    return then._replace(
        situation=situation,
        before=taken.before,
        actions=[*taken.actions, *then.actions],
        refused=taken.refused,
    )


def take(
    situation: DueNode, now: float, policy: Policy, node: Node | None = None
) -> TakenStep | None:
    """Return the step of one node at ``now``; None when its SRM is broken. ``node``: what it is by now, if not as stored."""
    try:
        return _take(situation, node or situation.node, now, policy)
    except Exception:
        # Only this node stands still; its peer will take it for dead.
        logger.exception("step of %s failed", situation.stored.name)
        return None


def _take(situation: DueNode, node: Node, now: float, policy: Policy) -> TakenStep:
    before = node
    actions: list[tuple[Action, str]] = []
    refused: list[tuple[Request, str, str]] = []
    wake = now
    for event, actor in (
        *inbox.srm_events(situation, node),
        (Tick(situation.readings), ""),
    ):
        if isinstance(event, Tick) and any(isinstance(a, RestartServices) for a, _ in actions):
            # What was read of the services is from before; they wake the node when they have restarted.
            break
        try:
            outcome = step(node, event, now, policy)
        except IllegalRequest as error:
            refused.append((error.request, error.sentence, actor))
            continue
        node, wake = outcome.node, outcome.wake
        actions += [(action, actor) for action in outcome.actions]
        if isinstance(event, Leaving):
            break
    return TakenStep(situation, before, node, actions, refused, wake, now, policy)


def _letter(taken: TakenStep) -> Letter | None:
    """Return the step's heartbeat: the last one says everything."""
    sent = [action.heartbeat for action, _ in taken.actions if isinstance(action, SendHeartbeat)]
    if not sent:
        return None
    situation = taken.situation
    return Letter(sent[-1], taken.key, situation.peer, situation.stored.group, taken.now)


def _moves(taken: TakenStep) -> Iterator[MoveRequest]:
    for action, _ in taken.actions:
        if isinstance(action, MoveSessions):
            yield MoveRequest(taken.key, action.kind, action.epoch, taken.node.generation)
