"""Power of lab nodes, and their SRM process."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from redundancy.catalog import SERVICE_BY_NAME, SRM
from redundancy.clock import lab_datetime, lab_now
from redundancy.drivers import get_driver
from redundancy.errors import Refused
from redundancy.models import (
    EventKind,
    HaEvent,
    Machine,
    MessageKind,
    NodeRuntime,
    NodeService,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.models.bulk import insert
from redundancy.operations import access, events, locks
from redundancy.selectors.replication import held_sentence
from redundancy.shards import WHOLE, Shard
from redundancy.srm.words import mark, say, say_row

# Wall seconds of sweeping after which a process that runs one SRM alone, and was not seen, is silent.
SILENT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Leave:
    """How a node goes: to come back (``reboot``) or not, and who caused it."""

    reboot: bool
    actor: str = ""


def power_off(*, server: Server, actor: str) -> None:
    """Take the power away at once; nobody is told. Does nothing when it is off and stays off."""
    with transaction.atomic():
        machine = hold_machine(server)
        if not machine.powered and machine.boots_at is None:
            return
        now = lab_now()
        _switch_off([machine], now)
        _record(machine, mark("{node} lost its power."), actor, now)


def shut_down(*, server: Server, actor: str) -> None:
    """Shut the node down in order: its SRM tells its peer first, when it has one to tell."""
    _leave(server, reboot=False, actor=actor)


def reboot(*, server: Server, actor: str) -> None:
    """Restart the node: as shut_down, and it comes back by itself."""
    _leave(server, reboot=True, actor=actor)


def finish_shutdown(*, server: Server, reboot: bool, actor: str = "") -> None:
    """Switch the node off after its SRM has said so; with ``reboot``, let it come back later."""
    finish_shutdowns({server.pk: Leave(reboot, actor)})


def finish_shutdowns(leaving: Mapping[int, Leave]) -> None:
    """Do as ``finish_shutdown`` for these nodes, by their keys, in a number of statements that does not grow."""
    with transaction.atomic():
        NodeRuntime.poke(*leaving)
        rows = Machine.objects.filter(pk__in=leaving, powered=True)
        machines = list(locks.hold(rows.select_related("server__group")))
        if not machines:
            return
        now = lab_now()
        _switch_off(machines, now)
        back = [machine.pk for machine in machines if leaving[machine.pk].reboot]
        if back:
            boots_at = lab_datetime(now + settings.LAB_REBOOT_SECONDS)
            Machine.objects.filter(pk__in=back).update(boots_at=boots_at)
        insert(
            [
                _told(
                    machine,
                    mark("{node} went down for a restart.")
                    if leaving[machine.pk].reboot
                    else mark("{node} was shut down."),
                    leaving[machine.pk].actor,
                    now,
                )
                for machine in machines
            ]
        )


def power_on(*, server: Server, actor: str) -> bool:
    """Switch the node on: its activated services and its SRM start. Return False when it was on."""
    with transaction.atomic():
        machine = hold_machine(server)
        if machine.powered:
            return False
        _switch_on(machine, mark("{node} was powered on."), actor)
        return True


def boot_due_nodes(*, now: float, shard: Shard = WHOLE) -> int:
    """Switch on the restarting nodes of the shard whose time (lab seconds) has come; return how many."""
    moment = lab_datetime(now)
    booted = 0
    of_shard = shard.whose("server__group")
    for due in Machine.objects.filter(of_shard, boots_at__lte=moment).select_related("server"):
        with transaction.atomic():
            machine = hold_machine(due.server)
            # It may have been switched on, or off for good, since the look above.
            if machine.boots_at is not None and machine.boots_at <= moment:
                _switch_on(machine, mark("{node} is back after its restart."), "")
                booted += 1
    return booted


def restart_srm(*, server: Server, actor: str) -> None:
    """Restart the node's SRM process, or start it when it is stopped."""
    with transaction.atomic():
        machine = hold_powered(server)
        _start_srm(machine, mark("{srm} on {node} was restarted."), actor)


def start_srm(*, server: Server, actor: str) -> None:
    """Start the node's SRM process. Does nothing when it runs."""
    with transaction.atomic():
        machine = hold_powered(server)
        if not machine.srm_running:
            _start_srm(machine, mark("{srm} on {node} was started."), actor)


def stop_srm(*, server: Server, actor: str) -> None:
    """Stop the node's SRM process: its peer hears no more of it. Does nothing when it is stopped."""
    with transaction.atomic():
        machine = hold_powered(server)
        if not machine.srm_running and not machine.srm_silent:
            return
        if _goes_down_unannounced(server):
            return
        _forget_requests([server.pk])
        _set_srm(machine, mark("{srm} on {node} was stopped."), actor, running=False)


