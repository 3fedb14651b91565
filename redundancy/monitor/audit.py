"""Check on the live tables what must always be true, and name each breach.

Each check is one statement, so that it sees one moment of the database, whatever runs beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import (
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
    Window,
)
from django.db.models.functions import Coalesce, Lag

from redundancy.catalog import is_monitored
from redundancy.models import (
    EventKind,
    HaEvent,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    SessionMove,
)
from redundancy.srm.states import BACKUP_MODES, FAILED_OVER_STATES, Reason, State
from redundancy.srm.types import Policy
from redundancy.srm.words import english, say

INVARIANTS: dict[str, str] = {
    "I1": say("a session is on exactly one node, the one the group's record names"),
    "I2": say("sessions are conserved: logged in and waiting to log in are all"),
    "I3": say("a group's epoch only rises"),
    "I4": say("no session is on a node known not to serve while its peer serves"),
    "I5": say("no automatic fallback before 30 unbroken minutes"),
    "I6": say("each change of state has one event with its cause; folding them gives the state"),
    "I9": say("each client logs in between the limits of its move"),
}
# Breaches named of each check: what is wrong a thousand times is wrong in one way.
NAMED = 20
# Below the number of parameters a statement may have on every database.
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
    def said(self) -> str:
        """Return all of it as a sentence."""
        return say(
            "It does not hold that {rule}: {sentence}",
            rule=INVARIANTS[self.invariant],
            sentence=self.sentence,
        )

    def __str__(self) -> str:
        return english(self.said)


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


def _one_place(_: QuerySet[HaEvent]) -> Iterator[str]:
    group = "user__home__group__"
    rows = (
        PresenceSession.objects.filter(user__home__isnull=False)
        .annotate(right=Coalesce(f"{group}holder_id", "user__home_id"))
        .exclude(node_id=F("right"))
        .values("node__name", "user__home__name", f"{group}holder__name")
        .annotate(n=Count("pk"))
        .order_by("node__name", "user__home__name")
    )
    for row in rows:
        right = row[f"{group}holder__name"] or row["user__home__name"]
        yield (
            say(
                "{count} session(s) of users assigned to {home} are on {node} and belong on {right}.",
                count=row["n"],
                home=row["user__home__name"],
                node=row["node__name"],
                right=right,
            )
        )


def _conserved(_: QuerySet[HaEvent]) -> Iterator[str]:
    lost = PresenceUser.objects.filter(home__isnull=False, session__isnull=True, signed_out=False)
    for row in lost.values("home__name").annotate(n=Count("pk")).order_by("home__name"):
        yield say(
            "{count} user(s) assigned to {home} have no session.",
            count=row["n"],
            home=row["home__name"],
        )
    ghosts = PresenceSession.objects.filter(user__signed_out=True)
    for ghost in ghosts.values("node__name").annotate(n=Count("pk")).order_by("node__name"):
        yield say(
            "{count} session(s) on {node} belong to users who signed out.",
            count=ghost["n"],
            node=ghost["node__name"],
        )
    homeless = PresenceSession.objects.filter(user__home__isnull=True)
    for stray in homeless.values("node__name").annotate(n=Count("pk")).order_by("node__name"):
        yield say(
            "{count} session(s) on {node} belong to users assigned to no node.",
            count=stray["n"],
            node=stray["node__name"],
        )
    # Who never logged in has no limits to wait by: such a session is neither logged in nor waiting.
    limbo = PresenceSession.objects.filter(limits_at__gt=F("relogin_at"))
    for early in limbo.values("node__name").annotate(n=Count("pk")).order_by("node__name"):
        yield say(
            "{count} session(s) on {node} keep limits of a login that is still to come.",
            count=early["n"],
            node=early["node__name"],
        )


def _epoch_rises(history: QuerySet[HaEvent]) -> Iterator[str]:
    told = history.filter(kind__in=_MOVES, epoch__isnull=False, group__isnull=False)
    before = Window(Lag("epoch"), partition_by=[F("group_id")], order_by="pk")
    fallen = (
        told.annotate(before=before)
        .filter(Q(epoch__lt=F("before")) | Q(epoch=F("before"), kind=EventKind.MOVE))
        .order_by("pk")
    )
    for event in fallen:
        was = getattr(event, "before", None)
        yield say(
            "event {event} of {group} has epoch {epoch} after epoch {was}.",
            event=event.pk,
            group=event.group_name,
            epoch=event.epoch,
            was=was,
        )
    ahead = history.filter(epoch__gt=F("group__epoch")).select_related("group").order_by("pk")
    for early in ahead:
        assert early.group is not None
        yield (
            say(
                "{group} is at epoch {epoch}, but event {event} knew epoch {known}.",
                group=early.group_name,
                epoch=early.group.epoch,
                event=early.pk,
                known=early.epoch,
            )
        )


def _nobody_unserved(_: QuerySet[HaEvent]) -> Iterator[str]:
    serving = NodeRuntime.objects.filter(
        server__group=OuterRef("node__group"),
        state__in=BACKUP_MODES,
        memory__holds=True,
    ).exclude(server=OuterRef("node"))
    rows = (
        PresenceSession.objects.filter(node__group__ha_enabled=True)
        .filter(Q(node__runtime__state__in=FAILED_OVER_STATES) | Q(node__machine__powered=False))
        .filter(Exists(serving))
        .values("node__name", "node__runtime__state")
        .annotate(n=Count("pk"))
        .order_by("node__name")
    )
    for row in rows:
        yield (
            say(
                "{count} session(s) are on {node} ({state}), while its peer serves.",
                count=row["n"],
                node=row["node__name"],
                state=row["node__runtime__state"],
            )
        )


def _unbroken_wait(history: QuerySet[HaEvent]) -> Iterator[str]:
    wait = timedelta(seconds=Policy().fallback_after) - ROUNDING
    states = HaEvent.objects.filter(
        kind=EventKind.STATE, node=OuterRef("node"), pk__lt=OuterRef("pk")
    )
    fallbacks = (
        history.filter(
            kind=EventKind.STATE,
            new_state=State.TAKING_BACK,
            new_reason=Reason.AUTOMATIC_FALLBACK,
            node__isnull=False,
        )
        .exclude(old_state=State.TAKING_BACK)
        .annotate(before=Subquery(states.order_by("-pk").values("at")[:1]))
        .order_by("pk")
    )
    for event in fallbacks:
        before = getattr(event, "before", None)
        if before is not None and event.at - before < wait:
            seconds = (event.at - before).total_seconds()
            yield say(
                "{node} fell back by itself {seconds:.0f} s after its last change of state (event "
                "{event}).",
                node=event.node_name,
                seconds=seconds,
                event=event.pk,
            )
        restarted = NodeService.objects.filter(
            server=event.node_id, since__gt=event.at - wait, since__lt=event.at, running=True
        )
        for service in restarted:
            if is_monitored(
                service.name, activated=service.activated, configured=service.configured
            ):
                seconds = (event.at - service.since).total_seconds()
                yield say(
                    "{node} fell back by itself {seconds:.0f} s after {service} started (event {event}).",
                    node=event.node_name,
                    seconds=seconds,
                    service=service.name,
                    event=event.pk,
                )


def _history_folds(history: QuerySet[HaEvent]) -> Iterator[str]:
    changes = history.filter(kind=EventKind.STATE, node__isnull=False)
    for event in changes.filter(sentence="").order_by("pk"):
        yield say("event {event} of {node} has no cause.", event=event.pk, node=event.node_name)
    same = changes.filter(new_state=F("old_state"), new_reason=F("old_reason"))
    for event in same.order_by("pk"):
        yield say("event {event} of {node} changes nothing.", event=event.pk, node=event.node_name)
    mine = [F("node_id")]
    gaps = (
        changes.annotate(
            left_state=Window(Lag("new_state"), partition_by=mine, order_by="pk"),
            left_reason=Window(Lag("new_reason"), partition_by=mine, order_by="pk"),
        )
        .filter(left_state__isnull=False)
        .filter(~Q(old_state=F("left_state")) | ~Q(old_reason=F("left_reason")))
        .order_by("pk")
    )
    for event in gaps:
        left = f"{getattr(event, 'left_state', '')} / {getattr(event, 'left_reason', '')}"
        yield (
            say(
                "event {event} leaves {old_state} / {old_reason}, but {node} was {left}.",
                event=event.pk,
                old_state=event.old_state,
                old_reason=event.old_reason,
                node=event.node_name,
                left=left,
            )
        )
    yield from _told_states()


def _told_states() -> Iterator[str]:
    last = HaEvent.objects.filter(kind=EventKind.STATE, node=OuterRef("server")).order_by("-pk")
    unlike = (
        NodeRuntime.objects.annotate(
            told=Subquery(last.values("pk")[:1], output_field=IntegerField()),
            told_state=Subquery(last.values("new_state")[:1]),
            told_reason=Subquery(last.values("new_reason")[:1]),
        )
        .filter(
            Q(told__isnull=True) & ~Q(state=State.UNKNOWN)
            | Q(told__isnull=False) & (~Q(state=F("told_state")) | ~Q(reason=F("told_reason")))
        )
        .select_related("server")
        .order_by("server__name")
    )
    for runtime in unlike:
        names = {
            "server": runtime.server.name,
            "state": runtime.state,
            "reason": runtime.reason,
        }
        if getattr(runtime, "told", None) is None:
            yield say("{server} is {state} / {reason}, but no event does.", **names)
        else:
            told = f"{getattr(runtime, 'told_state', '')} / {getattr(runtime, 'told_reason', '')}"
            yield say(
                "{server} is {state} / {reason}, but its last event says {told}.",
                **names,
                told=told,
            )


def _within_limits(_: QuerySet[HaEvent]) -> Iterator[str]:
    """Compare the first and the last login of each move with its limits.

    Two statements: what the first one saw was written together with what the second one looks for.
    """
    moved = list(
        PresenceSession.objects.filter(relogin_at__gt=F("limits_at"))
        .values("node__name", "node__group", "since")
        .annotate(n=Count("pk"), first=Min("relogin_at"), last=Max("relogin_at"))
        .order_by("node__name", "since")
    )
    moments = sorted({row["since"] for row in moved})
    moves = {
        (move.group_id, move.event.at): move
        for start in range(0, len(moments), _CHUNK)
        for move in SessionMove.objects.filter(
            event__at__in=moments[start : start + _CHUNK]
        ).select_related("event")
    }
    slack = ROUNDING.total_seconds()
    for row in moved:
        move = moves.get((row["node__group"], row["since"]))
        if move is None:
            yield say(
                "{count} client(s) wait at {node} for a login that no move tells of.",
                count=row["n"],
                node=row["node__name"],
            )
        elif (
            row["first"] - move.at < move.lower - slack
            or row["last"] - move.at > move.upper + slack
        ):
            first, last = (row[end] - move.at for end in ("first", "last"))
            yield (
                say(
                    "{count} client(s) log in at {node} {first:.0f} s to {last:.0f} s after their move, not "
                    "{lower} s to {upper} s.",
                    count=row["n"],
                    node=row["node__name"],
                    first=first,
                    last=last,
                    lower=move.lower,
                    upper=move.upper,
                )
            )


_CHECKS: tuple[tuple[str, Callable[[QuerySet[HaEvent]], Iterator[str]]], ...] = (
    ("I1", _one_place),
    ("I2", _conserved),
    ("I3", _epoch_rises),
    ("I4", _nobody_unserved),
    ("I5", _unbroken_wait),
    ("I6", _history_folds),
    ("I9", _within_limits),
)


def counted() -> tuple[int, int]:
    """Return how many groups and sessions an audit looks at."""
    return RedundancyGroup.objects.count(), PresenceSession.objects.count()
