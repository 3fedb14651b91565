"""What to look at before High Availability is enabled, and what will happen when it is not mended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redundancy import bus, clock
from redundancy.catalog import DATABASE, SERVICE_BY_NAME, ServiceKind
from redundancy.drivers import Observation, get_driver
from redundancy.fingerprint import fingerprint
from redundancy.models import FaultKind, RedundancyGroup, Server, ServiceStatus
from redundancy.models.fault import OF_LINK
from redundancy.planned.reads import before_ha
from redundancy.planned.reads.check import Check, Result, Where
from redundancy.planned.reads.sessions import back_on
from redundancy.selectors import faults, observing, parameters, wording
from redundancy.selectors import policy as policies
from redundancy.selectors.access import missing_services, without_clients
from redundancy.selectors.deployed import conditional
from redundancy.selectors.servers import users_of
from redundancy.srm import facts as srm_facts
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Policy
from redundancy.srm.words import listed, say, together


@dataclass(frozen=True, slots=True)
class Preflight:
    """All checks of a pair. ``waits_for_sessions``: whether some are not back after a restart or a move.

    ``note``: what is worth knowing, and no check.
    """

    checks: tuple[Check, ...]
    waits_for_sessions: bool
    note: str = ""

    @property
    def failed(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.result is Result.FAILED]

    @property
    def warnings(self) -> list[str]:
        """What failed, and what will come of it when HA is enabled all the same."""
        return [
            together([say("{check}:", check=check.label), check.sentence, check.effect])
            for check in self.failed
        ]

    @property
    def summary(self) -> str:
        """The checks in a sentence."""
        count, failed = len(self.checks), len(self.failed)
        unknown = sum(check.result is Result.UNKNOWN for check in self.checks)
        if failed:
            return say("Preflight: {failed} of {count} checks failed.", failed=failed, count=count)
        if unknown:
            return say(
                "Preflight: no check failed, {unknown} of {count} not known.",
                unknown=unknown,
                count=count,
            )
        return say("Preflight: all {count} checks passed.", count=count)

    @property
    def version(self) -> str:
        """The version of the region that shows them, which stands on the page of another one, too."""
        return fingerprint(self)


@dataclass(frozen=True, slots=True)
class _Pair:
    """What the checks of a pair look at."""

    group: RedundancyGroup
    servers: tuple[Server, Server]
    services: Mapping[int, Sequence[Observation]]
    policy: Policy

    def peer(self, server: Server) -> Server:
        """Return the other one."""
        first, second = self.servers
        return second if server == first else first

    def down(self, server: Server) -> list[Observation]:
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
    missing = missing_services([server.pk for server in servers])
    unused = without_clients(list(missing)) if missing else set()
    checks += [
        before_ha.without_logins(server)
        if server.pk in unused
        else before_ha.logins_possible(server, missing.get(server.pk, ()))
        for server in servers
    ]
    checks += [before_ha.deployed_evenly(each) for each in conditional(servers, pair.services)]
    checks += [
        _database(pair),
        before_ha.replication_set_up(pair.servers),
        _version(pair),
        _must_match(pair),
    ]
    sessions = back_on(servers, pair.services)
    users = sum(users_of(server.pk for server in servers).values())
    checks += [before_ha.sessions_are_back(back) for back in sessions]
    return Preflight(
        (
            *checks,
            *before_ha.capacity_for(servers, users),
            before_ha.supported_users(group, users),
            before_ha.guide_services(servers, pair.services),
        ),
        any(back.missing for back in sessions),
        _mixed(group),
    )


def _mixed(group: RedundancyGroup) -> str:
    """Return that other pairs have no High Availability, where that is so."""
    others = RedundancyGroup.objects.exclude(pk=group.pk).filter(ha_enabled=False, servers__slot=2)
    if not others.exists():
        return ""
    return say(
        "Other groups have no High Availability. Groups with and without it may be mixed in a cluster; it "
        "is not recommended."
    )


def _srm(pair: _Pair, server: Server) -> Check:
    label = say("Server Recovery Manager of {server}", server=server.name)
    if wording.reports(server):
        return Check(
            label,
            Result.PASSED,
            say("{server} is powered on, and its SRM runs.", server=server.name),
        )
    peer = pair.peer(server)
    if not server.machine.powered:
        sentence = (
            say("{server} is restarting.", server=server.name)
            if server.machine.boots_at
            else say("{server} is powered off.", server=server.name)
        )
    else:
        sentence = say("{why}.", why=wording.why_silent(server))
    if not wording.reports(peer):
        effect = say("Both nodes stay as they are until one of the SRMs runs.")
    elif pair.down(peer):
        effect = say(
            "{peer} waits for {server}, and serves nobody else: its own services do not run.",
            peer=peer.name,
            server=server.name,
        )
    else:
        effect = say(
            "{peer} waits {limit:g} s for {server}, then takes everybody over: {state}, {reason}.",
            peer=peer.name,
            limit=pair.policy.initialization_timeout,
            server=server.name,
            state=State.BACKUP,
            reason=Reason.PEER_DOWN_DURING_INITIALIZATION,
        )
    return Check(label, Result.FAILED, sentence, effect, Where.NETWORK_SERVICES, server.pk)


def _heartbeats(pair: _Pair) -> Check:
    label = say("Heartbeats between the nodes")
    try:
        age = bus.sweep_age()
    except bus.BusError:
        age = None
    seen = observing.observer()
    if not seen.ok:
        effect = say("Nothing happens until sweeps run again: both nodes wait.")
        return Check(label, Result.FAILED, seen.sentence, effect, Where.BEAT_MONITOR)
    swept = say("The last sweep was {age:.1f} s ago.", age=age) if age is not None else ""
    broken = faults.in_force()
    told = together(
        f.sentence for f in faults.active() if f.pair_id == pair.group.pk and f.kind in OF_LINK
    )
    late = broken[FaultKind.DELAY].get(pair.group.pk, 0) >= pair.policy.heartbeat_timeout
    lost = broken[FaultKind.LOSS].get(pair.group.pk, 0) >= 100
    mute = [server for server in pair.servers if server.pk in broken[FaultKind.CUT]]
    if late or lost or mute:
        after = say("after {limit:g} s", limit=pair.policy.initialization_timeout)
        if len(mute) == 1 and not (late or lost):
            deaf = pair.peer(mute[0]).name
            effect = say(
                "{deaf} does not hear {mute}, and takes everybody over {after}.",
                deaf=deaf,
                mute=mute[0].name,
                after=after,
            )
        else:
            effect = say(
                "Each node takes the other for dead {after}, and one serves everybody; once they hear "
                "each other both show Split Brain.",
                after=after,
            )
        return Check(label, Result.FAILED, told, effect, Where.FAULT_LAB, figure=swept)
    if told:
        return Check(label, Result.UNKNOWN, told, "", Where.FAULT_LAB, figure=swept)
    if silent := [server for server in pair.servers if not wording.reports(server)]:
        # What it means is said with its SRM.
        sentence = say(
            "It cannot be seen whether the nodes hear each other: {silent}.",
            silent=together((wording.why_silent(server) for server in silent), "; "),
        )
        return Check(label, Result.UNKNOWN, sentence, figure=swept)
    if not pair.group.ha_enabled:
        sentence = say(
            "The heartbeat bus answers, the nodes are looked at, and no fault of the link is "
            "known. Heartbeats themselves flow only while High Availability is on."
        )
        return Check(label, Result.PASSED, sentence, figure=swept)
    return _heard(pair, label)


def _heard(pair: _Pair, label: str) -> Check:
    """Return how long ago each node heard the other."""
    now = clock.lab_now()
    ages, deaf, overdue = {}, [], []
    for server in pair.servers:
        memory = node_from_json(server.runtime.memory) if server.runtime.memory else None
        if memory is None or memory.generation != pair.group.ha_generation:
            # High Availability was switched on a moment ago: what it remembers is of another time.
            deaf.append(server.name)
            continue
        if memory.peer is not None:
            ages[server] = max(0.0, now - memory.peer_at)
        if not srm_facts.peer_heard(memory, now, pair.policy):
            deaf.append(server.name)
        elif srm_facts.late(memory, now, pair.policy):
            overdue.append(server.name)
    figure = together(
        say(
            "{server} heard {peer} {age:.0f} s ago.",
            server=server.name,
            peer=pair.peer(server).name,
            age=age,
        )
        for server, age in ages.items()
    )
    if overdue and not deaf:
        sentence = say("A heartbeat is overdue at {overdue}.", overdue=listed(overdue))
        return Check(label, Result.UNKNOWN, sentence, figure=figure)
    if not deaf:
        return Check(label, Result.PASSED, say("Both nodes hear each other."), figure=figure)
    effect = say("A node that does not hear the other takes it for dead and takes over.")
    sentence = say("The peer is not heard by {deaf}.", deaf=listed(deaf))
    return Check(label, Result.FAILED, sentence, effect, Where.BEAT_MONITOR, figure=figure)


def _services(pair: _Pair, server: Server) -> Check:
    label = say("Monitored services of {server}", server=server.name)
    if not server.machine.powered:
        # What it means is said with its SRM.
        sentence = say("They cannot be read: {server} is powered off.", server=server.name)
        return Check(label, Result.UNKNOWN, sentence, "", Where.NETWORK_SERVICES, server.pk)
    down = pair.down(server)
    if not down:
        number = sum(service.monitored for service in pair.services[server.pk])
        return Check(label, Result.PASSED, say("All {number} run.", number=number))
    peer, delay = pair.peer(server), f"{pair.policy.critical_service_delay:g} s"
    if pair.down(peer):
        effect = say(
            "Services are down on both nodes: both go to {failed} after {delay}.",
            failed=State.FAILED,
            delay=delay,
        )
    elif not wording.reports(peer):
        effect = say("{server} has nobody to fail over to.", server=server.name)
    else:
        effect = say(
            "{server} fails over to {peer} once a service has been down for {delay}.",
            server=server.name,
            peer=peer.name,
            delay=delay,
        )
    network = any(SERVICE_BY_NAME[service.name].kind is ServiceKind.NETWORK for service in down)
    return Check(
        label,
        Result.FAILED,
        say("Not running: {services}.", services=", ".join(service.name for service in down)),
        effect,
        Where.NETWORK_SERVICES if network else Where.FEATURE_SERVICES,
        server.pk,
    )


def _database(pair: _Pair) -> Check:
    label = say("Database")
    for server in pair.servers:
        found = next(s.status for s in pair.services[server.pk] if s.name == DATABASE)
        if found != ServiceStatus.STARTED:
            effect = say(
                "Without its database {server} can neither serve nor take over users: Database Failure.",
                server=server.name,
            )
            names = {"database": DATABASE, "server": server.name}
            sentence = (
                say("{database} cannot be read on {server}.", **names)
                if found == ServiceStatus.UNKNOWN
                else say("{database} does not run on {server}.", **names)
            )
            return Check(label, Result.FAILED, sentence, effect, Where.NETWORK_SERVICES, server.pk)
    return Check(label, Result.PASSED, say("{database} runs on both nodes.", database=DATABASE))


def _version(pair: _Pair) -> Check:
    label = say("Software version")
    first, second = pair.servers
    if not (first.version and second.version):
        bare = first if not first.version else second
        sentence = say("The software version of {bare} is not set.", bare=bare.name)
        return Check(label, Result.UNKNOWN, sentence, "", Where.SERVER, bare.pk)
    if first.version == second.version:
        return Check(label, Result.PASSED, say("Both nodes run {version}.", version=first.version))
    sentence = say(
        "{first} runs {version}, {second} runs {version2}; the nodes of a group must run the same.",
        first=first.name,
        version=first.version,
        second=second.name,
        version2=second.version,
    )
    effect = say(
        "A pair of unequal versions is not supported by the vendor; nobody can say how it "
        "fails over. During an upgrade High Availability stays off until all nodes run the same version "
        "and the users are back."
    )
    return Check(label, Result.FAILED, sentence, effect, Where.SERVER, second.pk)


def _must_match(pair: _Pair) -> Check:
    label = say("Parameters that must match")
    differing = [row for row in parameters.of_pair(pair.servers) if not row.matches]
    if not differing:
        return Check(label, Result.PASSED, say("Both nodes have the same re-login limits."))
    names = together(
        (
            say(
                "{parameter} ({values})",
                parameter=row.parameter.name,
                values=listed(value for _, value in row.cells),
            )
            for row in differing
        ),
        ", ",
    )
    effect = say("Clients come back at another pace after a failover than after the fallback.")
    return Check(
        label, Result.FAILED, say("They differ: {names}.", names=names), effect, Where.MUST_MATCH
    )