def run_srm_alone(*, server: Server, worker: str) -> None:
    """Let the process ``worker`` run the node's SRM, and no sweep: a restart of SRM.

    A process that ran it before has lost it: what that one is about to store is void.
    """
    with transaction.atomic():
        machine = hold_powered(server)
        machine.srm_worker, machine.srm_missed = worker, 0
        template = mark("{srm} on {node} was started in a process of its own ({worker}).")
        _start_srm(machine, template, "")


def still_runs_srm(*, server: Server, worker: str) -> bool:
    """Note that ``worker`` lives; return False when it does not run the node's SRM any more.

    One that was silent goes on with what its SRM remembers: it was not restarted.
    """
    mine = Machine.objects.filter(server=server, srm_worker=worker)
    if mine.filter(srm_silent=False).update(srm_missed=0):
        return True
    with transaction.atomic():
        NodeRuntime.poke(server.pk)
        machine = locks.hold(mine.select_related("server__group")).first()
        if machine is None:
            return False
        machine.srm_missed = 0
        if machine.srm_silent:
            _set_reporting(machine, mark("{srm} on {node} reports again ({worker})."), reports=True)
        machine.save(update_fields=["srm_missed"])
    return True


def end_srm_alone(*, server: Server, worker: str) -> None:
    """Stop the SRM that ``worker`` runs. Does nothing when it does not run it any more."""
    with transaction.atomic():
        machine = hold_machine(server)
        if machine.srm_worker != worker:
            return
        if machine.srm_running:
            template = mark("{srm} on {node} stopped with its process ({worker}).")
            _set_srm(machine, template, "", running=False)
        else:
            # Pages show the process: what they show changes with an event only.
            _record(
                machine, mark("The process of {srm} on {node} ended ({worker})."), "", lab_now()
            )
        machine.srm_worker = ""
        machine.save(update_fields=["srm_worker"])


def count_missed_sweeps(shard: Shard = WHOLE) -> None:
    """Count a sweep of the shard against every process that runs an SRM of it alone; its look takes the count away.

    One that was not seen for SILENT_SECONDS of sweeps does not report: that is what is shown, and
    no more. It keeps its node, and its peer's SRM goes by the heartbeats alone. Sweeps count, not
    seconds: while nobody sweeps, nobody is called silent.
    """
    alone = Machine.objects.exclude(srm_worker="").filter(shard.whose("server__group"))
    seen = list(alone.select_related("server").order_by("pk"))
    if not seen:
        return
    alone.update(srm_missed=F("srm_missed") + 1)
    for late in seen:
        if not late.srm_running or late.srm_missed + 1 < _silent_after():
            continue
        with transaction.atomic():
            machine = hold_machine(late.server)
            if machine.srm_worker != late.srm_worker or not _is_late(machine):
                continue
            if machine.srm_running and not _goes_down_unannounced(late.server):
                template = mark(
                    "{srm} on {node} does not report: its process ({worker}) is silent."
                )
                _set_reporting(machine, template, reports=False)


def _set_reporting(machine: Machine, template: str, *, reports: bool) -> None:
    """Note whether the process that runs the node's SRM is heard of; the SRM itself does not change."""
    machine.srm_running, machine.srm_silent = reports, not reports
    machine.save(update_fields=["srm_running", "srm_silent"])
    _record(machine, template, "", lab_now(), services=[SRM])


def _silent_after() -> int:
    return ceil(SILENT_SECONDS / settings.SWEEP_SECONDS)


def _is_late(machine: Machine) -> bool:
    return machine.srm_missed >= _silent_after()


def _goes_down_unannounced(server: Server) -> bool:
    """Let a shutdown that waits for the node's SRM to announce it wait no more; return whether there is one."""
    asked = SrmMessage.objects.filter(node=server, kind=MessageKind.SHUTDOWN).first()
    if asked is None:
        return False
    finish_shutdown(server=server, reboot=asked.payload["reboot"], actor=asked.actor)
    return True


def _leave(server: Server, *, reboot: bool, actor: str) -> None:
    with transaction.atomic():
        # Held, so that disabling High Availability at the same time finds this request.
        group = locks.hold(RedundancyGroup.objects.filter(servers=server)).first()
        machine = hold_powered(server)
        if group is None or not group.ha_enabled or not machine.srm_running:
            finish_shutdown(server=server, reboot=reboot, actor=actor)
            return
        if SrmMessage.objects.filter(node=server, kind=MessageKind.SHUTDOWN).exists():
            return
        SrmMessage.objects.create(
            node=server, kind=MessageKind.SHUTDOWN, payload={"reboot": reboot}, actor=actor
        )
        template = (
            mark("{node} is being restarted; its SRM tells its peer.")
            if reboot
            else mark("{node} is being shut down; its SRM tells its peer.")
        )
        _record(machine, template, actor, lab_now())


