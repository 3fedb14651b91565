"""Two servers of the running system that are there for one rehearsal: made before it, removed after it."""

import re
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETERS, SERVICE_BY_NAME, Watch
from redundancy.faultlab import writes as faults
from redundancy.models import PresenceUser, RedundancyGroup, Server, ServerType
from redundancy.operations import groups, servers, services, users
from redundancy.parameters.writes import parameters
from redundancy.rehearsal.scenario import Scenario
from redundancy.selectors import parameters as values

ACTOR = "rehearsal"
DOMAIN = "rehearsal.example.com"
# Below the number of parameters a statement may have on every database.
_CHUNK = 5000


class Cast:
    """The servers, the group and the users of a scenario. ``suffix`` makes their names its own."""

    def __init__(self, scenario: Scenario, suffix: str = "") -> None:
        self.scenario = scenario
        self.names = {name: f"{name}{suffix}" for name in scenario.nodes}
        first = self.names[scenario.nodes[0]]
        self._group_name = f"rehearsal-{re.sub(r'[^A-Za-z0-9_-]', '-', first)}"
        self.group: RedundancyGroup | None = None

    def make(self) -> dict[str, Server]:
        """Make everything, and return the servers by the names of the scenario; Refused where a name is taken."""
        with transaction.atomic():
            made = {
                name: servers.add_server(
                    name=real,
                    server_type=ServerType.IMP,
                    description="Made for a rehearsal",
                    domain=DOMAIN,
                    actor=ACTOR,
                )
                for name, real in self.names.items()
            }
            self.group = self._make_group(*made.values())
            for name, server in made.items():
                for service in self.scenario.services[name]:
                    activate(server=server, name=service, actor=ACTOR)
                # Before anybody logs in: clients keep the limits of their login.
                parameters.set_parameters(values=self._limits(), server=server, actor=ACTOR)
            users.add_users(
                rows=[
                    (user, user, f"{user}@{DOMAIN}", server)
                    for name, server in made.items()
                    for number in range(self.scenario.users[name])
                    for user in [f"{server.name}.{number:06}"]
                ],
                actor=ACTOR,
            )
        return {name: server_named(real) for name, real in self.names.items()}

    def _limits(self) -> dict[str, str]:
        """Return the parameters of the scenario that each node has for itself."""
        given = self.scenario.parameters.items()
        return {key: value for key, value in given if PARAMETER_BY_KEY[key].per_node}

    def _make_group(self, first: Server, second: Server) -> RedundancyGroup:
        if first.group is None:
            return groups.add_group(name=self._group_name, first=first, second=second, actor=ACTOR)
        # The first node of a system brings its group with it.
        return groups.edit_group(
            group=first.group,
            name=self._group_name,
            description=first.group.description,
            first=first,
            second=second,
            actor=ACTOR,
        )

    def remove(self) -> None:
        """Remove everything that was made."""
        if self.group is None:
            return
        group = self.group
        if settings.FAULT_LAB:
            faults.clear(group=group, actor=ACTOR)
        groups.disable_ha(group=group, actor=ACTOR)
        members = list(Server.objects.filter(group=group).order_by("-slot"))
        mine = PresenceUser.objects.filter(home__in=members)
        while some := list(mine[:_CHUNK]):
            users.delete_users(users=some, actor=ACTOR)
        groups.delete_group(group=group, actor=ACTOR)
        for server in members:
            servers.delete_server(server=server_named(server.name), actor=ACTOR)
        self.group = None


class Parameters:
    """The parameters of the running system while a rehearsal uses its own."""

    def __init__(self) -> None:
        self._before = values.texts()

    def use(self, scenario: Scenario) -> None:
        """Let the defaults hold, and what the scenario says."""
        mine = {p.key: p.default for p in PARAMETERS if not p.per_node}
        mine |= {key: text for key, text in scenario.parameters.items() if key in mine}
        parameters.set_parameters(values=mine, actor=ACTOR)

    def restore(self) -> None:
        """Let those hold again that held before."""
        parameters.set_parameters(values=self._before, actor=ACTOR)


def server_named(name: str) -> Server:
    """Return a server as it is now, with its group."""
    return Server.objects.select_related("group").get(name=name)


def activate(*, server: Server, name: str, actor: str) -> None:
    """Activate a service, and configure the function behind it."""
    if SERVICE_BY_NAME[name].watch is Watch.IF_CONFIGURED:
        services.set_configured(server=server, name=name, configured=True, actor=actor)
    services.set_activated(server=server, name=name, activated=True, actor=actor)


def set_on(*, nodes: Iterable[Server], key: str, value: str, actor: str) -> None:
    """Set a parameter: of the cluster, or of both nodes if each has its own."""
    owners = nodes if PARAMETER_BY_KEY[key].per_node else [None]
    with transaction.atomic():
        for server in owners:
            parameters.set_parameter(key=key, value=value, server=server, actor=actor)
