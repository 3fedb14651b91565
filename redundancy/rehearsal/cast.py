"""Two servers of the running system that are there for one rehearsal: made before it, removed after it."""

import re
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from redundancy.catalog import CLIENT_PARAMETERS, PARAMETER_BY_KEY, PARAMETERS
from redundancy.faultlab import writes as faults
from redundancy.functions import FUNCTION_BY_KEY
from redundancy.models import PresenceUser, RedundancyGroup, Server, ServerType
from redundancy.operations import activation, functions, groups, servers, users
from redundancy.parameters.writes import enterprise, parameters
from redundancy.rehearsal.scenario import Scenario
from redundancy.selectors import enterprise as enterprise_values
from redundancy.selectors import parameters as values
from redundancy.selectors.functions import configured as configured_functions

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
            group = self._make_group(*made.values())
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
        # Only now: what was refused on the way made nothing that would have to be removed.
        self.group = group
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
    """The parameters of the running system, and how clients are, while a rehearsal uses its own."""

    def __init__(self) -> None:
        self._before = values.texts()
        clients = enterprise_values.values()
        self._clients_before = {each.key: clients[each.key] for each in CLIENT_PARAMETERS}

    def use(self, scenario: Scenario) -> None:
        """Let the defaults hold, and what the scenario says."""
        mine = {p.key: p.default for p in PARAMETERS if not p.per_node}
        mine |= {key: text for key, text in scenario.parameters.items() if key in mine}
        parameters.set_parameters(values=mine, actor=ACTOR)
        clients = {each.key: each.default for each in CLIENT_PARAMETERS} | dict(scenario.clients)
        enterprise.set_enterprise_parameters(values=clients, actor=ACTOR)

    def restore(self) -> None:
        """Let those hold again that held before."""
        parameters.set_parameters(values=self._before, actor=ACTOR)
        enterprise.set_enterprise_parameters(values=self._clients_before, actor=ACTOR)


def server_named(name: str) -> Server:
    """Return a server as it is now, with its group."""
    return Server.objects.select_related("group").get(name=name)


class Functions:
    """The functions that the running system has configured while a rehearsal may configure others."""

    def __init__(self) -> None:
        self._before = configured_functions()

    def restore(self) -> None:
        """Let those be configured again that were before."""
        before = {key: key in self._before for key in FUNCTION_BY_KEY}
        functions.set_functions(configured=before, actor=ACTOR)


def activate(*, server: Server, name: str, actor: str) -> None:
    """Activate a service, and configure the function that it carries."""
    with transaction.atomic():
        functions.configure_service(name=name, actor=actor)
        activation.set_activated(server=server, name=name, activated=True, actor=actor)


def set_on(*, nodes: Iterable[Server], key: str, value: str, actor: str) -> None:
    """Set a parameter: of the cluster, or of both nodes if each has its own."""
    if key not in PARAMETER_BY_KEY:
        enterprise.set_enterprise_parameters(values={key: value}, actor=actor)
        return
    owners = nodes if PARAMETER_BY_KEY[key].per_node else [None]
    with transaction.atomic():
        for server in owners:
            parameters.set_parameter(key=key, value=value, server=server, actor=actor)
