"""Put what was told together: stretches to snapshots by their time, names and numbers to nodes. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from redundancy.cluster.facts import Fact, Of, Place
from redundancy.cluster.reader.reading import GAP, Reading, Stretch
from redundancy.cluster.snapshot import (
    NOWHERE,
    Dispute,
    Group,
    Loose,
    Node,
    Snapshot,
    User,
    Value,
    ha_of,
)
from redundancy.names import NodeNames

# What passes by itself: a later value of these is no change worth telling.
_PASSING = {"clock", "up", "connected since"}
# Where a name that stands there is the node's own, as the cluster has it.
_NAMING = {"state", "reason", "group", "group id", "id", "server id", "isprimary"}
# The values of a node that have a field of their own.
_FIELDS = frozenset(Node.__dataclass_fields__) - {"name", "services", "counters", "parameters"}
_UNKNOWN = "?"
_OWNER = "#"
# A fact, and the number of its stretch.
_Told = tuple[Fact, int]


def assemble(reading: Reading) -> list[Snapshot]:
    """Return the snapshots of an input, the oldest first; one without a time is the last."""
    return [_Assembly(taken, stretches).snapshot() for taken, stretches in _collections(reading)]


def _time(stretch: Stretch) -> datetime | None:
    return stretch.taken or stretch.logged


def _collections(reading: Reading) -> list[tuple[datetime | None, list[Stretch]]]:
    """Return what belongs together: by time; what has none, to the only one there is, or to that of its file."""
    timed = [(moment, each) for each in reading.stretches if (moment := _time(each)) is not None]
    timed.sort(key=lambda pair: pair[0])
    found: list[tuple[datetime, list[Stretch]]] = []
    end: datetime | None = None
    for moment, stretch in timed:
        if end is None or moment - end > GAP:
            found.append((moment, []))
        found[-1][1].append(stretch)
        end = max(end or moment, stretch.last or moment)
    lost: list[Stretch] = []
    for stretch in reading.stretches:
        if _time(stretch) is not None:
            continue
        of_file = [each for each in found if any(other.file == stretch.file for other in each[1])]
        fitting = found if len(found) == 1 else of_file
        if len(fitting) == 1:
            fitting[0][1].append(stretch)
        else:
            lost.append(stretch)
    return [*found, (None, lost)] if lost else list(found)


class _Assembly:
    """Makes one snapshot."""

    def __init__(self, taken: datetime | None, stretches: list[Stretch]) -> None:
        self._taken = taken
        self._stretches = stretches
        order = {id(each): number for number, each in enumerate(stretches)}
        self._times = [_time(each) for each in stretches]
        facts = [(fact, order[id(each)]) for each in stretches for fact in each.facts]
        self._users = [told for told in facts if told[0].of is Of.USER]
        self._facts = [told for told in facts if told[0].of is not Of.USER]
        self._names = self._unify()
        self._finder = NodeNames(enumerate(set(self._names.values())))
        self._loose: dict[tuple[str, str], Loose] = {}
        self._disputes: list[Dispute] = []

    def snapshot(self) -> Snapshot:
        """Return the snapshot."""
        values = self._values(self._resolved())
        nodes = self._nodes(values)
        groups = self._groups(values, nodes)
        by_owner: dict[str, dict[str, Value]] = defaultdict(dict)
        for (of, owner, name), value in values.items():
            if of is Of.PARAMETER:
                by_owner[owner][name] = value
        clusterwide = by_owner.pop("", {})
        for owner, parameters in by_owner.items():
            if owner in nodes:
                nodes[owner] = replace(nodes[owner], parameters=parameters)
            else:
                self._drift(
                    "parameters", owner, next(iter(parameters.values())).place, len(parameters)
                )
        return Snapshot(
            taken=self._taken,
            files=tuple(dict.fromkeys(each.file for each in self._stretches)),
            groups=groups,
            nodes=nodes,
            parameters=clusterwide,
            users=self._people(values),
            all_users=values.get((Of.USERS, "", "all")),
            disputes=tuple(self._disputes),
            loose=tuple(self._loose.values()),
            until=max((each.last for each in self._stretches if each.last), default=None),
            backwards=tuple(clock for each in self._stretches for clock in each.backwards),
        )

    # --- names ---------------------------------------------------------------------------------

    def _unify(self) -> dict[str, str]:
        """Return what each node is called here, by every name in small letters that it has."""
        own: dict[str, str] = {}
        others: dict[str, str] = {}
        addresses: dict[str, str] = {}
        for fact, _ in self._facts:
            if fact.of is Of.GROUP and fact.field.startswith("node "):
                own.setdefault(fact.value.lower(), fact.value)
            if fact.of not in {Of.NODE, Of.SERVICE, Of.COUNTER, Of.PARAMETER}:
                continue
            if fact.subject[:1] in {"", _UNKNOWN, _OWNER}:
                continue
            kept = own if fact.of is Of.NODE and fact.field in _NAMING else others
            kept.setdefault(fact.subject.lower(), fact.subject)
            if fact.of is Of.NODE and fact.field == "address":
                addresses[fact.value] = fact.subject
        return _merged(own, others, addresses)

    def _name(self, name: str) -> str:
        """Return what the node is called here that ``name`` means; ``name`` where that is none, or several."""
        key = name.lower()
        if key not in self._names:
            meant = self._finder.meant(name)
            self._names[key] = meant[0][1] if len(meant) == 1 else name
        return self._names[key]

    # --- numbers -------------------------------------------------------------------------------

    def _resolved(self) -> list[_Told]:
        """Return the facts with names in the places of numbers, and nodes by their one name."""
        groups = {
            f.value: f.subject for f, _ in self._facts if f.of is Of.GROUP and f.field == "id"
        }
        owners = {f.value: f.subject for f, _ in self._facts if f.field == "server id"}
        owners |= {f.value: "" for f, _ in self._facts if f.field == "everywhere"}
        found: list[_Told] = []
        for fact, at in self._facts:
            subject, new = fact.subject, fact
            if fact.field == "everywhere":
                continue
            if fact.of is Of.PARAMETER and subject.startswith(_OWNER):
                number = subject.removeprefix(_OWNER)
                subject = owners.get(number, subject) if number else ""
            elif fact.of is Of.GROUP and fact.field.startswith("node "):
                new = replace(fact, value=self._name(fact.value))
            if fact.of in {Of.NODE, Of.SERVICE, Of.COUNTER, Of.PARAMETER}:
                subject = self._name(subject)
            if subject.startswith(_UNKNOWN):
                what = {Of.SERVICE: "services", Of.COUNTER: "counters"}.get(fact.of, fact.field)
                self._drift(what, subject, fact.place)
                continue
            found.append((replace(new, subject=subject), at))
            if fact.of is Of.NODE and fact.field == "group id":
                group = groups.get(fact.value) if fact.value else NOWHERE
                if group is None:
                    self._drift("group id", fact.value, fact.place)
                else:
                    found.append((Fact(Of.NODE, subject, "group", group, fact.place), at))
        return found

    def _drift(self, what: str, whose: str, place: Place, number: int = 1) -> None:
        before = self._loose.get((what, whose))
        first = place if before is None else before.place
        count = number if before is None else before.number + number
        self._loose[what, whose] = Loose(what, count, first)

    # --- values --------------------------------------------------------------------------------

    def _values(self, facts: Iterable[_Told]) -> dict[tuple[Of, str, str], Value]:
        """Return the value of each thing: the last one told; what differs is kept as a dispute."""
        found: dict[tuple[Of, str, str], tuple[Value, int]] = {}
        for fact, at in facts:
            key = fact.key
            value = Value(fact.value, fact.place)
            before = found.get(key)
            if before is None:
                found[key] = value, at
                continue
            if before[0].text == value.text:
                continue
            later = self._is_later(before[1], at)
            if fact.field not in _PASSING and fact.of is not Of.COUNTER:
                what = fact.subject or fact.of.value
                self._disputes.append(Dispute(what, fact.field, before[0], value, later))
                value = replace(value, disputed=not later or before[0].disputed)
            found[key] = value, at
        return {key: value for key, (value, _) in found.items()}

    def _is_later(self, before: int, at: int) -> bool:
        """Return whether the second of two stretches is known to come later; within one, lines follow in time."""
        if before == at:
            return True
        first, second = self._times[before], self._times[at]
        return first is not None and second is not None and first < second

    def _nodes(self, values: dict[tuple[Of, str, str], Value]) -> dict[str, Node]:
        of_node: dict[str, dict[str, Value]] = defaultdict(dict)
        services: dict[str, dict[str, Value]] = defaultdict(dict)
        counters: dict[str, dict[str, Value]] = defaultdict(dict)
        for (of, subject, name), value in values.items():
            if of is Of.NODE:
                of_node[subject][name.replace(" ", "_")] = value
            elif of is Of.SERVICE:
                services[subject][name] = value
            elif of is Of.COUNTER:
                counters[subject][name] = value
        found = {}
        for name in sorted({*of_node, *services, *counters}):
            told: dict[str, Any] = {k: v for k, v in of_node[name].items() if k in _FIELDS}
            found[name] = Node(name, services=services[name], counters=counters[name], **told)
        return found

    def _groups(
        self, values: dict[tuple[Of, str, str], Value], nodes: dict[str, Node]
    ) -> dict[str, Group]:
        names: dict[str, Place] = {}
        ordered: dict[str, dict[str, str]] = defaultdict(dict)
        for (of, subject, name), value in values.items():
            if of is Of.GROUP:
                names.setdefault(subject, value.place)
                if name.startswith("node "):
                    ordered[subject][name] = value.text
        of_group: dict[str, list[str]] = defaultdict(list)
        for node in nodes.values():
            if node.group is not None:
                of_group[node.group.text].append(node.name)
        found = {}
        for name, place in sorted(names.items()):
            listed = [each for _, each in sorted(ordered[name].items())]
            listed += of_group[name]
            members = tuple(dict.fromkeys(listed))
            told = values.get((Of.GROUP, name, "ha"))
            seen = ha_of([nodes[each] for each in members if each in nodes])
            if told is not None and seen is not None and told.text != seen.text:
                self._disputes.append(Dispute(name, "High Availability", seen, told, False))
                told = replace(told, disputed=True)
            found[name] = Group(name, place, told or seen, members)
        return found

    # --- users ---------------------------------------------------------------------------------

    def _people(self, values: dict[tuple[Of, str, str], Value]) -> dict[str, User]:
        numbers = {
            v.text: name for (of, name, what), v in values.items() if of is Of.NODE and what == "id"
        }
        found: dict[str, User] = {}
        for fact, _ in self._users:
            key = fact.subject.lower()
            node: str | None = None
            if fact.field == "node":
                node = self._name(fact.value) if fact.value else NOWHERE
            elif fact.field == "node id":
                node = numbers.get(fact.value) if fact.value else NOWHERE
                if node is None:
                    self._drift("users of a node id", fact.value, fact.place)
            before = found.get(key)
            if before is not None and before.node is not None:
                if node is not None and node != before.node:
                    first = Value(before.node, before.place)
                    second = Value(node, fact.place)
                    self._disputes.append(
                        Dispute(before.name, "assigned node", first, second, False)
                    )
                continue
            found[key] = User(fact.subject, node, fact.place)
        return found


def _merged(
    own: dict[str, str], others: dict[str, str], addresses: dict[str, str]
) -> dict[str, str]:
    """Return one name for each of the names: a host name alone and with its domain are one node's.

    ``own``: names under which the cluster has its nodes; they win over ``others``, and the longer over the shorter.
    """
    everything = {**others, **own}
    finder = NodeNames(enumerate(name for key, name in everything.items() if "." in key))
    names = dict(everything)
    for key, name in everything.items():
        address_of = addresses.get(name)
        if address_of is not None and address_of.lower() != key:
            names[key] = address_of
        elif "." not in key and len(meant := finder.meant(name)) == 1:
            whole = meant[0][1].lower()
            if key in own and whole not in own:
                names[whole] = name
            else:
                names[key] = everything[whole]
    # A name may have led to one that leads on.
    return {key: names.get(name.lower(), name) for key, name in names.items()}
