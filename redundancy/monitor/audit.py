"""Check on the live tables what must always be true, and name each breach.

Each check is one statement, so that it sees one moment of the database, whatever runs beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat, Lag

from redundancy.catalog import LOGIN_SERVICES, PUSH_CLIENTS
from redundancy.models import (
    EventKind,
    HaEvent,
    MessageKind,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    SessionMove,
    SrmMessage,
)
from redundancy.selectors import limits
from redundancy.srm.states import BACKUP_MODES, FAILED_OVER_STATES, Reason, State
from redundancy.srm.types import Policy
from redundancy.srm.words import english, mark, say

INVARIANTS: dict[str, str] = {
    "I1": say("a session is on exactly one node, the one the group's record names"),
    "I2": say("sessions are conserved: logged in and waiting to log in are all"),
    "I3": say("the moves of a group are numbered in rising order"),
    "I4": say("no session is on a node known not to serve while its peer serves"),
    "I5": say("no automatic fallback before 30 unbroken minutes"),
    "I6": say("each change of state has one event with its cause; folding them gives the state"),
    "I9": say("each client logs in between the limits of its move"),
    "I12": say("a client is logged in only where the services run that a login needs"),
}
# Breaches named of each invariant; more of the same would only fill the log.
NAMED = 20
# Moments asked for in one statement: every database takes so many parameters.
_CHUNK = 500
# Rounding of moments when they are stored.
ROUNDING = timedelta(milliseconds=10)
_MOVES = (EventKind.MOVE, EventKind.ADMIN)


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that does not hold, and where."""

    invariant: str
    sentence: str

    @property
    def whole_sentence(self) -> str:
        """The rule and the breach in one sentence."""
        return say(
            "It does not hold that {rule}: {sentence}",
            rule=INVARIANTS[self.invariant],
            sentence=self.sentence,
        )

    def __str__(self) -> str:
        return english(self.whole_sentence)


def audit(*, recent: int | None = None) -> list[Breach]:
    """Return every breach of the invariants, one invariant after the other.

    Args:
        recent: Look only at so many of the last events; at the whole history when None.

    """
    history = HaEvent.objects.all()
    if recent is not None:
        last = history.aggregate(last=Max("pk"))["last"] or 0
        history = history.filter(pk__gt=last - recent)
    return [
        Breach(invariant, sentence)
        for invariant, check in _CHECKS
        for _, sentence in zip(range(NAMED), check(history), strict=False)
    ]


def _sentences(rows: QuerySet[Any], template: str, **columns: str) -> Iterator[str]:
    """Yield ``template`` for each row; ``columns``: the column behind each of its names."""
    for row in rows.values(*columns.values()):
        yield say(template, **{name: row[column] for name, column in columns.items()})


def _counts(rows: QuerySet[Any], template: str, **columns: str) -> Iterator[str]:
    """Yield ``template`` for the rows that are alike in ``columns``; ``{count}`` is how many."""
    alike = rows.values(*columns.values()).annotate(n=Count("pk")).order_by(*columns.values())
    yield from _sentences(alike, template, count="n", **columns)


def _one_place(_: QuerySet[HaEvent]) -> Iterator[str]:
    group = "user__home__group__"
    sessions = PresenceSession.objects.filter(user__home__isnull=False).annotate(
        right=Coalesce(f"{group}holder_id", "user__home_id"),
        right_name=Coalesce(f"{group}holder__name", "user__home__name"),
    )
    return _counts(
        sessions.exclude(node_id=F("right")),
        mark("{count} session(s) of users assigned to {home} are on {node} and belong on {right}."),
        node="node__name",
        home="user__home__name",
        right="right_name",
    )


def _conserved(_: QuerySet[HaEvent]) -> Iterator[str]:
    yield from _counts(
        PresenceUser.objects.filter(home__isnull=False, session__isnull=True, signed_out=False),
        mark("{count} user(s) assigned to {home} have no session."),
        home="home__name",
    )
    sessions = PresenceSession.objects.all()
    for rows, template in (
        (
            sessions.filter(user__signed_out=True),
            mark("{count} session(s) on {node} belong to users who signed out."),
        ),
        (
            sessions.filter(user__home__isnull=True),
            mark("{count} session(s) on {node} belong to users assigned to no node."),
        ),
        # Who never logged in has no limits to wait by: neither logged in nor waiting.
        (
            sessions.filter(limits_at__gt=F("relogin_at")),
            mark("{count} session(s) on {node} keep limits of a login that is still to come."),
        ),
    ):
        yield from _counts(rows, template, node="node__name")


