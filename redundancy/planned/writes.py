"""The planned restart of a service or of a node, step by step (*Tools > Planned Restart*)."""

from collections.abc import Callable

from django.db import transaction

from redundancy.catalog import SERVICE_BY_NAME
from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import EventKind, PlannedRestart, Server, ServerType, ServiceStatus
from redundancy.operations import events, groups, locks, power, services
from redundancy.planned.reads.restarts import RestartStage, look_at_restart, open_restart, rows_of
from redundancy.selectors import nodes
from redundancy.selectors.live import NodeRow
from redundancy.selectors.services import services_of
from redundancy.srm.words import say


def begin(*, server: Server, service: str, actor: str) -> PlannedRestart:
    """Note the users per node and begin; ``service`` empty: the whole node. Return the record."""
    with transaction.atomic():
        locks.one_administrator()
        current = nodes.node(server.pk)
        if current is None:
            raise Refused(
                say(
                    "{node} is not a server of type {type}.",
                    node=server.name,
                    type=ServerType.IMP.label,
                ),
                field="server",
            )
        if open_restart(current) is not None:
            raise Refused(
                say(
                    "A planned restart of {node} is under way already; finish or stop it first.",
                    node=current.name,
                ),
                field="server",
            )
        _check_runs(current, service)
        group = current.group
        record = PlannedRestart.objects.create(
            server=current,
            server_name=current.name,
            group_name=group.name if group else "",
            service=service,
            with_ha=bool(group and group.ha_enabled),
            noted=_users(rows_of(current)),
            begun_at=lab_now(),
            actor=actor,
        )
        sentence = say(
            "Planned restart of {subject} was begun; the users per node are noted.",
            subject=record.subject,
        )
        _record(record, sentence, actor)
    return record


def advance(*, record: PlannedRestart, stage: str, actor: str) -> PlannedRestart:
    """Do the step ``stage``; it must be the one the routine is at. Return the record as it is now."""
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(record)
        plan = look_at_restart(current)
        if plan.act is None or plan.act != stage:
            raise Refused(_other_step(plan.stage))
        _DO[plan.act](current, actor)
        current.save()
    return current


def end_restart(*, record: PlannedRestart, actor: str) -> PlannedRestart:
    """End the routine where it is; nothing is undone. Return the record as it is now."""
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(record)
        stage = look_at_restart(current).stage
        if stage is None:
            raise Refused(say("This planned restart has ended already."))
        current.stopped_at_step, current.ended_at, current.ended_by = stage, lab_now(), actor
        current.save()
        sentence = say(
            "Planned restart of {subject} was stopped at the step: {stage}.",
            subject=current.subject,
            stage=stage.said,
        )
        _record(current, sentence, actor)
    return current


def _other_step(stage: RestartStage | None) -> str:
    if stage is None:
        return say("This planned restart has ended already.")
    return say("This planned restart is at another step now: {stage}.", stage=stage.said)


def _disable(record: PlannedRestart, actor: str) -> None:
    group = record.server.group if record.server else None
    if group is not None:
        groups.disable_ha(group=group, actor=actor)
    record.disabled_at = lab_now()


def _restart(record: PlannedRestart, actor: str) -> None:
    if record.server is None:
        raise Refused(
            say(
                "{node} does not exist any more; stop this planned restart.",
                node=record.server_name,
            )
        )
    # First: what starts again has a later time.
    record.restarted_at = lab_now()
    if record.service:
        services.restart_service(server=record.server, name=record.service, actor=actor)
    else:
        power.reboot(server=record.server, actor=actor)


def _compare(record: PlannedRestart, actor: str) -> None:
    record.compared_at = lab_now()
    record.compared = _users(rows_of(record.server))
    missing = sum(count.missing for count in look_at_restart(record).counts)
    if missing:
        sentence = say(
            "Planned restart of {subject} compared the sessions: "
            "{missing:,} fewer logged in than noted.",
            subject=record.subject,
            missing=missing,
        )
    else:
        sentence = say(
            "Planned restart of {subject} compared the sessions: as many logged in as noted.",
            subject=record.subject,
        )
    _record(record, sentence, actor)


def _enable(record: PlannedRestart, actor: str) -> None:
    group = record.server.group if record.server else None
    if group is None:
        raise Refused(
            say("{node} is in no presence redundancy group any more.", node=record.server_name)
        )
    groups.enable_ha(group=group, actor=actor)
    record.enabled_at = lab_now()


def _finish(record: PlannedRestart, actor: str) -> None:
    record.ended_at, record.ended_by = lab_now(), actor
    sentence = say("Planned restart of {subject} is finished.", subject=record.subject)
    _record(record, sentence, actor)


_DO: dict[RestartStage, Callable[[PlannedRestart, str], None]] = {
    RestartStage.DISABLE: _disable,
    RestartStage.RESTART: _restart,
    RestartStage.COMPARE: _compare,
    RestartStage.ENABLE: _enable,
    RestartStage.FINISH: _finish,
}


def _locked(record: PlannedRestart) -> PlannedRestart:
    records = PlannedRestart.objects.select_related("server__group").filter(pk=record.pk)
    current = locks.hold(records).first()
    if current is None:
        raise Refused(say("This planned restart does not exist any more."))
    return current


def _check_runs(server: Server, service: str) -> None:
    """Refuse to restart what does not run."""
    if not server.machine.powered:
        raise Refused(
            say("{node} is not powered on; there is nothing to restart.", node=server.name),
            field="server",
        )
    if not service:
        return
    if service not in SERVICE_BY_NAME:
        raise Refused(
            say("There is no service {service!r}.", service=service[:60]), field="service"
        )
    row = next(row for row in services_of(server) if row.name == service)
    if row.status != ServiceStatus.STARTED:
        raise Refused(
            say(
                "{service} on {node} is {status}; only a started service is restarted.",
                service=service,
                node=server.name,
                status=row.status.label,
            ),
            field="service",
        )


def _users(rows: tuple[NodeRow, ...]) -> dict[str, dict[str, int]]:
    return {row.name: {"assigned": row.assigned, "active": row.active} for row in rows}


def _record(record: PlannedRestart, sentence: str, actor: str) -> None:
    events.record(kind=EventKind.ADMIN, sentence=sentence, node=record.server, actor=actor)
