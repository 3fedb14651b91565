"""Put the logs of a case into one ZIP file, piece by piece: each piece is a task of its own."""

import csv
import io
import logging
import platform
import zipfile
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

from celery import shared_task
from django.db import connection
from django.db.models import Q, QuerySet
from kombu.exceptions import OperationalError as BrokerError

import cucm_admin.celery  # noqa: F401 - the tasks below are sent by this application
from redundancy import trace_store
from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.clock import lab_datetime, lab_now
from redundancy.errors import Refused
from redundancy.history.reads import incident_text
from redundancy.history.reads.incident_report import report
from redundancy.models import (
    EventKind,
    HaEvent,
    Incident,
    LogCollection,
    RedundancyGroup,
    Server,
)
from redundancy.selectors import parameters
from redundancy.srm.words import english, say
from redundancy.traces import reads, writes
from redundancy.traces.reads import SHAPE

# Lab seconds before and after the span that the traces are taken of.
MARGIN = 600
APPLICATION = (EventKind.ADMIN, EventKind.PARAMETER)
OF_SERVICES = (EventKind.ADMIN, EventKind.LAB, EventKind.STATE)
SYSTEM = tuple(kind for kind in EventKind if kind not in APPLICATION)
OUTPUTS = {
    "cli/utils-ha-status.txt": "utils ha status {group}",
    "cli/enterprisesubcluster.txt": "run sql select * from enterprisesubcluster",
    "cli/enterprisenode.txt": "run sql select * from enterprisenode",
}
README = """Log collection of the presence redundancy group {group}
From {since} to {until} (lab time), by {actor}

traces/NODE-srm.log      what the SRM of each node wrote, from 10 minutes before to 10 minutes after
events/system.csv        changes of state, session moves, what happened to machines and services
events/application.csv   what administrators did, parameter changes
services/NODE-NAME.log   what happened to each service that was stopped or started in the span
cli/                     outputs of the command line when this was collected
parameters.txt           the service parameters when this was collected
versions.txt             of the software
{more}
Times in the files are lab time in UTC. No passwords and no addresses of alarm channels are in here.
"""
ABOUT_INCIDENT = """incident.txt             the report of incident {pk} when this was collected: {cause}
"""

logger = logging.getLogger(__name__)

# Yields the files of a piece: their names in the ZIP file, and their texts.
Piece = Callable[[LogCollection], Iterable[tuple[str, str]]]

# The command line stands above the rooms, so it is handed in: `redundancy.cli.run.run`.
CommandLine = Callable[..., Iterable[str]]
_command_line: CommandLine | None = None


def run_commands_with(command_line: CommandLine) -> None:
    """Let the outputs of commands in a collection come from ``command_line``."""
    global _command_line
    _command_line = command_line


def _readme(job: LogCollection) -> Iterator[tuple[str, str]]:
    since, until = _utc(job.since), _utc(job.until)
    incident = job.incident
    more = ABOUT_INCIDENT.format(pk=incident.pk, cause=english(incident.cause)) if incident else ""
    text = README.format(group=job.group_name, since=since, until=until, actor=job.actor, more=more)
    yield "README.txt", text


def _incident(job: LogCollection) -> Iterator[tuple[str, str]]:
    if job.incident is not None:
        now = lab_now()
        yield "incident.txt", _text(incident_text.report_lines(report(job.incident, now), now))


def _traces(job: LogCollection) -> Iterator[tuple[str, str]]:
    first, last = _utc(job.since - MARGIN), _utc(job.until + MARGIN + 1)
    for node in _nodes(job):
        # Each line begins with its time, and times of one shape sort as texts.
        kept = [line for line in trace_store.read(node.pk) if first <= line[: len(first)] < last]
        yield f"traces/{node.name}-srm.log", _text(kept)


def _events(job: LogCollection) -> Iterator[tuple[str, str]]:
    for name, kinds in (("system", SYSTEM), ("application", APPLICATION)):
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow(["lab time", "kind", "server", "by", "state", "reason", "epoch", "event"])
        for event in _history(job).filter(kind__in=kinds).iterator():
            at, state, reason = f"{event.at:{SHAPE}}", event.new_state, event.new_reason
            who = event.node_name, event.actor
            rows.writerow([at, event.kind, *who, state, reason, event.epoch, event.sentence])
        yield f"events/{name}.csv", out.getvalue()