def _epoch_rises(history: QuerySet[HaEvent]) -> Iterator[str]:
    moves = history.filter(kind__in=_MOVES, epoch__isnull=False, group__isnull=False)
    before = Window(Lag("epoch"), partition_by=[F("group_id")], order_by="pk")
    fallen = Q(epoch__lt=F("before")) | Q(epoch=F("before"), kind=EventKind.MOVE)
    yield from _sentences(
        moves.annotate(before=before).filter(fallen).order_by("pk"),
        mark("event {event} of {group} tells of move number {epoch}, after move number {was}."),
        event="pk",
        group="group_name",
        epoch="epoch",
        was="before",
    )
    yield from _sentences(
        history.filter(epoch__gt=F("group__epoch")).order_by("pk"),
        mark("{group} is at move number {epoch}, but event {event} knew of number {known}."),
        group="group_name",
        epoch="group__epoch",
        event="pk",
        known="epoch",
    )


def _nobody_unserved(_: QuerySet[HaEvent]) -> Iterator[str]:
    # Who has no power, or runs no SRM, serves nobody, whatever its SRM remembers. One that was
    # started says where it stands only with its first step.
    started = SrmMessage.objects.filter(node=OuterRef("pk"), kind=MessageKind.STARTED)
    # What a node remembers of an older epoch is over, and behind a cut link it cannot know better.
    known = NodeRuntime.objects.annotate(
        epoch=Cast(KeyTextTransform("epoch", "memory"), BigIntegerField())
    )
    serving = known.filter(
        ~Exists(started),
        epoch=F("server__group__epoch"),
        server__group=OuterRef("node__group"),
        server__machine__powered=True,
        server__machine__srm_running=True,
        server__machine__logins_stopped_at=None,
        state__in=BACKUP_MODES,
        memory__holds=True,
    ).exclude(server=OuterRef("node"))
    out = Q(node__runtime__state__in=FAILED_OVER_STATES) | Q(node__machine__powered=False)
    sessions = PresenceSession.objects.filter(out, node__group__ha_enabled=True)
    return _counts(
        sessions.filter(Exists(serving)),
        mark("{count} session(s) are on {node} ({state}), while its peer serves."),
        node="node__name",
        state="node__runtime__state",
    )


def _unbroken_wait(history: QuerySet[HaEvent]) -> Iterator[str]:
    wait = timedelta(seconds=Policy().fallback_after) - ROUNDING
    states = _states_of("node").filter(pk__lt=OuterRef("pk"))
    fallbacks = (
        history.filter(
            kind=EventKind.STATE,
            new_state=State.TAKING_BACK,
            new_reason=Reason.AUTOMATIC_FALLBACK,
            node__isnull=False,
        )
        .exclude(old_state=State.TAKING_BACK)
        .annotate(before=Subquery(states.values("at")[:1]))
        .order_by("pk")
    )
    for pk, node, name, at, before in fallbacks.values_list(
        "pk", "node", "node_name", "at", "before"
    ):
        names = {"node": name, "event": pk}
        if before is not None and at - before < wait:
            yield say(
                "{node} fell back by itself {seconds:.0f} s after its last change of state (event "
                "{event}).",
                **names,
                seconds=(at - before).total_seconds(),
            )
        for service in NodeService.objects.monitored().filter(
            server=node, since__gt=at - wait, since__lt=at, running=True
        ):
            yield say(
                "{node} fell back by itself {seconds:.0f} s after {service} started (event {event}).",
                **names,
                seconds=(at - service.since).total_seconds(),
                service=service.name,
            )


def _history_folds(history: QuerySet[HaEvent]) -> Iterator[str]:
    changes = history.filter(kind=EventKind.STATE, node__isnull=False).order_by("pk")
    names = {"event": "pk", "node": "node_name"}
    without_cause = changes.filter(sentence="")
    yield from _sentences(without_cause, mark("event {event} of {node} has no cause."), **names)
    same = changes.filter(new_state=F("old_state"), new_reason=F("old_reason"))
    yield from _sentences(same, mark("event {event} of {node} changes nothing."), **names)
    mine = [F("node_id")]
    yield from _sentences(
        changes.annotate(
            left_state=Window(Lag("new_state"), partition_by=mine, order_by="pk"),
            left_reason=Window(Lag("new_reason"), partition_by=mine, order_by="pk"),
        )
        .filter(left_state__isnull=False)
        .filter(~Q(old_state=F("left_state")) | ~Q(old_reason=F("left_reason"))),
        mark(
            "event {event} leaves {old_state} / {old_reason}, but {node} was {left_state} / {left_reason}."
        ),
        **names,
        **{name: name for name in ("old_state", "old_reason", "left_state", "left_reason")},
    )
    yield from _last_states()


