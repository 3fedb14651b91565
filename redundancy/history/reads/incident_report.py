"""The report of an incident, written from what was recorded while it lasted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from redundancy.clock import lab_datetime
from redundancy.history.reads.incident_moves import MoveReport, moves_of
from redundancy.history.reads.incidents import events_of, events_of_group
from redundancy.login_profiles import LOWER_LIMIT, NODE_SIZES, row_for
from redundancy.models import EventKind, HaEvent, Incident
from redundancy.selectors.login_profile import likely_mode
from redundancy.srm.replay import Cause, Outage, Replayed, replay
from redundancy.srm.types import Policy
from redundancy.srm.words import say

# Events a report reads; of a longer incident the first ones.
MOST = 1000
# Events from between the cause and the first change of state, at most.
BEFORE = 20
# Seconds before the cause in which somebody may have brought it about.
EARLIER = 30.0
TIMEOUTS = (30, 60, 90)
DELAYS = (60, 90, 120)


@dataclass(frozen=True, slots=True)
class Alternative:
    """What would have been under other limits. ``actual``: under those that were in force."""

    label: str
    found: Replayed
    actual: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known of an incident.

    ``before``: what happened between the cause and the first change of state. ``cut``: there were
    more events than were read. ``alternatives``: empty when the cause cannot be replayed.
    """

    incident: Incident
    before: tuple[HaEvent, ...]
    events: tuple[HaEvent, ...]
    cut: bool
    moves: tuple[MoveReport, ...]
    alternatives: tuple[Alternative, ...]

    @property
    def story(self) -> tuple[HaEvent, ...]:
        """Return everything from shortly before the cause on, the oldest first."""
        return (*self.before, *self.events)

    @property
    def actions(self) -> list[HaEvent]:
        """Return what people did, the oldest first."""
        return [e for e in self.story if e.actor and e.kind != EventKind.STATE]

    @property
    def lost(self) -> float:
        """Return the user-minutes without service."""
        return sum(moved.lost for moved in self.moves)

    @property
    def complete(self) -> bool:
        """Return whether it is over, and nobody is to log in any more."""
        logins = [moved.logins for moved in self.moves if moved.logins]
        return self.incident.closed_at is not None and all(each.complete for each in logins)

    @property
    def failovers(self) -> int:
        """Return how many times one node took everybody."""
        return sum(moved.taking for moved in self.moves)


def report(incident: Incident, now: float) -> Report:
    """Return the report of an incident as it is at lab time ``now``."""
    events = list(events_of(incident)[: MOST + 1])
    cut = len(events) > MOST
    events = events[:MOST]
    recent = events_of_group(incident).filter(
        pk__lt=incident.first_event_id, at__gte=lab_datetime(_cause_at(incident) - EARLIER)
    )
    before = list(recent.order_by("-pk")[:BEFORE])[::-1]
    moves = moves_of(events, before, now)
    return Report(
        incident=incident,
        before=tuple(before),
        events=tuple(events),
        cut=cut,
        moves=tuple(moves),
        alternatives=tuple(_alternatives(incident, moves, events)),
    )


def _cause_at(incident: Incident) -> float:
    """Return when the cause began, as SRM knew it: a service that went down, or the last heartbeat."""
    inputs = incident.first_event.inputs or {}
    at = incident.opened_at.timestamp()
    moments = [at, *(since for _, since in inputs.get("down", ()))]
    # A peer that was heard just now is no cause.
    if inputs and inputs["silence"] > 2 * inputs["heartbeat_interval"]:
        moments.append(inputs["heard_at"])
    return float(min(moments))


