"""What a pair of states means, and what to do about it.

The rows follow the vendor's published table of node states and reasons; the words are our own.
Rows marked 0 are ours, for pairs that table leaves out. ``{one}`` is the node in the first pair of
columns, ``{two}`` the other; a state of None means that the node's SRM does not report.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from redundancy.srm import facts, sentences
from redundancy.srm.states import (
    AWAITING_FALLBACK,
    BACKUP_MODES,
    FAILED_OVER_STATES,
    SERVING,
    TRANSITIONS,
    Reason,
    State,
)
from redundancy.srm.types import Node, Policy
from redundancy.srm.words import duration, listed, say, say_row, together

S, R = State, Reason
# One node of a pair: name, state (None: its SRM does not report) and reason.
Side = tuple[str, State | None, Reason | None]
FALL_BACK = say("Press Fallback on {one} when you are ready.")
# The row of two healthy nodes.
WELL = 1
WAIT = say("Wait: the states change by themselves within seconds.")
RECOVER = say("Press Recover. If the nodes fail again, restart them.")


@dataclass(frozen=True, slots=True)
class PairRow:
    """One row: the two sides, the cause and the advice. An empty set of reasons means: any."""

    number: int
    one: frozenset[State | None]
    one_reasons: frozenset[Reason]
    two: frozenset[State]
    two_reasons: frozenset[Reason]
    cause: str
    advice: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Cause and advice for the present pair; ``number`` is the row's, 0 for one of ours.

    ``closed``: all is well but for the services that a login needs.
    """

    number: int
    cause: str
    advice: str
    closed: bool = False


_Value = TypeVar("_Value", State, State | None, Reason)


def _set(values: _Value | tuple[_Value, ...] | frozenset[_Value]) -> frozenset[_Value]:
    """Return the values as a set; a single one stands for a set of one."""
    return frozenset(values if isinstance(values, tuple | frozenset) else (values,))


def _row(
    number: int,
    one: State | tuple[State, ...] | frozenset[State] | None,
    one_reasons: Reason | tuple[Reason, ...],
    two: State | tuple[State, ...] | frozenset[State],
    two_reasons: Reason | tuple[Reason, ...],
    cause: str,
    advice: str,
) -> PairRow:
    return PairRow(
        number, _set(one), _set(one_reasons), _set(two), _set(two_reasons), cause, advice
    )


