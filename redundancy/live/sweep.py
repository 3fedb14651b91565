"""One sweep: every node that is due takes a step, until no message is left.

Two sweeps at once are harmless: a step is written only if the node's memory is still the one it
began with. A sweep that cannot reach the bus steps nobody, so that no node counts a silence that
is ours.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import F, Prefetch, Q

from redundancy import bus, clock
from redundancy.drivers import Observed, get_driver
from redundancy.live import inbox, link
from redundancy.models import EventKind, MessageKind, NodeRuntime, ServiceStatus, SrmMessage
from redundancy.operations import events, power
from redundancy.operations import faults as fault_operations
from redundancy.operations.moves import MoveRequest
from redundancy.selectors import faults as fault_selectors
from redundancy.selectors import policy as policies
from redundancy.selectors.faults import Faults
from redundancy.srm.codec import node_from_json, node_to_json
from redundancy.srm.states import Reason, State
from redundancy.srm.step import step
from redundancy.srm.types import (
    Action,
    Heartbeat,
    IllegalRequest,
    Leaving,
    MoveSessions,
    Node,
    Policy,
    PowerDown,
    Reading,
    SendHeartbeat,
    StartServices,
    StateChanged,
    StopServices,
    Tick,
)

logger = logging.getLogger(__name__)

# A pair settles in a few rounds; what is left then waits for the next sweep.
MAX_ROUNDS = 12
# What a status says of a service; anything else is down.
UP = {ServiceStatus.STARTED: True, ServiceStatus.UNKNOWN: None}
# Lab seconds by which the clocks of two workers may differ.
CLOCK_SLACK = 60.0
# Wall seconds of sweeping without a sign of life of a process that runs one SRM alone.
ALONE_SECONDS = 5
# The nodes that have no process of their own.
TOGETHER = Q(server__machine__srm_worker="")
# Stands for "never" in a column that cannot hold infinity.
NEVER = 1e15


@dataclass(frozen=True, slots=True)
class _Done:
    """What is left to do when a step is committed."""

    heartbeat: Heartbeat | None
    receiver: int
    moves: tuple[MoveRequest, ...]


def sweep(
    ask_for_move: Callable[[MoveRequest], None], slow_lane: Callable[[], object] = bool
) -> int:
    """Step every due node and return how many steps were taken.

    Args:
        ask_for_move: Called after the commit for each session move a node wants.
        slow_lane: Called once a minute of wall time.

    Raises:
        bus.BusError: The heartbeat bus cannot be reached.

    """
    lab_now = clock.reader()
    faults = fault_selectors.in_force()
    if paused(faults, lab_now()):
        return 0
    power.boot_due_nodes(now=lab_now())
    if settings.FAULT_LAB:
        bus.deliver(lab_now(), faults.cut)
    power.count_missed_sweeps(limit=ceil(ALONE_SECONDS / settings.SWEEP_SECONDS))
    taken = settle(TOGETHER, bus.collect, lab_now, faults, ask_for_move)
    if bus.mark_sweep():
        slow_lane()
    return taken


def paused(faults: Faults, now: float) -> bool:
    """Return whether nobody shall look at the nodes now; end a pause whose time is over."""
    if now < faults.paused_until:
        return True
    if faults.paused_until:
        fault_operations.end_pause(now=now)
    return False


def settle(
    whom: Q,
    collect: Callable[[], set[int]],
    lab_now: Callable[[], float],
    faults: Faults,
    ask_for_move: Callable[[MoveRequest], None],
) -> int:
    """Step the due nodes, and those that get mail by it, until none is left. Return the steps taken.

    Args:
        whom: Which nodes to step, as a condition on their memory.
        collect: Returns the nodes whose inbox was written since it was last called.
        lab_now: Tells the lab time.
        faults: Those in force.
        ask_for_move: Called after the commit for each session move a node wants.

    """
    policy = policies.current()
    taken = 0
    for _ in range(MAX_ROUNDS):
        mail = collect()
        due = _due(whom, lab_now(), mail)
        if not due:
            break
        bus.forget(runtime.pk for runtime in due if _starts(runtime))
        heartbeats = bus.read(runtime.pk for runtime in due)
        services = get_driver().observe([runtime.server for runtime in due])
        peers = _peers(due)
        for runtime in due:
            now = lab_now()
            try:
                done = _step(
                    runtime,
                    peers.get(runtime.pk),
                    heartbeats.get(runtime.pk),
                    services[runtime.pk],
                    now,
                    policy,
                )
            except Exception:
                # The SRM of this node is broken, as its peer will find; nobody else's is.
                logger.exception("step of %s failed; nothing of it was stored", runtime.server)
                continue
            if done is None:
                continue
            taken += 1
            if done.heartbeat is not None:
                assert runtime.server.group_id is not None
                link.send(
                    done.heartbeat,
                    sender=runtime.pk,
                    receiver=done.receiver,
                    group=runtime.server.group_id,
                    now=now,
                    faults=faults,
                )
            for move in done.moves:
                ask_for_move(move)
    return taken


def _due(whom: Q, now: float, mail: set[int]) -> list[NodeRuntime]:
    """Return the nodes whose SRM runs and has something to do, with all that a step needs."""
    return list(
        NodeRuntime.objects.filter(
            whom,
            server__group__ha_enabled=True,
            server__machine__powered=True,
            server__machine__srm_running=True,
        )
        .filter(
            Q(due_at__lte=now)
            | Q(pk__in=mail)
            | Q(pk__in=SrmMessage.objects.values("node_id"))
            # Stepped in the future: the clock was set back since.
            | Q(stepped_at__gt=now + CLOCK_SLACK)
        )
        .select_related("server__group__holder", "server__machine")
        .prefetch_related(
            Prefetch("server__srm_messages", SrmMessage.objects.order_by("pk"), to_attr="waiting")
        )
        .order_by("pk")
    )


def _peers(due: Sequence[NodeRuntime]) -> dict[int, tuple[int, str]]:
    """Return key and name of the peer of each node."""
    members: dict[int | None, list[tuple[int, str]]] = {
        runtime.server.group_id: [] for runtime in due
    }
    for pk, name, group_id in NodeRuntime.objects.filter(server__group__in=members).values_list(
        "pk", "server__name", "server__group_id"
    ):
        members[group_id].append((pk, name))
    return {
        runtime.pk: other
        for runtime in due
        for other in members[runtime.server.group_id]
        if other[0] != runtime.pk
    }


def _remembered(runtime: NodeRuntime, peer_name: str) -> Node:
    if runtime.memory:
        return node_from_json(runtime.memory)
    return Node(
        name=runtime.server.name,
        peer_name=peer_name,
        first=runtime.server.slot == 1,
        state=State(runtime.state),
        reason=Reason(runtime.reason),
        since=runtime.since,
        serial=runtime.serial,
    )


def _waiting(runtime: NodeRuntime) -> list[SrmMessage]:
    """Return what was stored for the node, oldest first, as ``_due`` fetched it."""
    messages: list[SrmMessage] = runtime.server.waiting  # type: ignore[attr-defined]
    return messages


def _starts(runtime: NodeRuntime) -> bool:
    """Return whether the SRM of this node was started and has not stepped since."""
    return any(message.kind == MessageKind.STARTED for message in _waiting(runtime))


def _readings(services: Sequence[Observed]) -> tuple[Reading, ...]:
    return tuple(
        Reading(
            service.name,
            UP.get(service.status, False),
            service.since,
            service.is_database,
        )
        for service in services
        if service.monitored
    )


def _step(
    runtime: NodeRuntime,
    peer: tuple[int, str] | None,
    heartbeat: Heartbeat | None,
    services: Sequence[Observed],
    now: float,
    policy: Policy,
) -> _Done | None:
    """Let one node take its step and store it. Return None when somebody else was faster."""
    if peer is None:
        return None
    peer_id, peer_name = peer
    node = replace(_remembered(runtime, peer_name), name=runtime.server.name, peer_name=peer_name)
    messages = _waiting(runtime)
    actions: list[tuple[Action, str]] = []
    refused: list[tuple[str, str]] = []
    happened = [
        *inbox.events_of(runtime, node.generation, messages, heartbeat),
        (Tick(_readings(services)), ""),
    ]
    wake = now
    for event, actor in happened:
        try:
            outcome = step(node, event, now, policy)
        except IllegalRequest as error:
            refused.append((str(error), actor))
            continue
        node, wake = outcome.node, outcome.wake
        actions += [(action, actor) for action in outcome.actions]
        if isinstance(event, Leaving):
            break
    try:
        with transaction.atomic():
            if not _store(runtime, node, actions, wake, now):
                return None
            SrmMessage.objects.filter(pk__in=[message.pk for message in messages]).delete()
            _write_history(runtime, actions, refused, now)
            _work_on_machine(runtime, actions, services)
    except OperationalError:
        # Busy or away; the next sweep takes the step again.
        logger.warning("step of %s was not stored", node.name, exc_info=True)
        return None
    sent = [action.heartbeat for action, _ in actions if isinstance(action, SendHeartbeat)]
    return _Done(
        # The last one says everything.
        sent[-1] if sent else None,
        peer_id,
        tuple(
            MoveRequest(runtime.pk, a.kind, a.epoch, node.generation)
            for a, _ in actions
            if isinstance(a, MoveSessions)
        ),
    )


def _store(
    runtime: NodeRuntime,
    node: Node,
    actions: Sequence[tuple[Action, str]],
    wake: float,
    now: float,
) -> bool:
    """Write the node's memory if it is still the one the step began with."""
    sentences = [action.sentence for action, _ in actions if isinstance(action, StateChanged)]
    return bool(
        NodeRuntime.objects.filter(pk=runtime.pk, version=runtime.version).update(
            version=F("version") + 1,
            memory=node_to_json(node),
            state=node.state,
            reason=node.reason,
            serial=node.serial,
            since=node.since,
            sentence=sentences[-1] if sentences else runtime.sentence,
            due_at=min(wake, NEVER),
            stepped_at=now,
        )
    )


