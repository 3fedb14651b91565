"""How the pair of a group begins in a lab made of a snapshot: as it is told, or by a start of its nodes. Pure."""

from dataclasses import dataclass, replace

from redundancy.cluster.lab_plan import PlannedServer
from redundancy.cluster.snapshot import Node
from redundancy.srm.states import (
    BACKUP_MODES,
    FAILED_OVER_STATES,
    NOT_RESPONDING,
    Reason,
    State,
)
from redundancy.srm.words import english, say

# Pairs that stay as they are: each can be begun in. Of two nodes in either order.
_STEADY: frozenset[frozenset[State]] = frozenset(
    frozenset(pair)
    for pair in (
        (State.NORMAL,),
        (State.FAILED,),
        *((state, State.BACKUP) for state in FAILED_OVER_STATES - {State.AFFECTED}),
        (State.AFFECTED, State.BACKUP_ACTIVATED),
    )
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a group begins. ``servers``: its nodes, with their states where these can be begun in."""

    sentence: str
    servers: tuple[PlannedServer, ...]
    as_told: bool = False
    holder: str = ""


def beginning(
    group: str, pair: list[Node | None], servers: list[PlannedServer], *, ha: bool
) -> Beginning:
    """Return how a group begins; ``pair``: its nodes as told, None for one of which only the name is.

    ``servers``: the same nodes as planned.
    """
    planned = tuple(servers)
    if not ha:
        sentence = say("{group}: High Availability is off.", group=group)
        return Beginning(sentence, planned)
    states = [_state(node) for node in pair]
    shown = "; ".join(
        f"{server.name}: {english(_shown(node))}"
        for server, node in zip(planned, pair, strict=True)
    )
    known = [state for state in states if state is not None]
    steady = (
        len(planned) == len(known) == 2
        and frozenset(state for state, _ in known) in _STEADY
        and all(server.powered and server.srm_running for server in planned)
    )
    if not steady:
        sentence = say(
            "{group}: its nodes start, find each other, and do what their services say; told is: {states}. "
            "These states are not begun in.",
            group=group,
            states=shown,
        )
        return Beginning(sentence, planned)
    begun = tuple(
        replace(server, state=state, reason=reason)
        for server, (state, reason) in zip(planned, known, strict=True)
    )
    holder = next((server.name for server in begun if server.state in BACKUP_MODES), "")
    stays = say("They begin in these states only if that is asked for.")
    sentence = say(
        "{group}: its nodes start, find each other, and do what their services say; told is: {states}. {stays}",
        group=group,
        states=shown,
        stays=stays,
    )
    return Beginning(sentence, begun, True, holder)


def _shown(node: Node | None) -> str:
    if node is None or node.state is None or node.state.disputed:
        return say("not told")
    reason = f" ({node.reason.text})" if node.reason is not None else ""
    return f"{node.state.text}{reason}"


def _state(node: Node | None) -> tuple[State, Reason] | None:
    """Return the state that a node can begin in; None where it is not told, or none of its own."""
    if node is None or node.state is None or node.state.disputed:
        return None
    if node.state.text == NOT_RESPONDING:
        return None
    try:
        state = State(node.state.text)
        if node.reason is None:
            return (state, Reason.NORMAL) if state is State.NORMAL else None
        return state, Reason(node.reason.text)
    except ValueError:
        return None
