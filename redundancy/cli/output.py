"""What the commands print: from values to lines."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from redundancy.catalog import SRM
from redundancy.cli.grammar import Style
from redundancy.columns import aligned, printable
from redundancy.models import Server, ServiceStatus
from redundancy.selectors.live import GroupLive, NodeRow
from redundancy.selectors.replication import GOOD, NOT_SET_UP, NodeReplication
from redundancy.selectors.services import ServiceRow
from redundancy.srm.states import SHORT, State

# Where the reason says nothing that the state does not.
_NO_REASON = {State.NORMAL.value}
_REQUEST_DONE = "Request SUCCESSFUL."
_SERVICES_STOP = "Shutting down Service Manager. Please wait..."
_NOTES = {
    ServiceStatus.STOPPED: "Commanded Out of Service",
    ServiceStatus.NOT_ACTIVATED: "Service Not Activated",
    ServiceStatus.UNKNOWN: "Node Powered Off",
}


def ha_status(group: GroupLive, style: Style) -> list[str]:
    """Return the state of a group's nodes."""
    made = _in_the_field if style is Style.FIELD else _in_the_guide
    nodes = [line for number, row in enumerate(group.rows, start=1) for line in made(number, row)]
    return [f"Subcluster Name: {group.name}", *nodes]


def _in_the_guide(number: int, row: NodeRow) -> list[str]:
    line = f"Node {number} Name : {row.name} State: {SHORT.get(row.state, row.state)}"
    return [line if row.state in _NO_REASON or not row.reason else f"{line} Reason: {row.reason}"]


def _in_the_field(number: int, row: NodeRow) -> list[str]:
    # State and reason are always said there.
    lines = (f"Name: {row.name}", f"State: {row.state}", f"Reason: {row.reason or row.state}")
    return [f"Node {number}", *(f"\t{line}" for line in lines)]


def requested(what: str, node: str) -> list[str]:
    """Return what follows an accepted request."""
    return [f"Initiate {what} for Node >{node}<", _REQUEST_DONE]


def recovered(*, started: bool) -> list[str]:
    """Return what follows a recovery; ``started``: whether the critical services of both nodes run."""
    return [
        "Stopping services... Stopped",
        f"Starting services... {'Started' if started else 'Requested'}",
    ]


def services(server: Server, rows: Iterable[ServiceRow]) -> list[str]:
    """Return the services of a node, one a line."""
    return [f"Node Name : {server.name}", *(service(row) for row in rows)]


def service(row: ServiceRow) -> str:
    """Return one service with its status."""
    # Its process may be silent on a node that is on.
    silent = row.name == SRM and row.status == ServiceStatus.UNKNOWN
    note = "Not Responding" if silent else _NOTES.get(row.status, "")
    status = "STOPPED" if row.status == ServiceStatus.NOT_ACTIVATED else row.status.upper()
    return f"{row.name}[{status}]  {note}".rstrip()


def progress(server: Server, act: str, after: ServiceRow, *, ran: bool) -> Iterator[str]:
    """Yield what a service went through: one a line, the last as it is now.

    ``act``: start, stop or restart; ``ran``: whether it ran before, so that it had to be stopped.
    """
    through = []
    if ran and act != "start":
        through += [ServiceStatus.STOPPING, ServiceStatus.STOPPED]
    if act == "restart" or (act == "start" and not ran):
        through += [ServiceStatus.STARTING, ServiceStatus.STARTED]
    yield "Service Manager is running"
    yield f"Node Name : {server.name}"
    for status in through[:-1]:
        if status != after.status:
            yield service(replace(after, status=status))
    yield service(after)


def restarting() -> list[str]:
    """Return what is said while a node restarts."""
    minutes = math.ceil(settings.LAB_REBOOT_SECONDS / 60)
    return [
        "Appliance is being Restarted ...",
        f"Warning: Restart could take up to {minutes} minutes.",
        _SERVICES_STOP,
        "The system is going down for reboot NOW!",
    ]


def shutting_down() -> list[str]:
    """Return what is said while a node shuts down."""
    return [
        "Appliance is being Powered - Off ...",
        _SERVICES_STOP,
        "The system is going down for halt NOW!",
    ]


def replication(now: datetime, nodes: Sequence[NodeReplication]) -> list[str]:
    """Return the replication of the nodes, in the columns of the field: scripts look for ``(2)``."""
    words = {None: "(-) Off-Line", GOOD: "(2) Setup Completed", NOT_SET_UP: "(0) Not Set Up"}
    heads = (
        ("", "", "DB/RPC/", "REPL.", "Replication", "REPLICATION SETUP"),
        ("SERVER-NAME", "ROLE", "DbMon?", "QUEUE", "Group ID", "(RTMT) & Details"),
    )
    rows = [
        (
            node.server.name,
            "Publisher" if node.server.is_publisher else "Subscriber",
            "N/N/N" if node.value is None else "Y/Y/Y",
            "-" if node.value is None else "0",
            f"(g_{number})",
            words[node.value],
        )
        for number, node in enumerate(nodes, start=2)
    ]
    widths = [max(len(row[column]) for row in (*heads, *rows)) for column in range(6)]
    lines = [*heads, tuple("-" * width for width in widths), *rows]
    return [
        f"Server Time: {now:%Y-%m-%d %H:%M:%S} (lab time)",
        "",
        f"Cluster Detailed View ({len(rows)} Servers):",
        "",
        *("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines),
    ]


def perf(server: Server, said: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield what a node says of performance counters: of what, and line by line."""
    yield f"Node Name : {server.name}"
    yield said
    yield from lines


def files(rows: Sequence[tuple[str, datetime, int | None]]) -> Iterator[str]:
    """Yield files and folders in two columns: names, times, sizes in bytes (of a folder none)."""
    cells = [name if size is not None else f"<dir>   {name}" for name, _, size in rows]
    width = max(map(len, cells)) + 2
    for left in range(0, len(cells), 2):
        yield "".join(cell.ljust(width) for cell in cells[left : left + 2]).rstrip()
    yield _counted(rows)


def files_in_detail(rows: Sequence[tuple[str, datetime, int | None]]) -> Iterator[str]:
    """Yield the same, one a line, with times and sizes."""
    for name, at, size in rows:
        yield f"{at:%d %b,%Y %H:%M:%S}  {'<dir>' if size is None else f'{size:,}':>14}  {name}"
    yield _counted(rows)


def _counted(rows: Sequence[tuple[str, datetime, int | None]]) -> str:
    folders = sum(size is None for _, _, size in rows)
    return f"dir count = {folders}, file count = {len(rows) - folders}"


END_OF_FILE = "end of the file reached"


def page(lines: Sequence[str], at: int, size: int) -> tuple[list[str], str]:
    """Return a page of a file, ``size`` lines from the line ``at`` on (from 0), and the question below it."""
    shown = list(lines[at : at + size])
    last = at + len(shown)
    if last == len(lines):
        shown += ["", END_OF_FILE]
    keys = "q=quit, n=next, p=prev, b=begin, e=end"
    return shown, f"options: {keys} (lines {min(at + 1, last)} - {last} of {len(lines)}) :"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return rows below their column names, underlined with ``=``."""
    return aligned(columns, ([_cell(value) for value in row] for row in rows))


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, float | Decimal):
        # The databases differ in type and digits: both print 2.5, and 3 for 3.0.
        return f"{float(value):.12g}"
    return printable(str(value))
