"""SRM's memory and heartbeats as JSON, for whoever stores or sends them.

Every step on the live path reads and writes a memory. So the names of the fields are looked up
once, and nothing is copied deeply: most values are JSON values already.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from redundancy.srm.states import Reason, State
from redundancy.srm.types import Heartbeat, Move, MoveKind, Node, Policy, Reading, replace

Json = dict[str, Any]


def _names(kind: type[Heartbeat | Node | Policy | Reading]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _writer(kind: type[Heartbeat | Policy | Reading]) -> Callable[[Any], Json]:
    """Return a function that writes values of ``kind``, whose fields are JSON values."""
    names = _names(kind)
    values = attrgetter(*names)
    return lambda value: dict(zip(names, values(value), strict=True))


_HEARTBEAT, _NODE = frozenset(_names(Heartbeat)), frozenset(_names(Node))
_POLICY, _READING = frozenset(_names(Policy)), frozenset(_names(Reading))
_write_heartbeat, _write_policy = _writer(Heartbeat), _writer(Policy)
_write_reading = _writer(Reading)
_BLANK = Node("", "", first=False)


def heartbeat_to_json(heartbeat: Heartbeat) -> Json:
    """Return a heartbeat as JSON values."""
    return _write_heartbeat(heartbeat)


def heartbeat_from_json(data: Mapping[str, Any]) -> Heartbeat:
    """Return the heartbeat that ``heartbeat_to_json`` wrote."""
    known = _known(_HEARTBEAT, data)
    known["state"], known["reason"] = State(known["state"]), Reason(known["reason"])
    return Heartbeat(**known)


def node_to_json(node: Node) -> Json:
    """Return all that a node remembers as JSON values."""
    move = node.move
    return {
        **vars(node),
        "peer": _write_heartbeat(node.peer) if node.peer else None,
        "services": [_write_reading(service) for service in node.services],
        "move": {"kind": move.kind, "asked_at": move.asked_at} if move else None,
        "policy": _write_policy(node.policy) if node.policy else None,
        "stopped": list(node.stopped),
    }


def node_from_json(data: Mapping[str, Any]) -> Node:
    """Return the node that ``node_to_json`` wrote."""
    peer, move = data["peer"], data["move"]
    known = _known(_NODE, data)
    known["state"], known["reason"] = State(known["state"]), Reason(known["reason"])
    known["peer"] = heartbeat_from_json(peer) if peer else None
    known["services"] = tuple([Reading(**_known(_READING, each)) for each in data["services"]])
    known["move"] = Move(MoveKind(move["kind"]), move["asked_at"]) if move else None
    # A memory that an older version wrote has not all of them.
    policy = data.get("policy")
    known["policy"] = _policy(*_known(_POLICY, policy).items()) if policy else None
    known["stopped"] = tuple(data.get("stopped", ()))
    return replace(_BLANK, **known)


@lru_cache(maxsize=64)
def _policy(*known: tuple[str, Any]) -> Policy:
    """Return the parameters in force, of which most nodes remember the same ones."""
    return Policy(**dict(known))


def _known(names: frozenset[str], data: Mapping[str, Any]) -> Json:
    """Return what this version knows of ``data``: another version may have written more."""
    return {name: value for name, value in data.items() if name in names}
