"""SRM's memory and heartbeats as JSON, for whoever stores or sends them."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from redundancy.srm.states import Reason, State
from redundancy.srm.types import Heartbeat, Move, MoveKind, Node, Policy, Reading

Json = dict[str, Any]


def heartbeat_to_json(heartbeat: Heartbeat) -> Json:
    """Return a heartbeat as JSON values."""
    return asdict(heartbeat)


def heartbeat_from_json(data: Mapping[str, Any]) -> Heartbeat:
    """Return the heartbeat that ``heartbeat_to_json`` wrote."""
    known = _known(Heartbeat, data)
    return Heartbeat(**{**known, "state": State(data["state"]), "reason": Reason(data["reason"])})


def node_to_json(node: Node) -> Json:
    """Return all that a node remembers as JSON values."""
    return asdict(node)


def node_from_json(data: Mapping[str, Any]) -> Node:
    """Return the node that ``node_to_json`` wrote."""
    peer, move = data["peer"], data["move"]
    # A memory that an older version wrote has none.
    policy = data.get("policy")
    return Node(
        **{
            **_known(Node, data),
            "state": State(data["state"]),
            "reason": Reason(data["reason"]),
            "peer": heartbeat_from_json(peer) if peer else None,
            "services": tuple(Reading(**_known(Reading, s)) for s in data["services"]),
            "move": Move(MoveKind(move["kind"]), move["asked_at"]) if move else None,
            "policy": Policy(**_known(Policy, policy)) if policy else None,
        }
    )


def _known(kind: type[Heartbeat | Node | Policy | Reading], data: Mapping[str, Any]) -> Json:
    """Return what this version knows of ``data``: another version may have written more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in data.items() if name in names}
