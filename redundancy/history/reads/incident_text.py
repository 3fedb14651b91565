"""The report of an incident as plain text: what its page shows, to be sent along."""

from collections.abc import Iterator

from redundancy.clock import lab_datetime
from redundancy.history.reads.incident_moves import MoveReport, Phase
from redundancy.history.reads.incident_report import Alternative, Report
from redundancy.srm.words import duration, english

SHAPE = "%Y-%m-%d %H:%M:%S"


def report_lines(report: Report, now: float) -> Iterator[str]:
    """Yield the lines of the report as it is at lab time ``now``. Times are lab time in UTC."""
    incident = report.incident
    opened = incident.opened_at.timestamp()
    closed = incident.closed_at.timestamp() if incident.closed_at else None
    yield f"Incident {incident.pk} of the presence redundancy group {incident.group_name}"
    yield ""
    yield f"Cause: {english(incident.cause)} ({incident.reason})"
    yield f"First affected server: {incident.node_name}"
    yield f"Opened: {lab_datetime(opened):{SHAPE}}"
    if closed is None:
        yield f"Closed: not yet; it was written at {lab_datetime(now):{SHAPE}}"
    else:
        yield f"Closed: {lab_datetime(closed):{SHAPE}}, {incident.ended}"
    yield f"Lasted: {duration((now if closed is None else closed) - opened)}"
    yield f"Failovers: {report.failovers}"
    yield f"User-minutes without service: {report.lost:,.0f}{'' if report.complete else ', so far'}"
    for moved in report.moves:
        yield from _move(moved)
    if not report.moves:
        yield from ("", "No session was moved.")
    yield from ("", "Actions taken")
    for event in report.actions:
        yield f"  {event.at:{SHAPE}}  {event.actor}: {english(event.sentence)}"
    if not report.actions:
        yield "  Nobody did anything."
    if report.alternatives:
        yield from ("", "What would have been different under other limits (replayed)")
        for other in report.alternatives:
            yield f"  {english(other.label)}: {_found(other)}"
    yield from ("", "Events, the oldest first")
    for event in report.story:
        state = f"{event.new_state}. " if event.new_state else ""
        yield f"  {event.at:{SHAPE}}  {event.node_name or event.group_name}: {state}{english(event.sentence)}"
    if report.cut:
        yield f"  Only the first {len(report.events)} events are told."


def _move(moved: MoveReport) -> Iterator[str]:
    yield from ("", english(moved.title))
    yield f"  Cause began: {lab_datetime(moved.began.at):{SHAPE}}"
    for phase in moved.phases:
        yield f"  {english(phase.label)}: {_when(phase)}"
    yield f"  User-minutes without service: {moved.lost:,.0f}"
    if moved.logins:
        yield f"  Logins: {english(moved.told)}"
    yield f"  Decided upon: {moved.declared.node_name}: {english(moved.declared.sentence)}"


def _when(phase: Phase) -> str:
    if phase.after is None:
        return english(phase.note)
    took = "" if phase.took is None else f", took {phase.took:.1f} s"
    return f"{phase.after:.1f} s after the cause{took}"


def _found(other: Alternative) -> str:
    found = other.found
    if found.moved is None:
        happened = "no failover, the cause ended before the limit"
    else:
        happened = (
            f"declared after {found.declared:.1f} s, sessions moved after {found.moved:.1f} s"
        )
    lost = "without end" if found.lost is None else f"{found.lost:,.0f}"
    return f"{happened}; user-minutes without service: {lost}"
