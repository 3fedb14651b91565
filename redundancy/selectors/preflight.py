"""What to look at before High Availability is enabled, and what will happen when it is not mended."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from redundancy import bus, clock
from redundancy.catalog import DATABASE, SERVICE_BY_NAME, ServiceKind
from redundancy.drivers import Observed, get_driver
from redundancy.models import RedundancyGroup, Server, ServiceStatus
from redundancy.selectors import faults, live, login_profile, parameters, wording
from redundancy.selectors import policy as policies
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import State
from redundancy.srm.types import Policy


class Result(StrEnum):
    """How a check ended; the value is what pages show."""

    PASSED = "Passed"
    FAILED = "Failed"
    UNKNOWN = "Not known"


class Where(StrEnum):
    """Where a failed check is mended."""

    NETWORK_SERVICES = "network"
    FEATURE_SERVICES = "feature"
    SERVER = "server"
    MUST_MATCH = "must match"
    LOGIN_PROFILE = "login profile"
    BEAT_MONITOR = "beat monitor"
    FAULT_LAB = "fault lab"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    ``figure``: what was measured, which may differ at the next look. ``effect``: what will happen
    when HA is enabled all the same. ``where``: where it is mended, at the server ``server_id``.
    """

    label: str
    result: Result
    sentence: str
    figure: str = ""
    effect: str = ""
    where: Where | None = None
    server_id: int = 0


