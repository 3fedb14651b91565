"""The services of one node as the Control Center shows them. Pure: built from what selectors gave."""

from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby

from django.utils.text import slugify

from redundancy.catalog import DATABASE, SERVICE_BY_NAME, ServiceKind
from redundancy.models import Server, ServiceStatus
from redundancy.selectors.services import ServiceRow
from redundancy.srm.words import say, together

SERVICE_TONES = {
    ServiceStatus.STARTED: "ok",
    ServiceStatus.STARTING: "busy",
    ServiceStatus.STOPPING: "busy",
    ServiceStatus.STOPPED: "bad",
    ServiceStatus.NOT_ACTIVATED: "off",
    # Cannot be read: that is no failure of the service, and no stop.
    ServiceStatus.UNKNOWN: "warn",
}
_DATABASE, _PRESENCE = say("Database Services"), say("IM and Presence Services")
_XCP = say("XCP Services")
_SECTIONS = (_DATABASE, _PRESENCE, _XCP)


@dataclass(frozen=True, slots=True)
class Line:
    """A service as a row of the page. ``started_at``: lab seconds, None unless it is started."""

    name: str
    status: ServiceStatus
    activated: bool
    monitored: bool
    started_at: float | None

    @property
    def tone(self) -> str:
        """Return the tone of the status."""
        return SERVICE_TONES[self.status]

    @property
    def slug(self) -> str:
        """Return the name as a part of an HTML id."""
        return slugify(self.name)

    @property
    def section(self) -> str:
        """Return the title it stands under."""
        if self.name == DATABASE:
            return _DATABASE
        return _XCP if SERVICE_BY_NAME[self.name].xcp else _PRESENCE


@dataclass(frozen=True, slots=True)
class Panel:
    """A node and its services of one kind."""

    server: Server
    kind: ServiceKind
    lines: tuple[Line, ...]

    @property
    def sections(self) -> list[tuple[str, list[Line]]]:
        """Return the lines under the titles of their groups."""
        ordered = sorted(self.lines, key=lambda line: _SECTIONS.index(line.section))
        return [
            (title, list(lines)) for title, lines in groupby(ordered, key=lambda line: line.section)
        ]

    @property
    def version(self) -> str:
        """Return a fingerprint of everything that can change while the page is open."""
        machine, group = self.server.machine, self.server.group
        shown = (
            self.lines,
            self.server.name,
            (machine.powered, machine.srm_running, machine.up_since, machine.boots_at),
            (group.pk, group.name, group.ha_enabled) if group else None,
        )
        return blake2b(repr(shown).encode(), digest_size=8).hexdigest()

    @property
    def summary(self) -> str:
        """Return the panel in a sentence, as it is announced after a change."""
        if not self.server.machine.powered:
            return say("{node} is powered off.", node=self.server.name)
        started = sum(line.status == ServiceStatus.STARTED for line in self.lines)
        down = [
            line.name
            for line in self.lines
            if line.monitored and line.status != ServiceStatus.STARTED
        ]
        counted = say(
            "{node}: {started} of {services} services started.",
            node=self.server.name,
            started=started,
            services=len(self.lines),
        )
        if not down:
            return counted
        return together(
            [counted, say("Critical and not started: {services}.", services=", ".join(down))]
        )


def panel(server: Server, kind: ServiceKind, rows: list[ServiceRow]) -> Panel:
    """Return the panel of ``server`` with its services ``rows``."""
    return Panel(
        server,
        kind,
        tuple(
            Line(
                name=row.name,
                status=row.status,
                activated=row.activated,
                monitored=row.monitored,
                started_at=row.since.timestamp()
                if row.since and row.status == ServiceStatus.STARTED
                else None,
            )
            for row in rows
        ),
    )
