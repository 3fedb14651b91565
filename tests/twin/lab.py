"""Labs of the tests: told by their own command line, read again, and described so that two can be compared."""

import io
from typing import Any

from redundancy.cli.grammar import Session, Style
from redundancy.cli.run import run
from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import Reading, read_source
from redundancy.cluster.reader.sources import Source
from redundancy.cluster.snapshot import Snapshot
from redundancy.models import (
    ConfiguredFunction,
    EnterpriseParameter,
    Machine,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServerType,
    ServiceParameter,
)

WHOLE = (
    "utils ha status",
    "run sql select * from enterprisesubcluster",
    "run sql select * from enterprisenode",
    "run sql select * from processnode",
    "run sql select * from processconfig",
    "run sql select * from enduser",
    "show network cluster",
)
OF_NODE = ("utils service list {node}", "show version active {node}")


def transcript(style: Style = Style.GUIDE) -> str:
    """The terminal log of a session that asks the lab for all that it tells."""
    nodes = Server.objects.filter(server_type=ServerType.IMP).values_list("name", flat=True)
    lines = [*WHOLE, *(each.format(node=node) for node in nodes for each in OF_NODE)]
    text = ""
    for line in lines:
        shown = run(line, actor="tester", warn=lambda _: None, session=Session(style))
        text += f"admin:{line}\n" + "".join(f"{each}\n" for each in shown) + "\n"
    return text


def read(text: str) -> Snapshot:
    """The one snapshot of a text."""
    reading = Reading()
    read_source(Source("log", io.BytesIO(text.encode())), reading)
    (snapshot,) = assemble(reading)
    return snapshot


def described() -> dict[str, Any]:
    """All of the lab that a collection tells."""
    return {
        "groups": {
            group.name: (
                group.ha_enabled,
                [server.name for server in group.servers.order_by("slot")],
            )
            for group in RedundancyGroup.objects.all()
        },
        "servers": {
            server.name: (
                server.server_type,
                server.is_publisher,
                server.group and server.group.name,
                server.version if server.server_type == ServerType.IMP else "",
            )
            for server in Server.objects.select_related("group")
        },
        "machines": set(Machine.objects.values_list("server__name", "powered", "srm_running")),
        "services": set(
            NodeService.objects.values_list("server__name", "name", "activated", "running")
        ),
        "parameters": set(ServiceParameter.objects.values_list("key", "server__name", "value")),
        "enterprise": set(EnterpriseParameter.objects.values_list("key", "value")),
        "functions": set(ConfiguredFunction.objects.values_list("key", flat=True)),
        "users": set(PresenceUser.objects.values_list("userid", "home__name")),
        "sessions": set(PresenceSession.objects.values_list("user__userid", "node__name")),
    }
