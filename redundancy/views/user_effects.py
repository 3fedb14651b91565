"""What assigning users does, told before it is done."""

from collections.abc import Mapping, Sequence

from redundancy.models import Server
from redundancy.selectors.spread import Plan
from redundancy.selectors.users import Assignment
from redundancy.views.effects import users

# Nodes named in a sentence.
NAMED = 10


def of_assignment(does: Assignment, node: Server | None) -> list[str]:
    """Return what assigning users to ``node``, or to none, does; each sentence with its number."""
    where = f"assigned to {node.name}" if node else "without a node"
    sentences = []
    if does.same:
        sentences.append(f"{_are(does.same)} {where} already; nothing changes for them.")
    if node and does.moving:
        sentences.append(
            f"{_sessions(does.moving)} to {node.name}: the users are disconnected and log in there."
        )
    if node and does.new:
        sentences.append(_newcomers(does.new, node.name))
    if not node and does.moving:
        sentences.append(f"{_are(does.moving)} logged out.")
    return sentences


def of_spread(plan: Plan, names: Mapping[int, str]) -> list[str]:
    """Return what carrying out ``plan`` does; ``names`` are those of the nodes by their keys."""
    leaving = [(names[node], users) for node, users in plan.leaving.items() if node is not None]
    entering = [(names[node], users) for node, users in plan.entering.items()]
    sentences = []
    if newcomers := plan.leaving.get(None, 0):
        sentences.append(f"{users(newcomers)} without a node get one and log in there.")
    if leaving:
        who = users(sum(number for _, number in leaving))
        sentences.append(
            f"{who} get another node; those who are logged in are disconnected and log in there."
        )
        sentences.append(f"They leave {_listed(leaving)}.")
    sentences.append(f"They go to {_listed(entering)}.")
    return sentences


def _listed(nodes: Sequence[tuple[str, int]]) -> str:
    more = f" and {len(nodes) - NAMED:,} more nodes" if len(nodes) > NAMED else ""
    return ", ".join(f"{name} ({number:,})" for name, number in nodes[:NAMED]) + more


def _newcomers(number: int, where: str) -> str:
    has, log = ("has", "logs") if number == 1 else ("have", "log")
    return f"{users(number)} {has} no node yet and {log} in at {where}."


def _are(number: int) -> str:
    return f"{users(number)} {'is' if number == 1 else 'are'}"


def _sessions(number: int) -> str:
    return "1 session moves" if number == 1 else f"{number:,} sessions move"
