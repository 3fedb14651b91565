"""Tell again what was told in a stretch, in the vendor's shapes and with new names. Pure.

Only values are told that have a shape of their own (states, versions, numbers, times, known services and
parameters) and names, which are new ones: nothing that was only passed along can carry a name over.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from redundancy.catalog import CLIENT_COUNTERS, ENTERPRISE_PARAMETERS, PARAMETERS, SERVICES
from redundancy.cluster.facts import Event, Fact, Of
from redundancy.cluster.reader.ha import REASONS, STATES, known
from redundancy.cluster.reader.reading import Stretch
from redundancy.cluster.renaming import Names
from redundancy.columns import aligned
from redundancy.srm.states import NOT_RESPONDING, NUMBERS

_SERVICES = {service.name for service in SERVICES}
_NOTES = ("Commanded Out of Service", "Service Not Activated", "Not Responding")
_STATUS = re.compile(r"(STARTED|STOPPED|STARTING|STOPPING|UNKNOWN)(?:  (.*))?$")
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,5}){1,3}(?:-\d{1,5})?$")
_UP = re.compile(r"(\d{1,5}) d (\d{1,2}:\d\d)$")
_ZONE = re.compile(r"[A-Z]{2,5}$")
_VALUES = re.compile(r"\d{1,10}$")
_BOOLEANS = {"true", "false", "t", "f"}
_PARAMETERS = {parameter.name.lower(): parameter.name for parameter in PARAMETERS}
_CHOICES = {parameter.name: set(parameter.choices) for parameter in ENTERPRISE_PARAMETERS}
_PARAMETERS |= {parameter.name.lower(): parameter.name for parameter in ENTERPRISE_PARAMETERS}
_EVERYWHERE = "EnterpriseWideData"
_NUMBERS = {state.value: str(number) for state, number in NUMBERS.items()} | {NOT_RESPONDING: "12"}
_BANNER = "Command Line Interface is starting up, please wait ..."
_LOOSE = "?"
_BEAT = "INFO [HS] rsrm.RsrmHeartBeatHandler - RsrmHeartBeatHandler: peer down, time since last heartbeat[s]="
_VECTOR = (
    "INFO [HS] rsrm.RsrmAutomaticFallback - RsrmAutomaticFallback: peer states vector changed to"
)
_CHANGED = "INFO [HS] rsrm.RsrmStateMachine - RsrmStateMachine: state changed from [] to"
_WATCHED = "INFO [HS] rsrm.RsrmServiceMonitor - RsrmServiceMonitor:"
EVENT_WORDS = (_BEAT, _VECTOR, _CHANGED, _WATCHED, "is not running", "is running")
_AT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}$")


def retell(stretch: Stretch, names: Names) -> Iterator[str]:
    """Yield the lines that tell what a stretch tells; of what is told twice in it the last."""
    yield _BANNER
    last: dict[tuple[Of, str, str], Fact] = {}
    for fact in stretch.facts:
        last.pop(fact.key, None)
        last[fact.key] = fact
    facts = list(last.values())
    owners = list(dict.fromkeys(f.subject for f in facts if f.subject.startswith(_LOOSE)))
    mine = _Values([fact for fact in facts if not fact.subject.startswith(_LOOSE)], names)
    yield from _clocks(stretch, mine)
    yield from mine.ha_status()
    yield from mine.groups()
    yield from mine.nodes()
    yield from mine.servers()
    yield from mine.network()
    yield from mine.parameters()
    yield from mine.services("")
    yield from mine.users()
    for owner in owners:
        # Whose these are is not told: in a session of its own it stays so.
        yield from ("", _BANNER)
        theirs = [fact for fact in facts if fact.subject == owner]
        yield from _Values(theirs, names).services(owner)


def retell_event(event: Event) -> Iterator[str]:
    """Yield the line of a trace that tells of an event again; none where its values have another shape."""
    if not _AT.match(event.at):
        return
    match event.what, event.detail:
        case "peer down", (seconds,) if _VALUES.match(seconds):
            yield f"{event.at} {_BEAT} {seconds}"
        case ("vector" | "state") as what, (one, two):
            first, second = known(STATES, one), known(STATES, two) or known(REASONS, two)
            if first is not None and second is not None:
                yield f"{event.at} {_VECTOR if what == 'vector' else _CHANGED} [{first},{second}]"
        case "service", (name, status) if name in _SERVICES:
            yield f"{event.at} {_WATCHED} {name} is {status}"


def _clocks(stretch: Stretch, values: "_Values") -> Iterator[str]:
    if stretch.taken is not None and not any("clock" in each for each in values.node.values()):
        yield f"Server Time: {stretch.taken:%a %b %d, %Y %H:%M:%S}"
    elif stretch.taken is None and stretch.logged is not None:
        yield f"=~=~=~=~=~= PuTTY log {stretch.logged:%Y.%m.%d %H:%M:%S} =~=~=~=~=~="
    clocks = {name: each.get("clock", "") for name, each in values.node.items()}
    # In the order of their time, as they were read.
    for name in sorted(clocks, key=lambda name: clocks[name]):
        yield from values.status(name)


class _Values:
    """The facts of a stretch, by what they are of."""

    def __init__(self, facts: Iterable[Fact], names: Names) -> None:
        self._names = names
        self.group: dict[str, dict[str, str]] = defaultdict(dict)
        self.node: dict[str, dict[str, str]] = defaultdict(dict)
        self.service: dict[str, dict[str, str]] = defaultdict(dict)
        self.counter: dict[str, dict[str, str]] = defaultdict(dict)
        self.parameter: dict[str, dict[str, str]] = defaultdict(dict)
        self.user: dict[str, dict[str, str]] = defaultdict(dict)
        self.all_users = ""
        self.everywhere = ""
        kinds = {
            Of.GROUP: self.group,
            Of.NODE: self.node,
            Of.SERVICE: self.service,
            Of.COUNTER: self.counter,
            Of.PARAMETER: self.parameter,
            Of.USER: self.user,
        }
        for fact in facts:
            if fact.of is Of.USERS:
                self.all_users = fact.value
            elif fact.field == "everywhere":
                self.everywhere = fact.value
            else:
                kinds[fact.of][fact.subject][fact.field] = fact.value
        # Told with the status of a group, so not again by a table.
        self._shown = {
            value
            for told in self.group.values()
            for name, value in told.items()
            if name.startswith("node ")
        }

    def status(self, name: str) -> Iterator[str]:
        """Yield the status of a node."""
        told = self.node[name]
        clock, up, zone = (told.get(each, "") for each in ("clock", "up", "time zone"))
        if not (clock or up) and set(told) - {"listed"}:
            return
        new = self._names.node(name)
        yield from ("", f"admin:show status {new}", "", f"Host Name          : {new}")
        if clock:
            moment = datetime.strptime(clock, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - as it is told
            yield f"Date               : {moment:%a %b %d, %Y %H:%M:%S}"
        if _ZONE.match(zone):
            yield f"Time Zone          : {zone}"
        if found := _UP.match(up):
            yield from ("Uptime:", f" 00:00:00 up {found[1]} days,  {found[2]},  1 user")

    def ha_status(self) -> Iterator[str]:
        """Yield the states of groups and their nodes."""
        for name, told in self.group.items():
            places = sorted((key, node) for key, node in told.items() if key.startswith("node "))
            if not places:
                continue
            yield from ("", "admin:utils ha status", f"Subcluster Name: {self._names.group(name)}")
            for key, node in places:
                yield from (
                    f"Node {key.removeprefix('node ')}",
                    f"\tName: {self._names.node(node)}",
                )
                state = known(STATES, self.node[node].get("state", ""))
                reason = known(REASONS, self.node[node].get("reason", ""))
                if state is not None:
                    yield f"\tState: {state}"
                if reason is not None:
                    yield f"\tReason: {reason}"

    def groups(self) -> Iterator[str]:
        """Yield the table of groups."""
        rows = []
        for name, told in self.group.items():
            row = {"name": self._names.group(name)}
            if told.get("ha") in {"on", "off"}:
                row["haenabled"] = "t" if told["ha"] == "on" else "f"
            if "id" in told:
                row["id"] = self._names.number("group", told["id"])
            if len(row) > 1 or not any(key.startswith("node ") for key in told):
                rows.append(row)
        yield from _tables("enterprisesubcluster", rows)

    def nodes(self) -> Iterator[str]:
        """Yield the table of nodes."""
        rows = []
        for name, told in self.node.items():
            row: dict[str, str] = {}
            if "id" in told:
                row["id"] = self._names.number("node", told["id"])
            if "group id" in told:
                row["subclusterid"] = self._names.number("group", told["group id"]) or "NULL"
            if "peer id" in told:
                row["peerhanodeid"] = self._names.number("node", told["peer id"]) or "NULL"
            if "role" in told and "address" not in told:
                row["isprimary"] = "t" if told["role"] == "Publisher" else "f"
            if name not in self._shown and told.get("state") in _NUMBERS:
                row["tkhaserverstate"] = _NUMBERS[told["state"]]
            if row:
                rows.append({"name": self._names.node(name), **row})
        yield from _tables("enterprisenode", rows)

    def servers(self) -> Iterator[str]:
        """Yield the table of servers."""
        rows = []
        if self.everywhere:
            rows.append(
                {"name": _EVERYWHERE, "pkid": self._names.number("server", self.everywhere)}
            )
        for name, told in self.node.items():
            row: dict[str, str] = {}
            if "server id" in told:
                row["pkid"] = self._names.number("server", told["server id"])
            role = {"Voice/Video": "1", "IM and Presence": "2"}.get(told.get("product", ""))
            if role is not None and "address" not in told:
                row["tkprocessnoderole"] = role
            if row:
                rows.append({"name": self._names.node(name), **row})
        yield from _tables("processnode", rows)

    def network(self) -> Iterator[str]:
        """Yield the lines of ``show network cluster``."""
        lines = []
        for name, told in self.node.items():
            if not {"address", "fqdn", "role", "product", "reached"} <= told.keys():
                continue
            publisher = told["role"] == "Publisher"
            lines.append(
                " ".join(
                    (
                        self._names.address(told["address"]),
                        self._names.node(told["fqdn"]),
                        self._names.node(name),
                        "Publisher" if publisher else "Subscriber",
                        {"IM and Presence": "cups", "Voice/Video": "callmanager"}.get(
                            told["product"], "other"
                        ),
                        "DBPub" if publisher else "DBSub",
                        "authenticated" if told["reached"] == "yes" else "not authenticated",
                    )
                )
                + _since(told.get("connected since", ""))
            )
        if lines:
            yield from ("", "admin:show network cluster", *lines)

    def parameters(self) -> Iterator[str]:
        """Yield known parameters that have a value of their shape: those of the table, then those of lists."""
        rows = []
        for owner, told in self.parameter.items():
            for name, value in _sound(told):
                if owner.startswith("#"):
                    key = self._names.number("server", owner.removeprefix("#"))
                    row = {"paramname": name, "paramvalue": value, "fkprocessnode": key or "NULL"}
                    rows.append(row)
        yield from _tables("processconfig", rows)
        for owner, told in self.parameter.items():
            sound = [] if owner.startswith("#") else list(_sound(told))
            if sound:
                yield from ("", self._names.node(owner) if owner else "clusterwide")
                yield from (f"  {name} = {value}" for name, value in sound)

    def services(self, loose: str) -> Iterator[str]:
        """Yield services, versions and counters; ``loose``: of whom, where that is not told."""
        whose = [loose] if loose else [*self.service, *self.counter, *self.node]
        for name in dict.fromkeys(whose):
            new = "" if loose else self._names.node(name)
            behind = f" {new}" if new else ""
            services = list(_services(self.service.get(name, {})))
            if services:
                yield from ("", f"admin:utils service list{behind}", *services)
            for field, side in (("version", "Active"), ("inactive version", "Inactive")):
                version = self.node.get(name, {}).get(field, "")
                if _VERSION.match(version):
                    yield from ("", f"admin:show version {side.lower()}{behind}")
                    yield f"{side} Master Version: {version}"
            counters = self.counter.get(name, {})
            sound = [
                each for each in counters if each in CLIENT_COUNTERS and counters[each].isdigit()
            ]
            if sound:
                yield from ("", "admin:show perf query counter")
                if new:
                    yield f"Node Name : {new}"
                yield from (f"{each} = {counters[each]}" for each in sound)

    def users(self) -> Iterator[str]:
        """Yield users, by chance in this order or that, and their number."""
        by_key, by_name, alone = [], [], []
        for name, told in self.user.items():
            new = self._names.user(name)
            if "node id" in told:
                key = self._names.number("node", told["node id"])
                by_key.append({"userid": new, "primarynodeid": key or "NULL"})
            elif "node" in told:
                by_name.append(f"{new},{self._names.node(told['node']) if told['node'] else ''}")
            else:
                alone.append({"userid": new})
        yield from _tables("enduser", sorted(by_key, key=lambda row: row["userid"]))
        yield from _tables("enduser", sorted(alone, key=lambda row: row["userid"]))
        if self.all_users.isdigit():
            yield from ("", "admin:run sql select count(*) from enduser")
            yield from aligned(["(count(*))"], [[self.all_users]])
        if by_name:
            yield from ("", "admin:", "userid,node", *sorted(by_name))


def _since(text: str) -> str:
    if not text:
        return ""
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - as it is told
    return f" using TCP since {moment:%a %b %d %H:%M:%S %Y}"


def _sound(told: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in told.items():
        shown = _PARAMETERS.get(name.lower())
        if shown is None:
            continue
        if _VALUES.match(value) or value.lower() in _BOOLEANS or value in _CHOICES.get(shown, ()):
            yield shown, value


def _services(told: dict[str, str]) -> Iterator[str]:
    for name, value in told.items():
        found = _STATUS.match(value)
        if name in _SERVICES and found is not None:
            note = found[2] if found[2] in _NOTES else ""
            yield f"{name}[{found[1]}]  {note}".rstrip()


def _tables(name: str, rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """Yield a result of SQL for each set of columns that rows have."""
    by_columns: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
    for row in rows:
        by_columns[tuple(row)].append(list(row.values()))
    for columns, values in by_columns.items():
        yield from ("", f"admin:run sql select {','.join(columns)} from {name}")
        yield from aligned(list(columns), values)
