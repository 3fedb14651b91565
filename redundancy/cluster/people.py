"""The users of a lab made of a snapshot, and the domain of their addresses. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from redundancy.cluster.lab_plan import Judges, PlannedUser, Sort
from redundancy.cluster.noting import NOT_TOLD, Notes
from redundancy.cluster.snapshot import NOWHERE, Snapshot
from redundancy.srm.words import say

_FALLBACK_DOMAIN = "example.com"


def planned_users(
    snapshot: Snapshot, nodes: Mapping[str, str], domain: str, judges: Judges, notes: Notes
) -> tuple[PlannedUser, ...]:
    """Return the users; ``nodes``: by the names that are told, those of the lab."""
    found: list[PlannedUser] = []
    odd: list[str] = []
    untold: list[str] = []
    elsewhere: dict[str, list[str]] = defaultdict(list)
    taken: set[str] = set()
    for user in snapshot.users.values():
        name, rule = judges.userid(user.name)
        address = name if "@" in name else f"{name}@{domain}"
        if not rule:
            address, rule = judges.im_address(address)
        if rule or address.lower() in taken:
            odd.append(user.name)
            continue
        taken.add(address.lower())
        if user.node is None:
            untold.append(name)
        elif user.node != NOWHERE and user.node not in nodes:
            elsewhere[user.node].append(name)
        found.append(PlannedUser(name, address, nodes.get(user.node or NOWHERE, NOWHERE)))
    node = say("Assigned node")
    if untold:
        notes.assume(node, _several(untold), NOT_TOLD, say("none"))
    for other, names in elsewhere.items():
        why = say("{node} is no node that is told", node=other)
        notes.assume(node, _several(names), why, say("none"))
    if found:
        everybody = _several([user.name for user in found])
        notes.assume(say("IM Address"), everybody, NOT_TOLD, f"userid@{domain}")
        notes.assume(say("Session"), everybody, NOT_TOLD, say("logged in where assigned"))
    notes.leave_out(say("Users whose names or addresses the lab does not take"), odd)
    counted = snapshot.all_users
    if counted is not None and int(counted.text) != len(snapshot.users):
        sentence = say(
            "There are {all:,} users by a count, and {users:,} were listed.",
            all=int(counted.text),
            users=len(snapshot.users),
        )
        notes.add(Sort.LEFT_OUT, sentence, counted.place)
    return tuple(found)


def _several(names: list[str]) -> str:
    return say("{number:,} user(s), such as {example}", number=len(names), example=names[0])


def domain_of(snapshot: Snapshot, judges: Judges) -> str:
    """Return the domain of the servers; that of examples where none is told."""
    for domain in _domains(snapshot):
        text, rule = judges.domain(domain)
        if text and not rule:
            return text
    return _FALLBACK_DOMAIN


def _domains(snapshot: Snapshot) -> Iterator[str]:
    for node in snapshot.nodes.values():
        for name in (node.fqdn.text if node.fqdn is not None else "", node.name):
            host, _, domain = name.partition(".")
            if domain and not host.isdigit():
                yield domain
