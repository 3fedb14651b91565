"""What a change of state was decided upon, small enough to keep with each of them. Pure."""

from typing import Any

from redundancy.srm import facts
from redundancy.srm.types import Node, Policy


def inputs_of(node: Node, now: float, policy: Policy) -> dict[str, Any]:
    """Return what ``node`` knew at ``now``, as JSON; moments are lab seconds.

    ``heard_at``: when the peer was heard last, or since when SRM listened for it in vain (then
    ``peer`` is None); ``silence``: how many seconds that was ago. ``down``: monitored services that
    did not run, and since when. ``healthy_since``: since when all ran; None while one does not.
    ``srm_since``: when its SRM was started. The rest: the parameters in force, in seconds.
    """
    said = node.peer
    return {
        "heard_at": round(facts.heard_at(node), 3),
        "silence": round(facts.silence(node, now), 3),
        "peer": None
        if said is None
        else {"state": said.state.value, "reason": said.reason.value, "leaving": said.leaving},
        "down": [[service.name, round(service.since, 3)] for service in facts.down(node)],
        "healthy_since": None if node.healthy_since is None else round(node.healthy_since, 3),
        "srm_since": round(node.started_at, 3),
        **policy.parameters,
    }
