"""One step of one SRM: ``step(node, event, now, policy)``. Pure; see ``table`` for the transitions.

A step takes in the event, then settles: it looks at every fact the node knows, takes the first row
of the table that fits, and looks again until none does. What follows from the state (asking for a
move until it is done, sending a heartbeat) is emitted at the end.
"""

from collections.abc import Iterator

from redundancy.srm import facts, sentences, timers
from redundancy.srm.states import BACKUP_MODES, Reason, State
from redundancy.srm.table import ASKED, JUDGED, PEER_SAYS, TABLE, Do, Rule, Trigger
from redundancy.srm.take import Source
from redundancy.srm.types import (
    Action,
    Asked,
    Disabled,
    Enabled,
    Event,
    Heard,
    Heartbeat,
    IllegalRequest,
    Leaving,
    Move,
    Moved,
    MoveFailed,
    MoveKind,
    MoveRefused,
    MoveSessions,
    Node,
    Outcome,
    Policy,
    PowerDown,
    Reading,
    Request,
    RestartServices,
    SendHeartbeat,
    StartAgain,
    Started,
    StartServices,
    StateChanged,
    StopServices,
    Tick,
    replace,
)
from redundancy.srm.when import Situation

# A settling that needs more rounds than this goes in circles: a fault of the table.
MAX_ROUNDS = 8


class UnsettledError(Exception):
    """The table sends a node round in circles."""


def step(node: Node, event: Event, now: float, policy: Policy) -> Outcome:
    """Return what becomes of ``node`` when ``event`` happens at ``now``.

    Raises:
        IllegalRequest: The administrator's request does not fit the state. ``node`` is unchanged.
    """
    node = timers.notice_parameters(timers.notice_gap(node, now, policy), now, policy)
    run = _Step(node, now, policy)
    before = (facts.healthy(node), facts.peer_start(node))
    run.take_in(event)
    if run.node.state is not State.UNKNOWN and not run.node.leaving:
        run.settle(judging=isinstance(event, Tick))
        run.pursue()
        # A peer just found hears back at once, so that a restarted node knows its place in seconds.
        after = (facts.healthy(run.node), facts.peer_start(run.node))
        run.beat(at_once=run.changed or after != before)
    node, dazed, suspects = run.node, run.node.dazed, run.node.suspects
    wake = facts.wake(node, now, policy)
    if isinstance(event, Tick) and dazed:
        # The peer may have been away for the same cause: it gets a word in before anything is judged.
        dazed, wake = False, now
    elif isinstance(event, Tick) and node.state is not State.UNKNOWN:
        suspects = facts.peer_gone(node, now, policy)
        # So it does at the limit itself: its heartbeat, the fourth of 60 s, may be due this moment.
        wake = now if suspects and not node.suspects else wake
    elif (
        not isinstance(event, Tick)
        and node.state is State.INITIALIZING
        and (not node.services or facts.longest_down(node, now, policy))
    ):
        # Its place in the pair depends on its services: it wants to look at them at once, and to
        # judge one that was down long before its peer was found.
        wake = now
    node = replace(node, stepped_at=now, dazed=dazed, suspects=suspects)
    return Outcome(node, tuple(run.actions), wake)


def offers(node: Node, request: Request, now: float, policy: Policy) -> bool:
    """Return whether the table has a row for ``request`` in the present situation."""
    return any(_fitting(ASKED[request], Situation(node, now, policy)))


def falls_back_at(node: Node, now: float, policy: Policy) -> float | None:
    """Return when ``node`` will fall back by itself if all stays as it is; None when it will not.

    Not before ``now``: it falls back at once where the wait is over.
    """
    since = facts.unbroken_since(node)
    rows = _fitting(Trigger.HEALTHY_LONG, Situation(node, now, policy))
    if not policy.automatic_fallback or since is None or not any(rows):
        return None
    return max(now, since + policy.fallback_after)


def _fitting(trigger: Trigger, situation: Situation) -> Iterator[Rule]:
    rows = TABLE[situation.node.state].get(trigger, ())
    return (rule for rule in rows if rule.when.holds(situation))


