"""Node Details: what the page says of one node. Pure: built from what the selectors hand over."""

from dataclasses import dataclass

from redundancy.selectors.node_details import NodeDetails
from redundancy.srm.words import say, together
from redundancy.views.control_panel import not_started
from topology.model import role

UNSEEN = say("It cannot be seen now.")
REACHABLE, REPORTING = say("Reachable"), say("SRM Reporting")
YES, NO, UNKNOWN = say("Yes"), say("No"), say("Unknown")


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure of the node. ``tone``: ok, warn, unseen, bad or empty; ``why``: a sentence, may be empty."""

    label: str
    value: str
    tone: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class NodePage:
    """The node as the page shows it."""

    details: NodeDetails
    facts: tuple[Fact, ...]

    @property
    def name(self) -> str:
        """Return the node's name."""
        return self.details.row.name

    @property
    def summary(self) -> str:
        """Return the page in a sentence, as it is announced after a change."""
        details = self.details
        if details.unreadable:
            return say("{node} cannot be read: {why}", node=self.name, why=details.unreadable)
        sentences = [
            details.srm_silent or (say("SRM reports.") if details.seen else ""),
            say(
                "{started} of {services} services started.",
                started=sum(row.started for row in details.services),
                services=len(details.services),
            ),
            not_started(details.services),
        ]
        return say("{node}: {sentences}", node=self.name, sentences=together(sentences))


def page_of(details: NodeDetails) -> NodePage:
    """Return the page of a node."""
    if details.unreadable:
        reachable = Fact(REACHABLE, NO, "bad", details.unreadable)
        srm = Fact(REPORTING, UNKNOWN, "warn", say("It cannot be read."))
    else:
        reachable = Fact(REACHABLE, YES, "ok")
        srm = Fact(REPORTING, YES, "ok")
        if details.srm_silent:
            srm = Fact(REPORTING, NO, "bad", details.srm_silent)
        elif not details.seen:
            srm = Fact(REPORTING, UNKNOWN, "unseen", UNSEEN)
    old = say("As last known.") if details.version and details.unreadable else ""
    facts = (
        reachable,
        srm,
        Fact(say("Installed"), YES if details.installed else UNKNOWN),
        Fact(say("Version"), details.version or UNKNOWN, why=old),
        _replication(details),
    )
    return NodePage(details, facts)


def _replication(details: NodeDetails) -> Fact:
    found, part = details.replication, role(details.row.is_publisher)
    label = say("Database Replication")
    if found.value is None:
        return Fact(label, part, "warn", say("Unknown: its database does not answer."))
    if found.is_good:
        return Fact(label, part, "ok", say("Set up ({value}).", value=found.value))
    return Fact(label, part, "bad", say("Not set up ({value}; 2 is good).", value=found.value))
