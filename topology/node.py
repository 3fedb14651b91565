"""Node Details: what the page says of one node. Pure: built from what the selectors hand over."""

from dataclasses import dataclass

from redundancy.selectors.node_details import NodeDetails
from redundancy.selectors.services import ServiceRow
from redundancy.srm.words import say, together
from redundancy.views.control_panel import SERVICE_TONES
from topology.model import fingerprint, role

STARTED = "Started"
REACHABLE, REPORTING = say("Reachable"), say("SRM Reporting")
YES, NO, UNKNOWN = say("Yes"), say("No"), say("Unknown")


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure of the node. ``tone``: ok, warn, bad or empty; ``why``: a sentence, may be empty."""

    label: str
    value: str
    tone: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A service. ``shown``: its status in words; ``since``: lab seconds at which it took its status, None where that is not known."""

    name: str
    status: str
    shown: str
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
            return say("{node} cannot be read: {why}", node=self.name, why=found.unreadable)
        started = [line.name for line in self.lines if line.status == STARTED]
        down = [line.name for line in self.lines if line.critical and line.name not in started]
        sentences = [
            found.srm_silent or say("SRM reports."),
            say(
                "{started} of {services} services started.",
                started=len(started),
                services=len(self.lines),
            ),
            say("Critical and not started: {services}.", services=", ".join(down)) if down else "",
        ]
        return say("{node}: {sentences}", node=self.name, sentences=together(sentences))


def page_of(found: NodeDetails) -> NodePage:
    """Return the page of a node."""
    return NodePage(found, _facts(found), tuple(map(_line, found.services)))


def _facts(found: NodeDetails) -> tuple[Fact, ...]:
    if not found.reachable:
        reachable = Fact(REACHABLE, NO, "bad", found.unreadable)
        srm = Fact(REPORTING, UNKNOWN, "warn", say("It cannot be read."))
    else:
        reachable = Fact(REACHABLE, YES, "ok")
        srm = Fact(REPORTING, YES, "ok")
        if found.srm_silent:
            srm = Fact(REPORTING, NO, "bad", found.srm_silent)
    version = Fact(say("Version"), found.version or UNKNOWN)
    if found.version and not found.reachable:
        version = Fact(say("Version"), found.version, why=say("As last known."))
    return (
        reachable,
        srm,
        Fact(say("Installed"), YES if found.installed else UNKNOWN),
        version,
        Fact(say("Database Replication"), role(found.shown.is_publisher)),
    )


def _line(row: ServiceRow) -> Line:
    return Line(
        name=row.name,
        status=row.status,
        shown=row.status.label,
        tone=SERVICE_TONES[row.status],
        critical=row.monitored,
        since=row.since.timestamp() if row.since else None,
    )
