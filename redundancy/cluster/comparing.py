"""Compare two snapshots: what changed, and whether the cluster is back as it was. Pure.

What the first one tells is asked of the second. Back is only what is told to be back: where the second one does not
tell it, or one of them contradicts itself, it cannot be told.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from redundancy.cluster.facts import Place, called
from redundancy.cluster.snapshot import Node, Snapshot, User, Value
from redundancy.names import NodeNames
from redundancy.srm.states import Reason, State
from redundancy.srm.words import english, say


class Verdict(IntEnum):
    """Whether it is back as it was. The value is the exit code."""

    BACK = 0
    NOT_BACK = 1
    UNKNOWN = 2


class Change(StrEnum):
    """What is said of the two. The value is its name in JSON."""

    VALUE = "value"
    SERVICE = "service"
    PARAMETER = "parameter"
    USERS_MOVED = "users-moved"
    USERS_ADDED = "users-added"
    USERS_GONE = "users-gone"
    USERS_COUNT = "users-count"
    NOBODY_LEFT = "nobody-left"
    FEW_LEFT = "few-left"
    COUNTER = "counter"
    RESTARTED = "restarted"
    NOT_TOLD = "not-told"
    NOT_TOLD_BEFORE = "not-told-before"
    APPEARED = "appeared"
    DISPUTED = "disputed"
    LOOSE = "loose"
    ORDER = "order"
    NOT_ALL_READ = "not-all-read"
    NOTHING = "nothing"


SENTENCES: dict[Change, str] = {
    Change.VALUE: say("{what} of {name}: {before}, then {after}."),
    Change.SERVICE: say("{service} on {name}: {before}, then {after}."),
    Change.PARAMETER: say("{parameter}, {name}: {before}, then {after}."),
    Change.USERS_MOVED: say(
        "Users that are assigned to another node: {users:,}, such as {example}: {before}, then {after}."
    ),
    Change.USERS_ADDED: say("Users that were not there before: {users:,}, such as {example}."),
    Change.USERS_GONE: say("Users that are not there any more: {users:,}, such as {example}."),
    Change.USERS_COUNT: say("Users by a count: {before:,}, then {after:,}."),
    Change.NOBODY_LEFT: say("{counter} on {name}: {before:,}, then none."),
    Change.FEW_LEFT: say(
        "{counter} on {name}: {before:,}, then {after:,}: fewer than half. Clients may not be back yet."
    ),
    Change.COUNTER: say("{counter} on {name}: {before:,}, then {after:,}."),
    Change.RESTARTED: say("{name} was restarted meanwhile: up {before}, then {after}."),
    Change.NOT_TOLD: say("{what} of {name}: told before, and not after ({number:,})."),
    Change.NOT_TOLD_BEFORE: say("{what} of {name}: told after, and not before ({number:,})."),
    Change.APPEARED: say("{name} is told after, and not before."),
    Change.DISPUTED: say("{what} of {name} contradicts itself in one of the two."),
    Change.LOOSE: say(
        "It is not told whose {what} some values are in one of the two; they were not compared."
    ),
    Change.ORDER: say("The second one was taken earlier than the first one."),
    Change.NOT_ALL_READ: say("Not all of the files could be read."),
    Change.NOTHING: say("The first one tells nothing that could be compared."),
}
_STATE, _REASON, _HA = say("State"), say("Reason"), say("High Availability")
_SERVICES, _PARAMETERS, _USERS = say("Services"), say("Parameters"), say("Users")
_COUNTERS, _COUNT = say("Counters"), say("Users by a count")
_EVERYWHERE = say("Clusterwide")
# Fields of a node that are compared, and what they are called.
_FIELDS: dict[str, str] = {
    "state": _STATE,
    "reason": _REASON,
    "version": say("Version"),
    "group": say("Group"),
    "role": say("Database role"),
    "address": say("Address"),
    "product": say("Product"),
    "reached": say("Reached"),
}
# A thing that is compared: what it is called, whose it is, and which of several.
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something said of the two: its kind, its values, and where they stand, before and after."""

    change: Change
    fields: Mapping[str, Any]
    before: Place | None = None
    after: Place | None = None

    @property
    def sentence(self) -> str:
        """It in words."""
        return say(english(SENTENCES[self.change]), **self.fields)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found. ``beside``: changes that are not judged; ``doubts``: what cannot be told; ``compared``: how much of what."""

    differences: tuple[Difference, ...]
    beside: tuple[Difference, ...]
    doubts: tuple[Difference, ...]
    compared: Mapping[str, int] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """Whether it is back as it was."""
        if self.differences:
            return Verdict.NOT_BACK
        return Verdict.UNKNOWN if self.doubts else Verdict.BACK


def compare(before: Snapshot, after: Snapshot, *, all_read: bool = True) -> Comparison:
    """Return what changed. ``all_read``: whether the files of both could be read to their ends."""
    names = _names(before, after)
    first, second = _items(before, {}), _items(after, names)
    compared = Counter(english(key[0]) for key in first if key in second)
    differences: list[Difference] = []
    doubts: list[Difference] = []
    for key, one in first.items():
        two = second.get(key)
        if two is None:
            continue
        if one.disputed or two.disputed:
            doubts.append(_disputed(key, one, two))
        elif one.text != two.text:
            differences.append(_difference(key, one, two))
    doubts += _absent(Change.NOT_TOLD, first, second)
    # A list of services or parameters that was not whole before.
    listed = {key[:2] for key in first if key[0] in {_SERVICES, _PARAMETERS}}
    more = {key: value for key, value in second.items() if key[:2] in listed}
    doubts += [_turned(each) for each in _absent(Change.NOT_TOLD_BEFORE, more, first)]
    users, unknown = _users(before, after, names, compared)
    clients = list(_counters(before, after, names))
    differences += [*users, *_of(clients, Change.NOBODY_LEFT)]
    doubts += [*unknown, *_of(clients, Change.NOT_TOLD, Change.FEW_LEFT)]
    doubts += _unsure(before, after, names)
    if not all_read:
        doubts.append(Difference(Change.NOT_ALL_READ, {}))
    if not first and not before.users and before.all_users is None:
        doubts.append(Difference(Change.NOTHING, {}))
    beside = (*_of(clients, Change.COUNTER), *_restarts(before, after, names))
    return Comparison(tuple(differences), beside, tuple(doubts), dict(compared))


def _of(found: list[Difference], *changes: Change) -> list[Difference]:
    return [each for each in found if each.change in changes]


def _names(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Return what the nodes of the second are called in the first."""
    known = NodeNames(enumerate(before.nodes))
    found = {}
    for name in after.nodes:
        meant = known.meant(name)
        found[name] = meant[0][1] if len(meant) == 1 else name
    return found