def _alternatives(
    incident: Incident, moves: Sequence[MoveReport], events: Sequence[HaEvent]
) -> Iterator[Alternative]:
    first = next((moved for moved in moves if moved.taking and moved.move.moved), None)
    if first is None or first.began.cause is None or not first.declared.inputs:
        return
    policy = _policy(first.declared)
    outage = _outage(first, events)
    lower, upper = float(first.move.lower), float(first.move.upper)
    push = first.move.push_clients
    yield Alternative(say("As it was"), replay(outage, policy, lower, upper, push), actual=True)
    for label, other in _policies(outage.cause, policy):
        yield Alternative(label, replay(outage, other, lower, upper, push))
    for label, low, high in _limits(incident, first, lower, upper):
        yield Alternative(label, replay(outage, policy, low, high, push))


def _policy(declared: HaEvent) -> Policy:
    inputs = declared.inputs or {}
    # An event of an older release may lack a parameter that came later.
    return Policy(**{key: inputs[key] for key in Policy().parameters if key in inputs})


def _outage(moved: MoveReport, events: Sequence[HaEvent]) -> Outage:
    """Return the cause as it can be replayed: how long it lasted is in what came after."""
    began, users = moved.began, moved.move.moved
    later = [
        (e.node_name, e.inputs)
        for e in events
        if e.kind == EventKind.STATE and e.pk >= moved.declared.pk and e.inputs is not None
    ]
    if began.cause is Cause.SERVICE:
        failed = next(
            (name for name, told in later if any(s == began.service for s, _ in told["down"])), ""
        )
        # SRM tells since when all have run; what it told before the cause is no end of it.
        well = (told["healthy_since"] for name, told in later if name == failed)
        end = next((at for at in well if at is not None and at > began.at), None)
        return Outage(Cause.SERVICE, users, _since(began.at, end), began.service)
    if began.cause is Cause.REQUEST:
        return Outage(Cause.REQUEST, users)
    mine = moved.declared.node_name
    if began.cause is Cause.LINK:
        declared = moved.declared.at.timestamp()
        heard = (told["heard_at"] for name, told in later if name == mine)
        end = next((at for at in heard if at > declared), None)
        return Outage(Cause.LINK, users, _since(began.at, end))
    started = (told["srm_since"] for name, told in later if name != mine)
    back = next((at for at in started if at > began.at), None)
    return Outage(Cause.POWER, users, _since(began.at, back))


def _since(began: float, end: float | None) -> float | None:
    return None if end is None else end - began


def _policies(cause: Cause, policy: Policy) -> Iterator[tuple[str, Policy]]:
    if cause in (Cause.POWER, Cause.LINK):
        for seconds in TIMEOUTS:
            if seconds != policy.heartbeat_timeout and seconds >= 2 * policy.heartbeat_interval:
                label = say("Heartbeat Timeout {seconds} s", seconds=seconds)
                yield label, replace(policy, heartbeat_timeout=seconds)
    if cause is Cause.SERVICE:
        for seconds in DELAYS:
            if seconds != policy.critical_service_delay:
                other = replace(policy, critical_service_delay=seconds)
                yield say("Critical Service Delay {seconds} s", seconds=seconds), other


def _limits(
    incident: Incident, moved: MoveReport, lower: float, upper: float
) -> Iterator[tuple[str, float, float]]:
    """Yield other re-login limits: half the spread, and those of the login profile."""
    half = lower + (upper - lower) / 2
    label = say("Client Re-Login Limits {lower:.0f} to {upper:.0f} s", lower=lower, upper=half)
    yield label, lower, half
    if incident.group is None:
        return
    mode, users = likely_mode(incident.group), moved.move.moved
    known = [server.node_size for server in incident.group.servers.all()]
    sizes = [min(s for s in known if s)] if known and all(known) else list(NODE_SIZES)
    for size in sizes:
        row = row_for(size, mode, users)
        if row is not None and (LOWER_LIMIT, row.upper) != (lower, upper):
            label = say(
                "Login profile of nodes for {users:,} users: "
                "Client Re-Login Limits {lower} to {upper} s",
                users=size,
                lower=LOWER_LIMIT,
                upper=row.upper,
            )
            yield label, float(LOWER_LIMIT), float(row.upper)
            return