@dataclass(frozen=True, slots=True)
class Preflight:
    """All checks of a pair."""

    checks: tuple[Check, ...]

    @property
    def failed(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.result is Result.FAILED]

    @property
    def summary(self) -> str:
        """The checks in a sentence."""
        number = len(self.failed)
        if not number:
            return "Preflight: no check failed."
        return f"Preflight: {number} of {len(self.checks)} checks failed."

    @property
    def version(self) -> str:
        """Changes with what was found, not with what was measured."""
        found = [(check.label, check.result, check.sentence) for check in self.checks]
        return hashlib.blake2s(repr(found).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class _Pair:
    """What the checks of a pair look at."""

    group: RedundancyGroup
    servers: tuple[Server, Server]
    services: Mapping[int, Sequence[Observed]]
    policy: Policy

    def peer(self, server: Server) -> Server:
        """Return the other one."""
        first, second = self.servers
        return second if server == first else first

    def down(self, server: Server) -> list[Observed]:
        """Return the monitored services that are known not to run."""
        return [
            service
            for service in self.services[server.pk]
            if service.monitored
            and service.status not in {ServiceStatus.STARTED, ServiceStatus.UNKNOWN}
        ]


def preflight(group: RedundancyGroup) -> Preflight | None:
    """Return the checks of ``group``; None unless it has two servers. A constant number of queries."""
    servers = list(
        Server.objects.filter(group=group).select_related("machine", "runtime").order_by("slot")
    )
    if len(servers) != 2:
        return None
    first, second = servers
    pair = _Pair(group, (first, second), get_driver().observe(servers), policies.current())
    checks = [_srm(pair, server) for server in servers]
    checks.append(_heartbeats(pair))
    checks += [_services(pair, server) for server in servers]
    checks += [_database(pair), _version(pair), _must_match(pair)]
    return Preflight((*checks, *_capacity(pair)))


def _srm(pair: _Pair, server: Server) -> Check:
    label = f"Server Recovery Manager of {server.name}"
    if wording.reports(server):
        return Check(label, Result.PASSED, f"{server.name} is powered on, and its SRM runs.")
    peer = pair.peer(server)
    if not server.machine.powered:
        sentence = f"{server.name} is {'restarting' if server.machine.boots_at else 'powered off'}."
    else:
        sentence = f"The SRM of {server.name} is stopped."
    if not wording.reports(peer):
        effect = "Both nodes stay as they are until one of the SRMs runs."
    elif pair.down(peer):
        effect = f"{peer.name} waits for {server.name}, and serves nobody else: its own services do not run."
    else:
        effect = (
            f"{peer.name} waits {pair.policy.initialization_timeout:g} s for {server.name}, then takes "
            f"everybody over: {State.BACKUP}, Peer Down During Initialization."
        )
    return Check(label, Result.FAILED, sentence, "", effect, Where.NETWORK_SERVICES, server.pk)


def _heartbeats(pair: _Pair) -> Check:
    label = "Heartbeats between the nodes"
    try:
        age = bus.sweep_age()
    except bus.BusError:
        age = None
    seen = live.observer()
    if not seen.ok:
        effect = "Nothing happens until sweeps run again: both nodes wait."
        return Check(label, Result.FAILED, seen.sentence, "", effect, Where.BEAT_MONITOR)
    swept = f"The last sweep was {age:.1f} s ago." if age is not None else ""
    broken = faults.in_force()
    told = " ".join(
        f.sentence for f in faults.active() if f.group_id == pair.group.pk and f.of_link
    )
    late = broken.delay.get(pair.group.pk, 0) >= pair.policy.heartbeat_timeout
    lost = broken.loss.get(pair.group.pk, 0) >= 100
    mute = [server for server in pair.servers if server.pk in broken.cut]
    if late or lost or mute:
        after = f"after {pair.policy.initialization_timeout:g} s"
        if len(mute) == 1 and not (late or lost):
            deaf = pair.peer(mute[0]).name
            effect = f"{deaf} does not hear {mute[0].name}, and takes everybody over {after}."
        else:
            effect = (
                f"Each node takes the other for dead {after}, and one serves everybody; once they "
                "hear each other both show Split Brain."
            )
        return Check(label, Result.FAILED, told, swept, effect, Where.FAULT_LAB)
    if told:
        return Check(label, Result.UNKNOWN, told, swept, "", Where.FAULT_LAB)
    if not pair.group.ha_enabled:
        sentence = (
            "The heartbeat bus answers, the nodes are looked at, and no fault of the link is known. "
            "Heartbeats themselves flow only while High Availability is on."
        )
        return Check(label, Result.PASSED, sentence, swept)
    return _heard(pair, label)


def _heard(pair: _Pair, label: str) -> Check:
    """Return how long ago each node heard the other."""
    now = clock.lab_now()
    ages = {}
    for server in pair.servers:
        memory = node_from_json(server.runtime.memory) if server.runtime.memory else None
        if memory is not None and memory.peer is not None:
            ages[server] = max(0.0, now - memory.peer_at)
    figure = " ".join(
        f"{server.name} heard {pair.peer(server).name} {age:.0f} s ago."
        for server, age in ages.items()
    )
    deaf = [
        server.name
        for server in pair.servers
        if ages.get(server, float("inf")) >= pair.policy.heartbeat_timeout
    ]
    if not deaf:
        return Check(label, Result.PASSED, "Both nodes hear each other.", figure)
    effect = "A node that does not hear the other takes it for dead and takes over."
    sentence = f"The peer is not heard by {' and '.join(deaf)}."
    return Check(label, Result.FAILED, sentence, figure, effect, Where.BEAT_MONITOR)


def _services(pair: _Pair, server: Server) -> Check:
    label = f"Monitored services of {server.name}"
    if not server.machine.powered:
        # What it means is said with its SRM.
        sentence = f"They cannot be read: {server.name} is powered off."
        return Check(label, Result.UNKNOWN, sentence, "", "", Where.NETWORK_SERVICES, server.pk)
    down = pair.down(server)
    if not down:
        number = sum(service.monitored for service in pair.services[server.pk])
        return Check(label, Result.PASSED, f"All {number} run.")
    peer, delay = pair.peer(server), f"{pair.policy.critical_service_delay:g} s"
    if pair.down(peer):
        effect = f"Services are down on both nodes: both go to {State.FAILED} after {delay}."
    elif not wording.reports(peer):
        effect = f"{server.name} has nobody to fail over to."
    else:
        effect = (
            f"{server.name} fails over to {peer.name} once a service has been down for {delay}."
        )
    network = any(SERVICE_BY_NAME[service.name].kind is ServiceKind.NETWORK for service in down)
    return Check(
        label,
        Result.FAILED,
        f"Not running: {', '.join(service.name for service in down)}.",
        "",
        effect,
        Where.NETWORK_SERVICES if network else Where.FEATURE_SERVICES,
        server.pk,
    )


def _database(pair: _Pair) -> Check:
    label = "Database"
    for server in pair.servers:
        found = next(s.status for s in pair.services[server.pk] if s.name == DATABASE)
        if found != ServiceStatus.STARTED:
            what = "cannot be read" if found == ServiceStatus.UNKNOWN else "does not run"
            effect = (
                f"Without its database {server.name} can neither serve nor take over users: "
                "Database Failure."
            )
            sentence = f"{DATABASE} {what} on {server.name}."
            return Check(
                label, Result.FAILED, sentence, "", effect, Where.NETWORK_SERVICES, server.pk
            )
    return Check(label, Result.PASSED, f"{DATABASE} runs on both nodes.")


def _version(pair: _Pair) -> Check:
    label = "Software version"
    first, second = pair.servers
    if not (first.version and second.version):
        bare = first if not first.version else second
        sentence = f"Nobody has said which version {bare.name} runs."
        return Check(label, Result.UNKNOWN, sentence, "", "", Where.SERVER, bare.pk)
    if first.version == second.version:
        return Check(label, Result.PASSED, f"Both nodes run {first.version}.")
    sentence = (
        f"{first.name} runs {first.version}, {second.name} runs {second.version}; "
        "the nodes of a group must run the same."
    )
    effect = "A pair of unequal versions is not supported by the vendor; nobody can say how it fails over."
    return Check(label, Result.FAILED, sentence, "", effect, Where.SERVER, second.pk)


def _must_match(pair: _Pair) -> Check:
    label = "Parameters that must match"
    differing = [row for row in parameters.of_pair(pair.group) if not row.matches]
    if not differing:
        return Check(label, Result.PASSED, "Both nodes have the same re-login limits.")
    names = ", ".join(f"{row.parameter.name} ({' and '.join(row.values)})" for row in differing)
    effect = "Clients come back at another pace after a failover than after the fallback."
    return Check(label, Result.FAILED, f"They differ: {names}.", "", effect, Where.MUST_MATCH)


def _capacity(pair: _Pair) -> Iterator[Check]:
    """Yield of each node whether it can carry the users of both."""
    users = sum(login_profile.assigned(list(pair.servers)).values())
    for server in pair.servers:
        label = f"Capacity of {server.name}"
        if server.node_size is None:
            sentence = f"Nobody has said for how many users {server.name} is made."
            yield Check(label, Result.UNKNOWN, sentence, "", "", Where.LOGIN_PROFILE)
        elif users <= server.node_size:
            sentence = f"It is made for {server.node_size:,} users; the group has {users:,}."
            yield Check(label, Result.PASSED, sentence)
        else:
            yield Check(
                label,
                Result.FAILED,
                f"It is made for {server.node_size:,} users; the group has {users:,}.",
                "",
                f"After a failover to {server.name} it carries {users:,} users, more than it is made for.",
                Where.LOGIN_PROFILE,
            )