def _items(snapshot: Snapshot, names: Mapping[str, str]) -> dict[_Key, Value]:
    found: dict[_Key, Value] = {}
    for group in snapshot.groups.values():
        if group.ha is not None:
            found[_HA, group.name, ""] = group.ha
    for node in snapshot.nodes.values():
        name = names.get(node.name, node.name)
        for attribute, what in _FIELDS.items():
            value = getattr(node, attribute)
            if value is not None:
                found[what, name, ""] = value
        if node.reason is None and node.state is not None and node.state.text == State.NORMAL:
            # One dialect leaves it out.
            found[_REASON, name, ""] = Value(Reason.NORMAL, node.state.place, node.state.disputed)
        services = {each: value for each, value in node.services.items() if not value.unread}
        found |= {(_SERVICES, name, service): value for service, value in services.items()}
        found |= {(_PARAMETERS, name, each): value for each, value in node.parameters.items()}
    found |= {
        (_PARAMETERS, _EVERYWHERE, each): value for each, value in snapshot.parameters.items()
    }
    return found


def _absent(
    change: Change, these: Mapping[_Key, Value], those: Mapping[_Key, Value]
) -> list[Difference]:
    """Return what only the first of the two tells, counted by whose and what it is."""
    only: dict[tuple[str, str], list[Value]] = {}
    for key, value in these.items():
        if key not in those:
            only.setdefault(key[:2], []).append(value)
    return [
        Difference(change, {"what": what, "name": name, "number": len(values)}, values[0].place)
        for (what, name), values in only.items()
    ]


def _difference(key: _Key, one: Value, two: Value) -> Difference:
    what, name, part = key
    fields = {"name": name, "before": one.text, "after": two.text}
    if what == _SERVICES:
        return Difference(Change.SERVICE, fields | {"service": part}, one.place, two.place)
    if what == _PARAMETERS:
        return Difference(Change.PARAMETER, fields | {"parameter": part}, one.place, two.place)
    return Difference(Change.VALUE, fields | {"what": what}, one.place, two.place)


def _disputed(key: _Key, one: Value, two: Value) -> Difference:
    what, name, part = key
    return Difference(Change.DISPUTED, {"what": part or what, "name": name}, one.place, two.place)


# --- users ---------------------------------------------------------------------------------------