def _services(job: LogCollection) -> Iterator[tuple[str, str]]:
    lines: dict[tuple[str, str], list[str]] = {}
    for event in _history(job).filter(kind__in=OF_SERVICES).iterator():
        facts = event.inputs or {}
        # What was done to services, and what SRM decided while it saw them down.
        for name in (*facts.get("services", ()), *(name for name, _ in facts.get("down", ()))):
            of_service = lines.setdefault((event.node_name, name), [])
            of_service.append(f"{event.at:{SHAPE}},000 INFO {english(event.sentence)}")
    for (node, name), of_service in lines.items():
        yield f"services/{node}-{name.replace(' ', '_')}.log", _text(of_service)


def _outputs(job: LogCollection) -> Iterator[tuple[str, str]]:
    assert _command_line is not None, "the tasks say which command line runs"
    # Its present name: it may have been renamed since the collection was begun.
    group = job.group.name if job.group else job.group_name
    for name, command in OUTPUTS.items():
        line = command.format(group=group)
        try:
            output = _text(
                _command_line(line, actor=job.actor, warn=lambda _: None, confirm=lambda: False)
            )
        except Refused as refused:
            # As at the prompt: of a group that is gone, say, the rest is collected all the same.
            output = _text([english(refused.rule)])
        yield name, f"admin: {line}\n{output}"


def _facts(job: LogCollection) -> Iterator[tuple[str, str]]:
    lines: list[str] = []
    owners = {node.name: parameters.of_node(node) for node in _nodes(job)}
    for owner, values in ({"Clusterwide": parameters.clusterwide()} | owners).items():
        lines += ["", owner, *(f"{PARAMETER_BY_KEY[k].name} = {v}" for k, v in values.items())]
    yield "parameters.txt", _text(lines[1:])
    installed = [f"{name} {version(name)}" for name in ("Django", "celery", "redis")]
    nodes = [f"{node.name} {node.version}" for node in _nodes(job)]
    about = [f"Python {platform.python_version()}", *installed, f"database {connection.vendor}"]
    yield "versions.txt", _text([*nodes, *about])


PIECES: tuple[tuple[str, Piece], ...] = (
    (say("Readme"), _readme),
    (say("Incident"), _incident),
    (say("SRM traces"), _traces),
    (say("Events"), _events),
    (say("Services"), _services),
    (say("Command line"), _outputs),
    (say("Parameters and versions"), _facts),
)


@shared_task
def collect(pk: int, step: int, turn: int) -> None:
    """Add one piece to the file and queue the next one; after the last the file is ready."""
    job = writes.claim_step(pk=pk, step=step, turn=turn)
    if job is None:
        return
    last = step + 1 == len(PIECES)
    file = io.BytesIO(b"".join(reads.file_of(job)) if step else b"")
    try:
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as zipped:
            for name, text in PIECES[step][1](job):
                zipped.writestr(name, text)
        mine = writes.end_step(job=job, file=file.getvalue(), last=last)
    except Refused as refused:
        writes.fail_collection(pk=pk, why=refused.rule)
        return
    except Exception as error:
        logger.exception("%s was not collected", job)
        names = {"piece": PIECES[step][0], "error": type(error).__name__}
        writes.fail_collection(pk=pk, why=say("{piece}: {error}. The log says more.", **names))
        return
    if mine and not last:
        collect.delay(pk, step + 1, turn)


def begin(
    *,
    group: RedundancyGroup,
    since: float,
    until: float,
    actor: str,
    incident: Incident | None = None,
) -> LogCollection:
    """Begin a log collection as ``writes.begin_collection`` does, and queue its first piece.

    Where the broker does not answer, ``resume_collections`` does so later.
    """
    job = writes.begin_collection(
        group=group, since=since, until=until, actor=actor, incident=incident
    )
    try:
        collect.delay(job.pk, job.step, job.turn)
    except BrokerError:
        logger.exception("%s was not queued", job)
    return job


def resume_collections() -> None:
    """Go on with what a killed worker left behind, and drop old collections."""
    for pk, step, turn in writes.restart_collections():
        collect.delay(pk, step, turn)
    writes.forget_old_collections()


def _nodes(job: LogCollection) -> list[Server]:
    return list(job.group.servers.order_by("slot")) if job.group else []


def _history(job: LogCollection) -> QuerySet[HaEvent]:
    span = Q(at__gte=lab_datetime(job.since), at__lte=lab_datetime(job.until))
    # Of a group that was deleted since, its events keep the name.
    whose = Q(group=job.group) if job.group else Q(group=None, group_name=job.group_name)
    return HaEvent.objects.filter(span, whose).order_by("pk")


def _utc(moment: float) -> str:
    return f"{lab_datetime(moment):{SHAPE}}"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