ROWS: tuple[PairRow, ...] = (
    _row(1, S.NORMAL, R.NORMAL, S.NORMAL, R.NORMAL, "Both nodes are healthy and serve their own users.", say("Nothing to do.")),
    _row(2, S.FAILING_OVER, R.ON_ADMIN_REQUEST, S.TAKING_OVER, R.ON_ADMIN_REQUEST, "A manual failover of {one} is in progress.", WAIT),
    _row(3, S.IDLE, R.ON_ADMIN_REQUEST, S.BACKUP, R.ON_ADMIN_REQUEST, "{one} was failed over by hand; {serving}.", FALL_BACK),
    _row(4, S.TAKING_BACK, R.ON_ADMIN_REQUEST, S.FALLING_BACK, R.ON_ADMIN_REQUEST, "A manual fallback to {one} is in progress.", WAIT),
    _row(5, S.IDLE, R.INITIALIZATION, S.BACKUP, R.ON_ADMIN_REQUEST, "The SRM of {one} was restarted while {one} was Idle.", FALL_BACK),
    _row(6, S.IDLE, R.INITIALIZATION, S.BACKUP, R.INITIALIZATION, "Both nodes, or the SRMs of both, were restarted during a manual failover.", FALL_BACK),
    _row(7, S.IDLE, R.ON_ADMIN_REQUEST, S.BACKUP, R.INITIALIZATION, "The SRM of {two} was restarted in backup mode, sooner than {one} could miss it.", FALL_BACK),
    _row(8, S.FAILING_OVER, R.ON_ADMIN_REQUEST, S.TAKING_OVER, R.INITIALIZATION, "The SRM of {two} was restarted while it took over, sooner than {one} could miss it.", WAIT),
    _row(9, S.TAKING_BACK, R.INITIALIZATION, S.FALLING_BACK, R.ON_ADMIN_REQUEST, "The SRM of {one} was restarted while it took its users back, sooner than {two} could miss it.", WAIT),
    _row(10, S.TAKING_BACK, R.AUTOMATIC_FALLBACK, S.FALLING_BACK, R.AUTOMATIC_FALLBACK, "The automatic fallback to {one} is in progress.", WAIT),
    _row(11, S.FAILED_OVER, (R.INITIALIZATION, R.CRITICAL_SERVICE_DOWN), S.BACKUP, R.CRITICAL_SERVICE_DOWN, "The critical services of {one} run again, after a restart of the node or a start by hand; {serving}.", FALL_BACK),
    _row(12, S.FAILED_OVER_DOWN, R.CRITICAL_SERVICE_DOWN, S.BACKUP, R.CRITICAL_SERVICE_DOWN, "A critical service is down on {one}; {two} took its users over by itself.", say("Start the service on {one}; if it does not start, restart the node. Then press Fallback.")),
    _row(13, S.FAILED_OVER_DOWN, R.DATABASE_FAILURE, S.BACKUP, R.DATABASE_FAILURE, "The database service is down on {one}; {two} took its users over by itself.", say("Restart the node {one}, then press Fallback.")),
    _row(14, S.FAILED, R.START_FAILED, S.FAILED, R.START_FAILED, "Critical services did not start while a node was taking its users back.", say("Press Recover. If the services fail again, restart the node on which they do not start, and press Recover again. If that node is Failed Over afterwards, press Fallback.")),
    _row(15, S.FAILED, (R.CRITICAL_SERVICE_DOWN, R.DATABASE_FAILURE), S.FAILED, (R.CRITICAL_SERVICE_DOWN, R.DATABASE_FAILURE), "Critical services went down on one node while the other could not serve.", RECOVER),
    _row(16, None, (), S.BACKUP, R.PEER_DOWN, "{two} no longer hears {one}: {one} or its SRM is not running, or the network between them is cut.", say("Start {one} and its SRM, or repair the network; then press Fallback. If both go to failed mode, press Recover.")),
    _row(17, None, (), S.BACKUP, R.PEER_REBOOT, "{one} announced that it goes down: it was shut down or restarted, or its hardware failed.", say("Repair {one} if it is broken, and power it up; when it is Failed Over, press Fallback.")),
    _row(18, (S.FAILED_OVER, S.FAILED_OVER_DOWN), R.INITIALIZATION, S.BACKUP, R.PEER_DOWN_DURING_INITIALIZATION, "{two} did not see {one} when it started.", say("When {one} is healthy, press Fallback.")),
    _row(19, S.FAILED, R.TAKE_OVER_FAILED, S.FAILED, R.TAKE_OVER_FAILED, "Users could not be moved while a node took over.", RECOVER),
    _row(20, S.FAILED, R.TAKE_BACK_FAILED, S.FAILED, R.TAKE_BACK_FAILED, "Users could not be moved while a node took its users back.", RECOVER),
    _row(21, S.FAILED, R.UNKNOWN, S.FAILED, R.UNKNOWN, "The SRM of a node was restarted while the other was in failed mode, or an internal error happened.", RECOVER),
    _row(22, S.BACKUP_ACTIVATED, R.AUTO_RECOVER_DATABASE, S.AFFECTED, R.AUTO_RECOVER_DATABASE, "The database went down on {two} while it served for {one}, which was healthy: {one_serving}.", say("Repair {two}, then press Fallback.")),
    _row(23, S.BACKUP_ACTIVATED, R.AUTO_RECOVER_SERVICE, S.AFFECTED, R.AUTO_RECOVER_SERVICE, "A critical service went down on {two} while it served for {one}, which was healthy: {one_serving}.", say("Repair {two}, then press Fallback.")),
    _row(24, S.UNKNOWN, (R.HA_NOT_ENABLED, R.UNKNOWN), S.UNKNOWN, (R.HA_NOT_ENABLED, R.UNKNOWN), "High Availability is not enabled.", say("Enable High Availability; if it is enabled, restart SRM on both nodes.")),
    _row(25, S.FAILED, R.SPLIT_BRAIN, S.FAILED, R.SPLIT_BRAIN, "Both nodes took over from each other while the link between them was cut; the link is back.", say("Press Recover.")),
    # Ours: pairs the vendor's table leaves out.
    _row(0, None, (), BACKUP_MODES, (), "{serving}; {one} does not report.", say("Start {one} and its SRM; when it is Failed Over, press Fallback.")),
    _row(0, None, (), S.NORMAL, (), "{one} does not report; {two} declares it down when it has been silent for the heartbeat timeout.", say("Wait, or start {one} and its SRM.")),
    _row(0, None, (), S.FAILED, (), "{two} runs in failed mode; {one} does not report.", say("Start {one} and its SRM, then press Recover.")),
    _row(0, None, (), S.FAILED_OVER_DOWN, (), "{one}, which served everybody, does not report, and {two} cannot serve: a critical service is not running.", say("Start the service on {two}, or start {one} and its SRM.")),
    _row(0, None, (), AWAITING_FALLBACK | {S.IDLE}, (), "{one}, which served everybody, does not report; {two} takes over when it has been silent for the heartbeat timeout.", say("Wait, or start {one} and its SRM.")),
    _row(0, None, (), S.INITIALIZING, (), "{two} has started and waits for {one}, which does not report.", say("Start {one} and its SRM, or wait: {two} goes to backup mode after the initialization timeout.")),
    _row(0, S.INITIALIZING, (), (S.INITIALIZING, S.NORMAL), (), "The nodes are finding each other and checking their critical services.", WAIT),
    _row(0, S.INITIALIZING, (), BACKUP_MODES, (), "The SRM of {one} has just started; {serving}.", WAIT),
    _row(0, S.FAILED_OVER_DOWN, (), BACKUP_MODES, (), "{serving}; a critical service of {one} is not running.", say("Start the service on {one}, then press Fallback.")),
    _row(0, AWAITING_FALLBACK, (), BACKUP_MODES, (), "{serving}; {one} is healthy again.", FALL_BACK),
    _row(0, S.IDLE, (), BACKUP_MODES, (), "{one} was failed over by hand; {serving}.", FALL_BACK),
    _row(0, S.FAILING_OVER, (), (S.NORMAL, S.TAKING_OVER, S.BACKUP), (), "{one} is failing over to {two}.", WAIT),
    _row(0, S.FAILED, (), S.FAILED, (), "Both nodes run in failed mode.", RECOVER),
)  # fmt: skip