def _users(
    before: Snapshot, after: Snapshot, names: Mapping[str, str], compared: Counter[str]
) -> tuple[list[Difference], list[Difference]]:
    """Return what changed of the users, and what cannot be told."""
    changes: list[Difference] = []
    doubts: list[Difference] = []
    one, two = before.all_users, after.all_users
    if one is not None and two is None:
        doubts.append(_silent(_COUNT, _EVERYWHERE, 1, one.place))
    elif one is not None and two is not None and one.text != two.text:
        numbers = {"before": int(one.text), "after": int(two.text)}
        changes.append(Difference(Change.USERS_COUNT, numbers, one.place, two.place))
    if not before.users:
        return changes, doubts
    if not after.users:
        return changes, [*doubts, _silent(_USERS, _EVERYWHERE, len(before.users))]
    compared[english(_USERS)] = len(before.users.keys() & after.users.keys())
    moved: list[tuple[User, User]] = []
    silent: list[User] = []
    for key, user in before.users.items():
        other = after.users.get(key)
        if other is None or user.node is None:
            continue
        if other.node is None:
            silent.append(user)
        elif names.get(other.node, other.node) != user.node:
            moved.append((user, other))
    if moved:
        user, other = moved[0]
        fields = {
            "users": len(moved),
            "example": user.name,
            "before": user.node or "-",
            "after": other.node or "-",
        }
        changes.append(Difference(Change.USERS_MOVED, fields, user.place, other.place))
    changes += _only(Change.USERS_GONE, before.users, after.users)
    changes += [_turned(each) for each in _only(Change.USERS_ADDED, after.users, before.users)]
    if silent:
        doubts.append(_silent(_USERS, _EVERYWHERE, len(silent), silent[0].place))
    return changes, doubts


def _silent(what: str, name: str, number: int, place: Place | None = None) -> Difference:
    return Difference(Change.NOT_TOLD, {"what": what, "name": name, "number": number}, place)


def _only(change: Change, these: Mapping[str, User], those: Mapping[str, User]) -> list[Difference]:
    only = [user for key, user in these.items() if key not in those]
    if not only:
        return []
    return [Difference(change, {"users": len(only), "example": only[0].name}, only[0].place)]


def _turned(difference: Difference) -> Difference:
    return Difference(difference.change, difference.fields, None, difference.before)


# --- nodes that are told in both -----------------------------------------------------------------


def _both(
    before: Snapshot, after: Snapshot, names: Mapping[str, str]
) -> Iterator[tuple[Node, Node]]:
    for node in after.nodes.values():
        if (same := before.nodes.get(names[node.name])) is not None:
            yield same, node


def _counters(before: Snapshot, after: Snapshot, names: Mapping[str, str]) -> Iterator[Difference]:
    """Yield what became of the clients that are counted. They come and go, but not all of them, nor half."""
    same = {names[node.name]: node for node in after.nodes.values()}
    for one in before.nodes.values():
        told = same[one.name].counters if one.name in same else {}
        silent = [value for counter, value in one.counters.items() if counter not in told]
        if silent:
            yield _silent(_COUNTERS, one.name, len(silent), silent[0].place)
        for counter, value in one.counters.items():
            other = told.get(counter, value)
            was, now = int(value.text), int(other.text)
            if was == now:
                continue
            fields = {"counter": counter, "name": one.name, "before": was}
            fields |= {"after": now} if now else {}
            yield Difference(_change_of(was, now), fields, value.place, other.place)


def _change_of(was: int, now: int) -> Change:
    if not now:
        return Change.NOBODY_LEFT
    return Change.FEW_LEFT if 2 * now < was else Change.COUNTER


def _restarts(before: Snapshot, after: Snapshot, names: Mapping[str, str]) -> Iterator[Difference]:
    for one, two in _both(before, after, names):
        if one.up is not None and two.up is not None and minutes_up(two.up) < minutes_up(one.up):
            fields = {"name": one.name, "before": one.up.text, "after": two.up.text}
            yield Difference(Change.RESTARTED, fields, one.up.place, two.up.place)


def minutes_up(up: Value) -> int:
    """Return for how many minutes a node has run, of the text that is kept of it."""
    days, _, clock = up.text.partition(" d ")
    hours, _, minutes = clock.partition(":")
    return (int(days) * 24 + int(hours)) * 60 + int(minutes)


def _unsure(before: Snapshot, after: Snapshot, names: Mapping[str, str]) -> Iterator[Difference]:
    one, two = before.taken, after.taken
    lab = before.lab or after.lab
    if one is not None and two is not None and two < one and not lab:
        yield Difference(Change.ORDER, {})
    for node in after.nodes.values():
        if names[node.name] not in before.nodes:
            yield Difference(Change.APPEARED, {"name": node.name})
    for group in before.groups.values():
        # Of others High Availability is compared.
        if group.ha is None and group.name not in after.groups:
            yield _silent(_FIELDS["group"], group.name, 1, group.place)
    for group in after.groups.values():
        if group.name not in before.groups:
            yield Difference(Change.APPEARED, {"name": group.name}, None, group.place)
    for loose, side in (
        (each, snapshot) for snapshot in (before, after) for each in snapshot.loose
    ):
        places = (loose.place, None) if side is before else (None, loose.place)
        yield Difference(Change.LOOSE, {"what": called(loose.what)}, *places)
