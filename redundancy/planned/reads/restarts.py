"""Where a planned restart is, by what is really the case and not by what was clicked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import QuerySet

from redundancy.clock import lab_now
from redundancy.models import PlannedRestart, Server, ServiceStatus
from redundancy.planned.reads.sessions import SessionsBack, sessions_back
from redundancy.selectors import live, nodes
from redundancy.selectors.services import services_of
from redundancy.srm.states import State
from redundancy.srm.words import Said, mark, say, together

# Lab seconds between switching High Availability off and the restart: the vendor's two minutes.
WAIT_SECONDS = 120.0


class RestartStage(StrEnum):
    """A step of the routine, in the words of the page: as it is stored, in English."""

    NOTE = mark("Note the users per node")
    DISABLE = mark("Disable High Availability")
    WAIT = mark("Wait 2 minutes")
    RESTART = mark("Restart")
    UP = mark("Wait until it runs again")
    COMPARE = mark("Compare the sessions with the note")
    ENABLE = mark("Enable High Availability")
    NORMAL = mark("Wait until both nodes are Normal")
    FINISH = mark("Finish")

    @property
    def said(self) -> str:
        """The step in the language of whoever reads."""
        return Said(self.value)


ORDER = tuple(RestartStage)
HA_STAGES = frozenset(
    {RestartStage.DISABLE, RestartStage.WAIT, RestartStage.ENABLE, RestartStage.NORMAL}
)
# What somebody does; the others only wait.
ACTS = frozenset(
    {
        RestartStage.DISABLE,
        RestartStage.RESTART,
        RestartStage.COMPARE,
        RestartStage.ENABLE,
        RestartStage.FINISH,
    }
)


@dataclass(frozen=True, slots=True)
class Count:
    """Users of a node, as noted and now. ``now`` None: the node is not there any more."""

    node: str
    noted_assigned: int
    noted_active: int
    assigned: int | None
    active: int | None

    @property
    def missing(self) -> int:
        """How many logged-in users fewer than noted."""
        return max(0, self.noted_active - (self.active or 0))


@dataclass(frozen=True, slots=True)
class RoutineFacts:
    """What is the case. ``not_up``: why what was restarted does not run yet; empty when it does.

    ``states``: of the nodes of the group, by name.
    """

    now: float
    ha_enabled: bool
    not_up: str
    states: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RoutineStep:
    """A line of the page. ``status``: done, now, ahead or not needed. ``at``: lab seconds it was done."""

    stage: RestartStage
    status: str
    sentence: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned restart as it is shown. ``stage`` is None when it has ended.

    ``sessions``: of the nodes of its group, while they are to be compared. ``until``: lab seconds at
    which a wait is over.
    """

    record: PlannedRestart
    stage: RestartStage | None
    steps: tuple[RoutineStep, ...]
    counts: tuple[Count, ...]
    sessions: tuple[SessionsBack, ...]
    until: float | None

    @property
    def act(self) -> RestartStage | None:
        """What can be done now."""
        return self.stage if self.stage in ACTS else None


def records() -> QuerySet[PlannedRestart]:
    """Return every planned restart, the newest first."""
    return PlannedRestart.objects.all()


def open_restart(server: Server) -> PlannedRestart | None:
    """Return the planned restart of ``server`` that has not ended; None when there is none."""
    return records().filter(server=server, ended_at=None).first()


def look_at_restart(record: PlannedRestart) -> Plan:
    """Return where ``record`` is now."""
    rows = rows_of(record.server)
    facts = _facts(record, rows)
    stage = stage_of(record, facts)
    group = record.server.group if record.server else None
    compares = group is not None and stage in {RestartStage.COMPARE, RestartStage.ENABLE}
    sessions = sessions_back(group) if group is not None and compares else ()
    return Plan(
        record=record,
        stage=stage,
        steps=tuple(_step(each, stage, record, facts, sessions) for each in ORDER),
        counts=_counts(record, rows),
        sessions=sessions,
        until=record.disabled_at + WAIT_SECONDS
        if stage is RestartStage.WAIT and record.disabled_at is not None
        else None,
    )


def rows_of(server: Server | None) -> tuple[live.NodeRow, ...]:
    """Return the nodes of the group of ``server`` as they are shown; of the node alone without a group."""
    if server is None:
        return ()
    if server.group_id is not None:
        return live.live_of([server.group_id])[server.group_id].rows
    return (live.node_live(server),)


