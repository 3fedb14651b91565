"""The session moves of an incident: what each began with, how long each phase took, what it cost.

Everything comes from recorded events: from what SRM decided upon, and from how clients logged in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from redundancy.models import EventKind, HaEvent, RequestKind, SessionMove
from redundancy.relogin import PERCENTS
from redundancy.selectors.logins import Measured, measured_logins
from redundancy.srm.replay import Cause
from redundancy.srm.states import (
    FAILOVER_IN_PROGRESS,
    FALLBACK_IN_PROGRESS,
    SERVICE_REASONS,
    SILENCE_REASONS,
    Reason,
)
from redundancy.srm.words import say, together


@dataclass(frozen=True, slots=True)
class Began:
    """What a move began with. ``at``: lab seconds; ``words``: what happened then."""

    at: float
    words: str
    cause: Cause | None
    service: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """A moment on the way from the cause to the last login.

    ``after``: seconds since the cause; ``took``: since the phase before. None: it never came, or is
    to come; ``note`` says which.
    """

    label: str
    after: float | None
    took: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class MoveReport:
    """A session move of an incident, or clients that logged in again where they were.

    ``taking``: one node took everybody. ``declared``: the change of state that
    it followed from. ``logins``: None when nobody was moved. ``lost``: user-minutes without service.
    """

    event: HaEvent
    move: SessionMove
    taking: bool
    began: Began
    declared: HaEvent
    logins: Measured | None
    phases: tuple[Phase, ...]
    lost: float

    @property
    def title(self) -> str:
        """Return which way it went."""
        if self.taking:
            return say(
                "Failover: {moved:,} sessions to {node}",
                moved=self.move.sessions,
                node=self.move.holder_name,
            )
        if self.move.again:
            return say(
                "Clients log in again: {moved:,} at {node}",
                moved=self.move.sessions,
                node=self.event.node_name,
            )
        return say(
            "Users go home: {moved:,} sessions to their assigned nodes", moved=self.move.sessions
        )

    @property
    def told(self) -> str:
        """Return in words how many logged in, and what became of the others."""
        logins = self.logins
        if logins is None:
            return say("nobody was moved")
        found = [
            say(
                "{logged_in:,} of {moved:,}, between {lower} and {upper} s after the move",
                logged_in=logins.logged_in,
                moved=logins.moved,
                lower=self.move.lower,
                upper=self.move.upper,
            )
        ]
        if self.move.push_clients:
            lower, upper = self.move.window(push=True)
            found.append(
                say("push clients between {lower:.0f} and {upper:.0f} s", lower=lower, upper=upper)
            )
        if self.move.clients_per_user > 1:
            found.append(
                say(
                    "these are users, each with {clients} clients, which log in together",
                    clients=self.move.clients_per_user,
                )
            )
        if logins.overtaken and logins.complete:
            found.append(
                say("{sessions:,} were moved again before they had", sessions=logins.overtaken)
            )
        elif logins.overtaken:
            found.append(say("{sessions:,} are still to come", sessions=logins.overtaken))
        if logins.others:
            found.append(say("of {sessions:,} nothing is known any more", sessions=logins.others))
        return together(found, "; ")


def moves_of(events: Sequence[HaEvent], before: Sequence[HaEvent], now: float) -> list[MoveReport]:
    """Return the moves among the events of an incident, at lab time ``now``.

    Args:
        events: The incident's, the oldest first.
        before: Events of the group from before it, the oldest first: what was asked for.
        now: Lab seconds.

    """
    rows = {
        move.pk: move
        for move in SessionMove.objects.filter(event__in=events).select_related("event")
    }
    found: list[MoveReport] = []
    since = 0
    for number, event in enumerate(events):
        move = rows.get(event.pk)
        if move is None:
            continue
        changes = [e for e in events[since:number] if e.kind == EventKind.STATE]
        if move.again:
            found.append(_logged_in_again(event, move, now))
        elif changes and (move.moved or move.holder_name):
            past = [*before, *events[:number]]
            found.append(_moved(event, move, changes, past, events[number:], now))
        since = number + 1
    return found


def _moved(
    event: HaEvent,
    move: SessionMove,
    changes: Sequence[HaEvent],
    past: Sequence[HaEvent],
    later: Sequence[HaEvent],
    now: float,
) -> MoveReport:
    taking = bool(move.holder_name)
    declared = _declared(changes, taking=taking)
    began = _began(declared, changes, past)
    if began.cause is Cause.POWER and _ran_on(declared, began.at, [*changes, *later]):
        began = replace(began, cause=Cause.LINK)
    logins = measured_logins(move, now) if move.moved else None
    # Until an administrator's request is carried out, until a node behind a cut link loses its
    # sessions, and until sessions go home, everybody is served.
    served_until = began.at
    if began.cause is Cause.LINK:
        served_until = move.at
    elif began.cause in (Cause.REQUEST, None):
        served_until = _seconds(declared.at)
    unserved = max(0.0, move.at - served_until) if taking else 0.0
    waited = logins.waited if logins else 0.0
    return MoveReport(
        event=event,
        move=move,
        taking=taking,
        began=began,
        declared=declared,
        logins=logins,
        phases=tuple(_phases(began, _declaration(declared), move, logins)),
        lost=(move.moved * unserved + waited) / 60,
    )


def _logged_in_again(event: HaEvent, move: SessionMove, now: float) -> MoveReport:
    inputs = event.inputs or {"lost": 0, "lost_at": move.at}
    began = Began(inputs["lost_at"], say("Clients could not log in"), None)
    logins = measured_logins(move, now)
    return MoveReport(
        event=event,
        move=move,
        taking=False,
        began=began,
        declared=event,
        logins=logins,
        phases=tuple(_phases(began, [], move, logins)),
        lost=(inputs["lost"] * (move.at - began.at) + logins.waited) / 60,
    )


def _declared(changes: Sequence[HaEvent], *, taking: bool) -> HaEvent:
    """Return the first of the last changes that the move followed from."""
    wanted = FAILOVER_IN_PROGRESS if taking else FALLBACK_IN_PROGRESS
    last = {event.node_name: event for event in changes if event.new_state in wanted}
    return min(last.values(), key=lambda event: event.pk) if last else changes[-1]


def _began(declared: HaEvent, changes: Sequence[HaEvent], past: Sequence[HaEvent]) -> Began:
    reason, inputs = declared.new_reason, declared.inputs or {}
    at = _seconds(declared.at)
    if reason == Reason.ON_ADMIN_REQUEST:
        asked = [e for e in past if e.request and not e.refused and e.at <= declared.at]
        if asked:
            return Began(_seconds(asked[-1].at), _asked(asked[-1]), Cause.REQUEST)
    if reason in SERVICE_REASONS:
        told = [e.inputs for e in (declared, *changes) if e.inputs and e.inputs["down"]]
        if told:
            service, since = min(told[0]["down"], key=lambda pair: pair[1])
            return Began(
                min(since, at), say("{service} went down", service=service), Cause.SERVICE, service
            )
    if reason in SILENCE_REASONS and inputs:
        heard = say("Last heartbeat was heard") if inputs["peer"] else say("SRM began to listen")
        return Began(min(inputs["heard_at"], at), heard, Cause.POWER)
    return Began(at, declared.sentence, None)


def _asked(event: HaEvent) -> str:
    """Return what was requested, and by whom."""
    return say(
        "{request} of {subject} was requested by {actor}",
        request=RequestKind(event.request).label,
        subject=event.node_name or event.group_name,
        actor=event.actor or say("nobody known"),
    )


def _ran_on(declared: HaEvent, since: float, events: Sequence[HaEvent]) -> bool:
    """Return whether the node that fell silent was heard to have run all the time: the link was cut."""
    others = [e for e in events if e.node_name != declared.node_name and e.pk > declared.pk]
    told = (e.inputs for e in others if e.kind == EventKind.STATE)
    started = next((inputs["srm_since"] for inputs in told if inputs), None)
    return started is not None and started <= since


def _declaration(declared: HaEvent) -> list[tuple[str, float | None, str]]:
    label = say(
        "Declared: {node} is {state}", node=declared.node_name, state=say(declared.new_state)
    )
    return [(label, _seconds(declared.at), "")]


def _phases(
    began: Began,
    moments: list[tuple[str, float | None, str]],
    move: SessionMove,
    logins: Measured | None,
) -> Iterator[Phase]:
    yield Phase(began.words, 0.0, None)
    done = say("Logins are possible again") if move.again else say("Sessions were moved")
    moments.append((done, move.at, ""))
    if logins is not None:
        never = say("never: moved again before") if logins.complete else say("to come")
        for percent in PERCENTS:
            after = logins.until(percent)
            at = None if after is None else move.at + after
            moments.append(
                (say("{percent} % logged in", percent=percent), at, "" if at is not None else never)
            )
    last = began.at
    for label, at, note in moments:
        yield Phase(
            label, None if at is None else at - began.at, None if at is None else at - last, note
        )
        last = last if at is None else at


def _seconds(at: datetime) -> float:
    return at.timestamp()
