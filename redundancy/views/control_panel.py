"""The services of one node as the Control Center shows them. Pure: built from what selectors gave."""

from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby

from redundancy.catalog import DATABASE, SERVICE_BY_NAME
from redundancy.models import Machine, RedundancyGroup, Server
from redundancy.selectors.access import nobody_logs_in
from redundancy.selectors.services import ServiceRow
from redundancy.srm.words import say, together

_SECTIONS = (
    say("Database Services"),
    say("IM and Presence Services"),
    say("XCP Services"),
)


def _section(row: ServiceRow) -> int:
    if row.name == DATABASE:
        return 0
    return 2 if SERVICE_BY_NAME[row.name].xcp else 1


@dataclass(frozen=True, slots=True)
class MachineView:
    """What is shown of a machine: see the columns of ``Machine``."""

    powered: bool
    boots_at: datetime | None
    up_since: datetime | None
    srm_running: bool
    srm_silent: bool
    srm_worker: str

    @classmethod
    def of(cls, machine: Machine) -> "MachineView":
        """Return the view of ``machine``."""
        return cls(**{field.name: getattr(machine, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Panel:
    """A node, its machine and group, and its services of one kind.

    ``held``: what its Data Monitor holds back, and the cure; empty for nothing. ``missing``: services
    for want of which nobody can log in, of any kind; none while the node is not to serve anybody.
    """

    server: Server
    machine: MachineView
    group: RedundancyGroup | None
    rows: tuple[ServiceRow, ...]
    held: str = ""
    missing: tuple[str, ...] = ()

    @property
    def server_id(self) -> int:
        """Return the key of the node."""
        return self.server.pk

    @property
    def nobody_logs_in(self) -> str:
        """Return that nobody can log in at it, and why, for people."""
        return nobody_logs_in(self.server.name, self.missing)

    @property
    def sections(self) -> list[tuple[str, list[ServiceRow]]]:
        """Return the services under the titles they stand under."""
        ordered = sorted(self.rows, key=_section)
        return [(_SECTIONS[number], list(rows)) for number, rows in groupby(ordered, key=_section)]

    @property
    def summary(self) -> str:
        """Return the panel in a sentence, as it is announced after a change."""
        if not self.machine.powered:
            return say("{node} is powered off.", node=self.server.name)
        counted = say(
            "{node}: {started} of {services} services started.",
            node=self.server.name,
            started=sum(row.started for row in self.rows),
            services=len(self.rows),
        )
        return together([counted, not_started(self.rows)])


def not_started(rows: tuple[ServiceRow, ...]) -> str:
    """Return which critical services of ``rows`` do not run; empty when all do."""
    down = [row.name for row in rows if row.monitored and not row.started]
    return say("Critical and not started: {services}.", services=", ".join(down)) if down else ""
