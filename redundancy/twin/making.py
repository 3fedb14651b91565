"""Make the rows of a planned lab, in a number of statements that does not depend on its users one by one."""

from collections.abc import Mapping

from redundancy.catalog import PARAMETER_BY_KEY, SRM
from redundancy.clock import lab_datetime
from redundancy.cluster.lab_plan import Plan, PlannedServer
from redundancy.models import (
    ConfiguredFunction,
    EnterpriseParameter,
    EventKind,
    HaEvent,
    Machine,
    NodeRuntime,
    NodeService,
    PresenceUser,
    RedundancyGroup,
    ReloginLimits,
    Server,
    ServerType,
    ServiceParameter,
)
from redundancy.models.bulk import insert
from redundancy.operations import events
from redundancy.operations.records import record_assignment
from redundancy.operations.sessions import session_at_login
from redundancy.selectors.limits import KEYS as RELOGIN_KEYS
from redundancy.srm.words import say
from redundancy.twin.playing import begin_as_told

_Servers = Mapping[str, Server]


def make(plan: Plan, *, now: float, as_told: bool) -> None:
    """Make the lab; its tables are empty. ``now``: lab time; ``as_told``: see ``apply_cluster``."""
    groups = _groups(plan)
    servers = _servers(plan, groups)
    _machines(plan, servers, now)
    _parameters(plan, servers)
    begun = [each for each in plan.groups if as_told and each.as_told]
    holders = {group.name: servers[group.holder] for group in begun if group.holder}
    _users(plan, servers, groups, holders, now)
    HaEvent.objects.bulk_create(
        events.event(
            kind=EventKind.ADMIN,
            sentence=say("High Availability of {group} was enabled.", group=each.name),
            group=groups[each.name],
            at=now,
            epoch=groups[each.name].epoch,
            inputs={"ha_enabled": True},
        )
        for each in plan.groups
        if each.ha
    )
    begin_as_told(plan, begun, groups, servers, now)


def _groups(plan: Plan) -> dict[str, RedundancyGroup]:
    made = RedundancyGroup.objects.bulk_create(
        RedundancyGroup(name=each.name, ha_enabled=each.ha, ha_generation=int(each.ha))
        for each in plan.groups
    )
    return {group.name: group for group in made}


def _servers(plan: Plan, groups: Mapping[str, RedundancyGroup]) -> dict[str, Server]:
    made = Server.objects.bulk_create(
        Server(
            name=each.name,
            server_type=ServerType.IMP if each.presence else ServerType.CUCM,
            ipv4_address=each.address or None,
            domain=each.domain,
            is_publisher=each.publisher,
            group=groups[each.group] if each.group is not None else None,
            slot=each.slot,
            # Of a server of CUCM none is told; it has that of a new one.
            **({"version": each.version} if each.version else {}),
        )
        for each in plan.servers
    )
    return {server.name: server for server in made}


def _machines(plan: Plan, servers: _Servers, now: float) -> None:
    moment = lab_datetime(now)
    Machine.objects.bulk_create(
        Machine(
            server=servers[each.name],
            powered=each.powered,
            srm_running=each.powered and each.srm_running,
            up_since=moment if each.powered else None,
        )
        for each in plan.nodes
    )
    insert(
        NodeService(
            server=servers[each.name],
            name=name,
            activated=service.activated,
            running=each.powered and _runs(each, name),
            since=moment,
        )
        for each in plan.nodes
        for name, service in each.services.items()
    )
    NodeRuntime.objects.bulk_create(
        NodeRuntime(server=servers[each.name], since=now) for each in plan.nodes
    )


def _runs(server: PlannedServer, name: str) -> bool:
    return server.srm_running if name == SRM else server.services[name].running


def _parameters(plan: Plan, servers: _Servers) -> None:
    ServiceParameter.objects.bulk_create(
        [
            *(ServiceParameter(key=key, value=value) for key, value in plan.parameters.items()),
            *(
                ServiceParameter(key=key, value=value, server=servers[each.name])
                for each in plan.nodes
                for key, value in each.parameters.items()
            ),
        ]
    )
    EnterpriseParameter.objects.bulk_create(
        EnterpriseParameter(key=key, value=value) for key, value in plan.enterprise.items()
    )
    ConfiguredFunction.objects.bulk_create(ConfiguredFunction(key=key) for key in plan.functions)
    # From the beginning of time: nobody has limits of before.
    ReloginLimits.objects.bulk_create(
        ReloginLimits(server=servers[each.name], at=0, lower=lower, upper=upper)
        for each in plan.nodes
        if each.parameters.keys() & set(RELOGIN_KEYS)
        for lower, upper in [[int(_limit(each, key)) for key in RELOGIN_KEYS]]
    )


def _limit(server: PlannedServer, key: str) -> str:
    return server.parameters.get(key, PARAMETER_BY_KEY[key].default)


def _users(
    plan: Plan,
    servers: _Servers,
    groups: Mapping[str, RedundancyGroup],
    holders: Mapping[str, Server],
    now: float,
) -> None:
    """Make the users, each logged in where its group serves it: at the node it is assigned to, or at the holder."""
    users = insert(
        PresenceUser(
            userid=each.name,
            im_address=each.address,
            home=servers[each.node] if each.node else None,
        )
        for each in plan.users
    )
    names = {group.pk: group.name for group in groups.values()}
    serving: dict[int | None, int] = {}
    for server in servers.values():
        holder = holders.get(names.get(server.group_id or 0, ""))
        serving[server.pk] = (holder or server).pk
    insert(
        session_at_login(user, serving[user.home_id], now)
        for user in users
        if user.home_id is not None
    )
    record_assignment(((user.pk, user.home_id) for user in users if user.home_id), now)
