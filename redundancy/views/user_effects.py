"""What assigning users does, told before it is done."""

from collections.abc import Mapping, Sequence

from redundancy.models import Server
from redundancy.selectors.spread import SpreadPlan
from redundancy.selectors.users import AssignmentEffect
from redundancy.srm.words import say, say_count, together

# Nodes named in a sentence.
NAMED = 10


def of_assignment(does: AssignmentEffect, node: Server | None) -> list[str]:
    """Return what assigning users to ``node``, or to none, does; each sentence with its number."""
    sentences = [_same(does.same, node)] if does.same else []
    if node and does.moving:
        sentences.append(
            say_count(
                "{count} session moves to {node}: the users are disconnected and log in there.",
                "{count:,} sessions move to {node}: the users are disconnected and log in there.",
                does.moving,
                node=node.name,
            )
        )
    if node and does.new:
        sentences.append(
            say_count(
                "{count} user has no node yet and logs in at {node}.",
                "{count:,} users have no node yet and log in at {node}.",
                does.new,
                node=node.name,
            )
        )
    if not node and does.moving:
        sentences.append(
            say_count("{count} user is logged out.", "{count:,} users are logged out.", does.moving)
        )
    return sentences


def of_spread(plan: SpreadPlan, names: Mapping[int, str]) -> list[str]:
    """Return what carrying out ``plan`` does; ``names`` are those of the nodes by their keys."""
    leaving = [(names[node], users) for node, users in plan.leaving.items() if node is not None]
    entering = [(names[node], users) for node, users in plan.entering.items()]
    sentences = []
    if newcomers := plan.leaving.get(None, 0):
        sentences.append(
            say_count(
                "{count} user without a node gets one and logs in there.",
                "{count:,} users without a node get one and log in there.",
                newcomers,
            )
        )
    if leaving:
        sentences.append(
            say_count(
                "{count} user gets another node; those who are logged in are disconnected "
                "and log in there.",
                "{count:,} users get another node; those who are logged in are disconnected "
                "and log in there.",
                sum(number for _, number in leaving),
            )
        )
        sentences.append(say("They leave {nodes}.", nodes=_listed(leaving)))
    sentences.append(say("They go to {nodes}.", nodes=_listed(entering)))
    return sentences


def _listed(nodes: Sequence[tuple[str, int]]) -> str:
    named = together(
        (say("{node} ({users:,})", node=name, users=number) for name, number in nodes[:NAMED]), ", "
    )
    if len(nodes) <= NAMED:
        return named
    return say_count(
        "{nodes} and {count:,} more node",
        "{nodes} and {count:,} more nodes",
        len(nodes) - NAMED,
        nodes=named,
    )


def _same(number: int, node: Server | None) -> str:
    if node is None:
        return say_count(
            "{count} user is without a node already; nothing changes for them.",
            "{count:,} users are without a node already; nothing changes for them.",
            number,
        )
    return say_count(
        "{count} user is assigned to {node} already; nothing changes for them.",
        "{count:,} users are assigned to {node} already; nothing changes for them.",
        number,
        node=node.name,
    )