def _write_history(
    runtime: NodeRuntime,
    actions: Sequence[tuple[Action, str]],
    refused: Sequence[tuple[str, str]],
    now: float,
) -> None:
    for action, actor in actions:
        if isinstance(action, StateChanged):
            events.record(
                kind=EventKind.STATE,
                sentence=action.sentence,
                node=runtime.server,
                actor=actor,
                old_state=action.old_state,
                old_reason=action.old_reason,
                new_state=action.new_state,
                new_reason=action.new_reason,
                epoch=action.epoch,
                at=now,
            )
            logger.info(
                "%s: %s / %s - %s",
                runtime.server.name,
                action.new_state,
                action.new_reason,
                action.sentence,
            )
    for sentence, actor in refused:
        events.record(
            kind=EventKind.ADMIN,
            sentence=f"Refused: {sentence}",
            node=runtime.server,
            actor=actor,
            at=now,
        )


def _work_on_machine(
    runtime: NodeRuntime, actions: Sequence[tuple[Action, str]], services: Sequence[Observed]
) -> None:
    """Start and stop what the step asked for. Before the commit: a crash between would lose it."""
    driver = get_driver()
    critical = [service.name for service in services if service.monitored]
    for action, actor in actions:
        match action:
            case StartServices():
                if fault_operations.take_start(runtime.server):
                    continue
                driver.start(runtime.server, critical)
            case StopServices():
                # The database goes on: SRM itself and the session moves need it.
                stopping = [s.name for s in services if s.monitored and not s.is_database]
                driver.stop(runtime.server, stopping)
            case PowerDown(reboot):
                power.finish_shutdown(server=runtime.server, reboot=reboot, actor=actor)