def hold_machine(server: Server) -> Machine:
    """Return the machine of the node, held until the transaction ends; its SRM looks around after it."""
    NodeRuntime.poke(server.pk)
    return locks.hold_one(
        Machine.objects.select_related("server__group").filter(server=server),
        say("{node} has no machine in the lab.", node=server.name),
    )


def hold_powered(server: Server) -> Machine:
    """Return the machine as ``hold_machine`` does; refuse one that is off."""
    machine = hold_machine(server)
    if not machine.powered:
        raise Refused(say("{node} is powered off.", node=machine.server.name))
    return machine


def _switch_off(machines: Sequence[Machine], now: float) -> None:
    off = {"powered": False, "srm_running": False, "srm_silent": False}
    at_rest = {**off, "up_since": None, "boots_at": None}
    nodes = [machine.pk for machine in machines]
    for machine in machines:
        for name, value in at_rest.items():
            setattr(machine, name, value)
    Machine.objects.filter(pk__in=nodes).update(**at_rest)
    NodeService.objects.filter(Q(running=True) | Q(starting=True), server__in=nodes).update(
        running=False, starting=False, since=lab_datetime(now)
    )
    access.follow(nodes, now)
    # A request that was not carried out must not be found after the next start.
    _forget_requests(nodes, MessageKind.SHUTDOWN)


def _forget_requests(nodes: Collection[int], *more: MessageKind) -> None:
    """Drop what an administrator asked of SRMs that are no more, by the keys of their nodes."""
    asked = [MessageKind.FAILOVER, MessageKind.FALLBACK, *more]
    SrmMessage.objects.filter(node__in=nodes, kind__in=asked).delete()


def _switch_on(machine: Machine, template: str, actor: str) -> None:
    now = lab_datetime()
    machine.powered = machine.srm_running = True
    machine.up_since, machine.boots_at = now, None
    machine.save(update_fields=["powered", "srm_running", "up_since", "boots_at"])
    get_driver().start({machine.pk: SERVICE_BY_NAME}, dependents=False, at=now)
    access.follow([machine.server_id], now.timestamp())
    _begin_srm(machine, actor)
    _record(machine, template, actor, now.timestamp())
    held = NodeService.objects.filter(server=machine.server, starting=True).order_by("name")
    if names := list(held.values_list("name", flat=True)):
        events.record(
            kind=EventKind.LAB,
            sentence=held_sentence(machine.server.name, names),
            node=machine.server,
            at=now.timestamp(),
            inputs={"services": names},
        )


def _start_srm(machine: Machine, template: str, actor: str) -> None:
    _begin_srm(machine, actor)
    _set_srm(machine, template, actor, running=True)


def _begin_srm(machine: Machine, actor: str) -> None:
    """Begin a start of SRM: in its own process where one lives, in the sweep where not."""
    if _is_late(machine):
        # Dead or stuck. Should it wake up, it finds that the node is not its any more.
        machine.srm_worker, machine.srm_missed = "", 0
    machine.incarnation += 1
    machine.save(update_fields=["srm_worker", "srm_missed", "incarnation"])
    SrmMessage.objects.create(
        node=machine.server,
        kind=MessageKind.STARTED,
        payload={"incarnation": machine.incarnation},
        actor=actor,
    )


def _set_srm(machine: Machine, template: str, actor: str, *, running: bool) -> None:
    now = lab_now()
    machine.srm_running, machine.srm_silent = running, False
    machine.save(update_fields=["srm_running", "srm_silent"])
    NodeService.objects.filter(server=machine.server, name=SRM).update(
        running=running, since=lab_datetime(now)
    )
    _record(machine, template, actor, now, services=[SRM])


def _record(
    machine: Machine, template: str, actor: str, now: float, services: Sequence[str] = ()
) -> None:
    """Write into the history what ``template`` says of the machine's node, SRM and worker."""
    _told(machine, template, actor, now, services).save(force_insert=True)


def _told(
    machine: Machine, template: str, actor: str, now: float, services: Sequence[str] = ()
) -> HaEvent:
    named = {"srm": SRM, "node": machine.server.name, "worker": machine.srm_worker}
    # Whether its SRM reports from now on: the timeline is drawn from it.
    inputs: dict[str, Any] = {"reports": machine.powered and machine.srm_running}
    if services:
        inputs["services"] = services
    return events.event(
        kind=events.kind_of_deed(actor),
        sentence=say_row(template, named),
        node=machine.server,
        actor=actor,
        at=now,
        inputs=inputs,
    )