def serving(node: str, shut: Collection[str] = (), without: Collection[str] = ()) -> str:
    """Return who is served by a node that runs in backup mode, as part of a sentence.

    ``shut``: nodes at which nobody can log in. ``without``: nodes that do not have the sessions.
    """
    if node in without:
        return say("{node} does not have the users of its peer", node=node)
    if node in shut:
        return say("{node} has all users, and nobody can log in there", node=node)
    return say("{node} has all users", node=node)


def warn(node: Node, policy: Policy, shut: Collection[str] = ()) -> Explanation | None:
    """Return what is about to go wrong on a node that serves; None when nothing is.

    ``shut``: names of the nodes at which nobody can log in.
    """
    if node.state not in SERVING or not facts.down(node):
        return None
    first = min(facts.down(node), key=lambda service: service.since)
    down = {
        "service": first.name,
        "node": node.name,
        "since": sentences.clock_time(first.since),
        "until": sentences.clock_time(first.since + policy.critical_service_delay),
    }
    cause = say_row("{service} on {node} has not been running since {since}.", down)
    if node.state is S.NORMAL:
        return Explanation(
            0, cause, say_row("Start it before {until}, or {node} fails over.", down)
        )
    return Explanation(
        0,
        together([cause, _sentence(serving(node.name, shut))]),
        say("Start it: users are without service.")
        if node.name in shut
        else say_row("Start it before {until}, or users lose service.", down),
    )


def explain(
    first: Side,
    second: Side,
    policy: Policy,
    *,
    shut: Collection[str] = (),
    without: Collection[str] = (),
) -> Explanation:
    """Return what the pair means, and what to do about it; ``shut`` and ``without`` as for ``serving``."""
    for row in ROWS:
        for one, two in ((first, second), (second, first)):
            if _fits(row, one, two):
                closed = [side[0] for side in (first, second) if side[0] in shut]
                if row.number == WELL and closed:
                    return _closed(closed)
                names = {
                    "one": one[0],
                    "two": two[0],
                    "serving": serving(two[0], shut, without),
                    "one_serving": serving(one[0], shut, without),
                }
                advice = together([say_row(row.advice, names), _by_itself(one, two, policy)])
                return Explanation(row.number, say_row(row.cause, names), advice)
    if first[1] is None and second[1] is None:
        return Explanation(0, say("Neither node reports."), say("Start the nodes and their SRMs."))
    if {first[1], second[1]} & TRANSITIONS:
        return Explanation(0, say("The pair is between two states."), WAIT)
    return Explanation(
        0,
        say("The nodes do not agree yet on who serves."),
        say(
            "Wait for the next heartbeats; if the states stay, disable and enable High Availability."
        ),
    )


def _closed(nodes: list[str]) -> Explanation:
    """Return what two healthy nodes mean while nobody can log in at ``nodes``, which SRM does not watch."""
    return Explanation(
        0,
        say("Both nodes are healthy, but nobody can log in at {nodes}.", nodes=listed(nodes)),
        say("Start the services that a login needs on {nodes}.", nodes=listed(nodes)),
        closed=True,
    )


def _sentence(part: str) -> str:
    return say("{part}.", part=part)


def _by_itself(one: Side, two: Side, policy: Policy) -> str:
    """Return what automatic fallback will do for the node that waits for its users, if it is enabled."""
    waiting = [
        name
        for (name, state, _), (_, other, _) in ((one, two), (two, one))
        if state in FAILED_OVER_STATES - {S.IDLE} and other in BACKUP_MODES
    ]
    if not waiting or not policy.automatic_fallback:
        return ""
    return say(
        "Automatic fallback is enabled: {node} takes its users back by itself when it has been "
        "healthy for {wait} without a break.",
        node=waiting[0],
        wait=duration(policy.fallback_after),
    )


def _fits(
    row: PairRow,
    one: Side,
    two: Side,
) -> bool:
    return (
        one[1] in row.one
        and two[1] in row.two
        and (not row.one_reasons or one[2] in row.one_reasons)
        and (not row.two_reasons or two[2] in row.two_reasons)
    )