def stage_of(record: PlannedRestart, facts: RoutineFacts) -> RestartStage | None:
    """Return the step the routine is at; None when it has ended. Pure."""
    if record.ended_at is not None:
        return None
    if record.restarted_at is None:
        if record.with_ha and (record.disabled_at is None or facts.ha_enabled):
            return RestartStage.DISABLE
        if record.disabled_at is not None and facts.now < record.disabled_at + WAIT_SECONDS:
            return RestartStage.WAIT
        return RestartStage.RESTART
    if facts.not_up:
        return RestartStage.UP
    if record.compared_at is None:
        return RestartStage.COMPARE
    if not record.with_ha:
        return RestartStage.FINISH
    if record.enabled_at is None or not facts.ha_enabled:
        return RestartStage.ENABLE
    if any(state != State.NORMAL for state in facts.states.values()):
        return RestartStage.NORMAL
    return RestartStage.FINISH


def _facts(record: PlannedRestart, rows: tuple[live.NodeRow, ...]) -> RoutineFacts:
    server = record.server
    return RoutineFacts(
        now=lab_now(),
        ha_enabled=bool(server and server.group and server.group.ha_enabled),
        not_up=_not_up(record),
        states={row.name: row.state for row in rows},
    )


def _not_up(record: PlannedRestart) -> str:
    """Return why what was restarted does not run yet."""
    if record.restarted_at is None or record.server is None:
        return ""
    server = nodes.node(record.server.pk)
    if server is None:
        return ""
    machine = server.machine
    if not machine.powered:
        if machine.boots_at:
            return say("{node} is restarting.", node=server.name)
        return say("{node} is powered off.", node=server.name)
    if not record.service and (
        machine.up_since is None or machine.up_since.timestamp() < record.restarted_at
    ):
        return say("{node} is going down.", node=server.name)
    for row in services_of(server):
        concerned = row.name == record.service if record.service else row.monitored
        if concerned and row.status != ServiceStatus.STARTED:
            return say(
                "{service} on {node} is {status}.",
                service=row.name,
                node=server.name,
                status=row.status.label,
            )
    return ""


def _step(
    stage: RestartStage,
    current: RestartStage | None,
    record: PlannedRestart,
    facts: RoutineFacts,
    sessions: tuple[SessionsBack, ...],
) -> RoutineStep:
    if stage in HA_STAGES and not record.with_ha:
        return RoutineStep(stage, "not needed", say("High Availability was off when this began."))
    done_at = {
        RestartStage.NOTE: record.begun_at,
        RestartStage.DISABLE: record.disabled_at,
        RestartStage.RESTART: record.restarted_at,
        RestartStage.COMPARE: record.compared_at,
        RestartStage.ENABLE: record.enabled_at,
    }.get(stage)
    if stage is current:
        missing = (part for s in sessions if s.missing for part in (s.sentence, s.advice))
        sentence = together([_sentence(stage, record, facts), *missing])
        return RoutineStep(stage, "now", sentence)
    # A stopped one has done what has a time, and the waits between.
    reached = current or record.stopped_at_step
    if not reached or ORDER.index(stage) < ORDER.index(RestartStage(reached)):
        return RoutineStep(stage, "done", "", done_at)
    return RoutineStep(stage, "ahead", "")


def _sentence(stage: RestartStage, record: PlannedRestart, facts: RoutineFacts) -> str:
    match stage:
        case RestartStage.DISABLE if record.disabled_at is not None:
            return say(
                "High Availability of {group} was enabled again meanwhile.",
                group=record.group_name,
            )
        case RestartStage.DISABLE:
            return say("Sessions go home; nobody takes over while it is off.")
        case RestartStage.WAIT:
            return say("Sessions and services come to rest.")
        case RestartStage.RESTART if not record.service:
            return say(
                "{node} restarts; its users are without service until it is back.",
                node=record.server_name,
            )
        case RestartStage.RESTART:
            return say(
                "{subject} restarts; its users are without this service for a moment.",
                subject=record.subject,
            )
        case RestartStage.UP:
            return facts.not_up
        case RestartStage.COMPARE:
            return say("Below: the users as noted, and now.")
        case RestartStage.ENABLE if record.enabled_at is not None:
            return say(
                "High Availability of {group} was disabled again meanwhile.",
                group=record.group_name,
            )
        case RestartStage.ENABLE:
            return say("The nodes find each other and check their services.")
        case RestartStage.NORMAL:
            return "; ".join(f"{name}: {state}" for name, state in facts.states.items())
        case _:
            return say("All is done.")


def _counts(record: PlannedRestart, rows: tuple[live.NodeRow, ...]) -> tuple[Count, ...]:
    if record.compared:
        after = {
            name: (users["assigned"], users["active"]) for name, users in record.compared.items()
        }
    else:
        after = {row.name: (row.assigned, row.active) for row in rows}
    return tuple(
        Count(name, noted["assigned"], noted["active"], *after.get(name, (None, None)))
        for name, noted in record.noted.items()
    )