def _last_states() -> Iterator[str]:
    told = Concat("new_state", Value("\n"), "new_reason")
    last = _states_of("server").annotate(told=told).values("told")[:1]
    # One look for each node; compared in the database it would be one for each comparison.
    rows = (
        NodeRuntime.objects.order_by("server__name")
        .annotate(last=Subquery(last, output_field=CharField()))
        .values_list("server__name", "state", "reason", "last")
    )
    for server, state, reason, said in rows:
        names = {"server": server, "state": state, "reason": reason}
        if said is None:
            if state != State.UNKNOWN:
                yield say("{server} is {state} / {reason}, but no event does.", **names)
        elif said != f"{state}\n{reason}":
            last_state, last_reason = said.split("\n")
            yield say(
                "{server} is {state} / {reason}, but its last event says {last_state} / {last_reason}.",
                **names,
                last_state=last_state,
                last_reason=last_reason,
            )


def _states_of(node: str) -> QuerySet[HaEvent]:
    """Return the changes of state of the node that the outer query calls ``node``, the last one first.

    They alone have a new state. Were they asked for by their kind, or ordered by their key itself, PostgreSQL would go
    through all events of that kind, or of all nodes, for each node where it has not counted the events yet.
    """
    changes = HaEvent.objects.filter(node=OuterRef(node)).exclude(new_state="")
    return changes.order_by((F("pk") + 0).desc())


def _within_limits(_: QuerySet[HaEvent]) -> Iterator[str]:
    """Compare the first and the last login of each move with its limits; real clients keep them themselves.

    Two statements: what the first one saw was written together with what the second one looks for.
    """
    # Who has push clients at a share is among those who have at the next larger one.
    shares = [int(choice) for choice in PUSH_CLIENTS.choices]
    least = Case(
        *(When(limits.pushed(share), then=Value(share)) for share in shares if share),
        output_field=IntegerField(),
    )
    rows = list(
        PresenceSession.objects.filter(relogin_at__gt=F("limits_at"), by_client=False)
        .annotate(least=least)
        .values_list("node__name", "node__group", "since", "least")
        .annotate(n=Count("pk"), first=Min("relogin_at"), last=Max("relogin_at"))
        .order_by("node__name", "since", "least")
    )
    moments = sorted({row[2] for row in rows})
    moves = {
        (move.group_id, move.event.at): move
        for start in range(0, len(moments), _CHUNK)
        for move in SessionMove.objects.filter(
            event__at__in=moments[start : start + _CHUNK]
        ).select_related("event")
    }
    waiting: dict[tuple[Any, ...], list[tuple[int, float, float]]] = {}
    for node, group, since, share, *found in rows:
        move = moves.get((group, since))
        push = move is not None and share <= move.push_clients
        waiting.setdefault((node, since, move, push), []).append((found[0], found[1], found[2]))
    slack = ROUNDING.total_seconds()
    for (node, _since, move, push), alike in waiting.items():
        count = sum(n for n, _, _ in alike)
        if move is None:
            yield say(
                "{count} client(s) wait at {node} for a login that no move tells of.",
                count=count,
                node=node,
            )
            continue
        if move.real_logins:
            # The lab plays clients again that were real ones then: nobody knows any more which.
            continue
        first = min(first for _, first, _ in alike) - move.at
        last = max(last for _, _, last in alike) - move.at
        lower, upper = move.window(push=push)
        if first < lower - slack or last > upper + slack:
            yield say(
                "{count} client(s) log in at {node} {first:.0f} s to {last:.0f} s after their move, not "
                "{lower} s to {upper} s.",
                count=count,
                node=node,
                first=first,
                last=last,
                lower=round(lower),
                upper=round(upper),
            )


def _logins_need_services(_: QuerySet[HaEvent]) -> Iterator[str]:
    running = NodeService.objects.filter(
        server=OuterRef("pk"), name__in=LOGIN_SERVICES, running=True
    )
    count = running.order_by().values("server").annotate(n=Count("pk")).values("n")
    lacking = (
        Server.objects.filter(machine__logins_stopped_at=None, sessions__isnull=False)
        .annotate(running=Coalesce(Subquery(count, output_field=IntegerField()), 0))
        .filter(Q(running__lt=len(LOGIN_SERVICES)) | Q(machine__powered=False))
        .distinct()
    )
    return _sentences(
        lacking.order_by("name"),
        mark("clients count as logged in at {node}, which lacks a service that a login needs."),
        node="name",
    )


_CHECKS: tuple[tuple[str, Callable[[QuerySet[HaEvent]], Iterator[str]]], ...] = (
    ("I1", _one_place),
    ("I2", _conserved),
    ("I3", _epoch_rises),
    ("I4", _nobody_unserved),
    ("I5", _unbroken_wait),
    ("I6", _history_folds),
    ("I9", _within_limits),
    ("I12", _logins_need_services),
)


def counted() -> tuple[int, int]:
    """Return how many groups and sessions an audit looks at."""
    return RedundancyGroup.objects.count(), PresenceSession.objects.count()