class _Step:
    """The state of one step while it runs."""

    def __init__(self, node: Node, now: float, policy: Policy) -> None:
        self.node = node
        self.now = now
        self.policy = policy
        self.actions: list[Action] = []
        self.changed = False

    def take_in(self, event: Event) -> None:
        """Apply what the event itself says."""
        match event:
            case Enabled():
                self._enable(event)
            case Disabled(readings):
                if self.node.state is not State.UNKNOWN:
                    self._disable(readings)
            case Started():
                self._start(event)
            case Heard(heartbeat):
                self.node = facts.hear(self.node, heartbeat, self.now)
            case Asked(request):
                self._ask(request)
            case Leaving(reboot):
                self.node = replace(self.node, leaving=True)
                self._send()
                self.actions.append(PowerDown(reboot))
            case Moved(kind, epoch):
                self._moved(kind, epoch)
            case MoveRefused():
                self._refused(event)
            case MoveFailed(kind, epoch):
                # One that was asked for at another epoch says nothing about the move wanted now.
                move = self.node.move
                if move is not None and move.kind is kind and epoch == self.node.epoch:
                    self._fire(Trigger.MOVE_FAILED)
            case Tick(readings):
                self.node = facts.observe(self.node, readings, self.now, self.policy)

    def settle(self, *, judging: bool) -> None:
        """Follow the table until no row fits. ``judging``: time may be judged, too."""
        for _ in range(MAX_ROUNDS):
            if not any(self._fire(trigger) for trigger in self._triggers(judging=judging)):
                return
        raise UnsettledError(f"{self.node.state} does not settle: {self.node}")

    def pursue(self) -> None:
        """Ask for the move this state wants, and again each interval until its outcome is known."""
        node = self.node
        if node.starting_since is not None and facts.healthy(node):
            self.node = node = replace(node, starting_since=None)
        wanted = facts.wanted_move(node, self.now, self.policy)
        if wanted is None or node.starting_since is not None:
            return
        asked_at = node.move.asked_at if node.move else None
        if asked_at is not None and self.now < asked_at + self.policy.heartbeat_interval:
            return
        self.node = replace(node, move=Move(wanted, self.now))
        self.actions.append(MoveSessions(wanted, node.epoch))

    def beat(self, *, at_once: bool) -> None:
        """Send a heartbeat when one is due, or at once after a change."""
        # One planned further ahead than an interval was planned by an older interval or clock.
        due = not 0 < self.node.next_heartbeat - self.now <= self.policy.heartbeat_interval
        if not (due or at_once):
            return
        self._send()
        if due:
            # Keep the beat, without those that a pause left out: pairs that did not beat in the
            # same second before an outage do not after it.
            interval = self.policy.heartbeat_interval
            late = (self.now - self.node.next_heartbeat) % interval
            self.node = replace(self.node, next_heartbeat=self.now - late + interval)

    # --- events --------------------------------------------------------------------------------

    def _enable(self, event: Enabled) -> None:
        node = self.node
        self.node = Node(
            name=node.name,
            peer_name=node.peer_name,
            first=node.first,
            state=node.state,
            reason=node.reason,
            since=node.since,
            serial=node.serial,
            seq=node.seq,
            incarnation=event.incarnation,
            generation=event.generation,
            epoch=max(event.epoch, node.epoch),
            listening_since=self.now,
            started_at=self.now,
            next_heartbeat=self.now,
            stopped=node.stopped,
            stop_asked_at=node.stop_asked_at,
        )
        why = sentences.RECOVERED if event.recover else sentences.ENABLED
        self._enter(
            State.INITIALIZING,
            Reason.INITIALIZATION,
            why,
            (Do.START,) if event.recover else (),
        )

    def _disable(self, readings: tuple[Reading, ...]) -> None:
        """Go, and leave the node as an administrator would have it: able to serve its users."""
        stopped = facts.observe(self.node, readings, self.now, self.policy).stopped
        self._enter(State.UNKNOWN, Reason.HA_NOT_ENABLED, sentences.DISABLED, ())
        if stopped:
            self.actions.append(StartAgain(stopped))
        self.node = replace(self.node, stopped=(), stop_asked_at=None)

    def _start(self, event: Started) -> None:
        if event.incarnation <= self.node.incarnation:
            return
        self.node = replace(
            self.node,
            incarnation=event.incarnation,
            epoch=max(event.epoch, self.node.epoch),
            peer=None,
            listening_since=self.now,
            services=(),
            healthy_since=None,
            started_at=self.now,
            next_heartbeat=self.now,
            starting_since=None,
            move=None,
            holds=event.holder == self.node.name,
            leaving=False,
            dazed=False,
        )
        if self.node.state is not State.UNKNOWN:
            self._fire(Trigger.STARTED, holder=event.holder)

    def _ask(self, request: Request) -> None:
        if not self._fire(ASKED[request]):
            raise IllegalRequest(request, sentences.why_not(self.node, request))

    def _moved(self, kind: MoveKind, epoch: int) -> None:
        self.node = replace(self.node, epoch=max(epoch, self.node.epoch))
        if self.node.move is None or self.node.move.kind is not kind:
            return
        self.node = replace(self.node, move=None, holds=kind is MoveKind.TAKE_OVER)
        self._fire(Trigger.MOVED)

    def _refused(self, event: MoveRefused) -> None:
        """Take in that the group's epoch is newer than this node knew.

        While the peer holds the sessions, only its heartbeat may teach this node the new epoch: a
        node that was away must not move anybody. Otherwise nobody is in the way, and it asks again;
        so does a node that had handed its users to this very peer before it fell silent.
        """
        move = self.node.move
        if move is None or move.kind is not event.kind:
            return
        if event.holder == self.node.peer_name and not self.node.handed_over:
            self._fire(Trigger.MOVE_REFUSED, holder=event.holder)
        elif self.node.state is State.NORMAL:
            self.node = replace(self.node, move=None)
        else:
            self.node = replace(
                self.node, epoch=max(event.epoch, self.node.epoch), move=Move(move.kind)
            )

    # --- settling ------------------------------------------------------------------------------

    def _triggers(self, *, judging: bool) -> Iterator[Trigger]:
        """Yield what the node can know now, weightiest first."""
        node, now, policy = self.node, self.now, self.policy
        judging = judging and not node.dazed
        if node.state is State.INITIALIZING and not node.services:
            return
        if facts.peer_heard(node, now, policy):
            assert node.peer is not None
            said = PEER_SAYS.get(node.peer.state)
            if said is not None:
                yield said
        elif facts.announced(node) or (
            judging and node.suspects and facts.peer_gone(node, now, policy)
        ):
            yield Trigger.PEER_GONE
        if judging:
            rows = TABLE[node.state]
            yield from (t for t, holds in JUDGED.items() if t in rows and holds(node, now, policy))

    def _fire(self, trigger: Trigger, *, holder: str | None = None) -> bool:
        """Take the first fitting row of ``trigger``. Return whether one was found."""
        situation = Situation(self.node, self.now, self.policy, holder)
        for rule in _fitting(trigger, situation):
            reason = rule.reason
            if isinstance(reason, Source):
                reason = reason.reason(situation)
            if (rule.to, reason) != (self.node.state, self.node.reason):
                why = sentences.fill(rule.why, self.node, self.now, self.policy)
                self._enter(rule.to, reason, why, rule.do)
                return True
            # Else its work is done, unless this is an edge and no level.
            if trigger is Trigger.STARTED:
                self._do(rule.do)
                return True
        return False

    def _enter(self, to: State, reason: Reason, sentence: str, do: tuple[Do, ...]) -> None:
        node = self.node
        self.actions.append(StateChanged(node.state, node.reason, to, reason, sentence, node.epoch))
        self.node = replace(
            node,
            state=to,
            reason=reason,
            since=self.now,
            settled_at=self.now,
            serial=node.serial + 1,
            move=None,
            starting_since=None,
            handed_over=to is State.FAILING_OVER
            or (to is State.TAKING_OVER and node.state is State.FAILING_OVER),
        )
        if to not in BACKUP_MODES:
            self.node = replace(self.node, holds=False)
        self.changed = True
        self._do(do)

    def _do(self, do: tuple[Do, ...]) -> None:
        for what in do:
            match what:
                case Do.START:
                    self.actions.append(StartServices())
                    self.node = replace(self.node, starting_since=self.now)
                case Do.STOP:
                    self.actions.append(StopServices())
                    self.node = replace(self.node, stop_asked_at=self.now)
                case Do.RESTART:
                    self.actions.append(RestartServices())
                    # What it knows of them is from before: the next look says which are back, and
                    # the users go home when all are.
                    self.node = replace(
                        self.node,
                        starting_since=self.now,
                        services=(),
                        healthy_since=None,
                        stopped=facts.stopped_by_restart(self.node),
                    )
                case Do.TAKE:
                    self.node = replace(self.node, move=Move(MoveKind.TAKE_OVER))
                case Do.HOME:
                    self.node = replace(self.node, move=Move(MoveKind.HOME))

    def _send(self) -> None:
        node = self.node = replace(self.node, seq=self.node.seq + 1)
        self.actions.append(
            SendHeartbeat(
                Heartbeat(
                    sender=node.name,
                    incarnation=node.incarnation,
                    seq=node.seq,
                    generation=node.generation,
                    state=node.state,
                    reason=node.reason,
                    epoch=node.epoch,
                    healthy=facts.healthy(node),
                    hears=facts.peer_heard(node, self.now, self.policy),
                    leaving=node.leaving,
                )
            )
        )
