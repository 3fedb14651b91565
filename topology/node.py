"""Node Details: what the page says of one node. Pure: built from what the selectors hand over."""

from dataclasses import dataclass

from redundancy.selectors.node_details import NodeDetails
from redundancy.selectors.services import ServiceRow
from redundancy.views.control_panel import SERVICE_TONES
from topology.model import fingerprint, role

STARTED, UNKNOWN = "Started", "Unknown"


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure of the node. ``tone``: ok, warn, bad or empty; ``why``: a sentence, may be empty."""

    label: str
    value: str
    tone: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A service. ``since``: lab seconds at which it took its status, None where that is not known."""

    name: str
    status: str
    tone: str
    critical: bool
    since: float | None


@dataclass(frozen=True, slots=True)
class NodePage:
    """The node as the page shows it."""

    details: NodeDetails
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        """Return the node's name."""
        return self.details.shown.name

    @property
    def version(self) -> str:
        """Return a fingerprint of everything that can change while the page is open."""
        found, shown = self.details, self.details.shown
        state = (shown.name, shown.state, shown.reason, shown.tone, shown.sentence, shown.since)
        users = (shown.assigned, shown.presence, shown.is_publisher)
        group = found.group and (found.group.pk, found.group.name, found.group.ha_enabled)
        return fingerprint((state, users, group, self.facts, self.lines, found.up_since))

    @property
    def summary(self) -> str:
        """Return the page in a sentence, as it is announced after a change."""
        found = self.details
        if not found.reachable:
            return f"{self.name} cannot be read: {found.unreadable}"
        started = sum(line.status == STARTED for line in self.lines)
        down = [line.name for line in self.lines if line.critical and line.status != STARTED]
        tail = f" Critical and not started: {', '.join(down)}." if down else ""
        srm = found.srm_silent or "SRM reports."
        return f"{self.name}: {srm} {started} of {len(self.lines)} services started.{tail}"


def page_of(found: NodeDetails) -> NodePage:
    """Return the page of a node."""
    return NodePage(found, _facts(found), tuple(map(_line, found.services)))


def _facts(found: NodeDetails) -> tuple[Fact, ...]:
    if not found.reachable:
        reachable = Fact("Reachable", "No", "bad", found.unreadable)
        srm = Fact("SRM Reporting", UNKNOWN, "warn", "It cannot be read.")
    else:
        reachable = Fact("Reachable", "Yes", "ok")
        srm = Fact("SRM Reporting", "Yes", "ok")
        if found.srm_silent:
            srm = Fact("SRM Reporting", "No", "bad", found.srm_silent)
    version = Fact("Version", found.version or UNKNOWN)
    if found.version and not found.reachable:
        version = Fact("Version", found.version, why="As last known.")
    return (
        reachable,
        srm,
        Fact("Installed", "Yes" if found.installed else UNKNOWN),
        version,
        Fact("Database Replication", role(found.shown.is_publisher)),
    )


def _line(row: ServiceRow) -> Line:
    return Line(
        name=row.name,
        status=row.status,
        tone=SERVICE_TONES[row.status],
        critical=row.monitored,
        since=row.since.timestamp() if row.since else None,
    )
