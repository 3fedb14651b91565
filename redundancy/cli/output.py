"""What the commands print: from values to lines."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from redundancy.models import Server, ServiceStatus
from redundancy.selectors.live import GroupLive, NodeRow
from redundancy.selectors.services import ServiceRow
from redundancy.srm.states import State

# The CLI has a shorter word for this state than the pages.
_SHORT = {State.FAILED.value: "Failed"}
# Where the reason says nothing that the state does not.
_NO_REASON = {State.NORMAL.value}
_REQUEST_DONE = "Request SUCCESSFUL."
_NOTES = {
    ServiceStatus.STOPPED: "Commanded Out of Service",
    ServiceStatus.NOT_ACTIVATED: "Service Not Activated",
    ServiceStatus.UNKNOWN: "Node Powered Off",
}


def ha_status(group: GroupLive) -> list[str]:
    """Return the state of a group's nodes."""
    nodes = [_node(number, row) for number, row in enumerate(group.rows, start=1)]
    return [f"Subcluster Name: {group.name}", *nodes]


def _node(number: int, row: NodeRow) -> str:
    line = f"Node {number} Name : {row.name} State: {_SHORT.get(row.state, row.state)}"
    return line if row.state in _NO_REASON or not row.reason else f"{line} Reason: {row.reason}"


def requested(what: str, of: str, name: str) -> list[str]:
    """Return what follows an accepted request."""
    return [f"Initiate {what} for {of} >{name}<", _REQUEST_DONE]


def services(server: Server, rows: Iterable[ServiceRow]) -> list[str]:
    """Return the services of a node, one a line."""
    return [f"Node Name : {server.name}", *(service(row) for row in rows)]


def service(row: ServiceRow) -> str:
    """Return one service with its status."""
    note = _NOTES.get(row.status, "")
    status = "STOPPED" if row.status == ServiceStatus.NOT_ACTIVATED else row.status.upper()
    return f"{row.name}[{status}]  {note}".rstrip()


def cluster(servers: Iterable[Server]) -> list[str]:
    """Return the servers of the cluster as a table."""
    rows = [
        (
            server.name,
            server.get_server_type_display(),
            "Publisher" if server.is_publisher else ("Subscriber" if _is_node(server) else "-"),
            server.group.name if server.group else "-",
            _power(server),
        )
        for server in servers
    ]
    return table(("name", "type", "database", "group", "power"), rows)


def _is_node(server: Server) -> bool:
    return hasattr(server, "machine")


def _power(server: Server) -> str:
    if not _is_node(server):
        return "-"
    machine = server.machine
    if machine.powered:
        return (
            f"on since {machine.up_since:%Y-%m-%d %H:%M:%S} (lab time)"
            if machine.up_since
            else "on"
        )
    return "restarting" if machine.boots_at else "off"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return rows below their column names, underlined with ``=``."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [
        max([len(column), *(len(row[number]) for row in cells)])
        for number, column in enumerate(columns)
    ]
    lines = [list(columns), ["=" * width for width in widths], *cells]
    return [
        " ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, float | Decimal):
        # The databases differ in type and digits: both print 2.5, and 3 for 3.0.
        return f"{float(value):.12g}"
    return "".join(c if c.isprintable() else " " for c in str(value))
