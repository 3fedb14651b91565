"""What the Control Center can do to a service or a node, and what to know before doing it.

While High Availability is on, SRM takes a stopped service for a failed one. So everything that
takes something away from a node asks first. Start and Power On do not: they are the cure of what
SRM found, and switching High Availability off for them would send users to a node that cannot serve.
"""

from collections.abc import Callable
from dataclasses import dataclass

from redundancy.catalog import SRM, XCP_ROUTER
from redundancy.models import Machine, Server, ServiceStatus
from redundancy.operations import power, services
from redundancy.selectors import live, nodes
from redundancy.selectors.services import ServiceRow
from redundancy.views import effects


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done.

    Args:
        key: What the button sends.
        label: What the button says.
        icon: Its icon.
        run: Does it; keyword arguments ``server`` (and ``name`` of the service) and ``actor``.
        done: What was done, with ``{node}`` and ``{service}``.
        takes_away: Whether the node serves less afterwards, if only for a moment.

    """

    key: str
    label: str
    icon: str
    run: Callable[..., object]
    done: str
    takes_away: bool = True


SERVICE_ACTS: dict[str, Act] = {
    act.key: act
    for act in (
        Act(
            "start",
            "Start",
            "start",
            services.start_service,
            "{service} on {node} was started.",
            takes_away=False,
        ),
        Act("stop", "Stop", "stop", services.stop_service, "{service} on {node} was stopped."),
        Act(
            "restart",
            "Restart",
            "recover",
            services.restart_service,
            "{service} on {node} was restarted.",
        ),
    )
}

NODE_ACTS: dict[str, Act] = {
    act.key: act
    for act in (
        Act(
            "power_on",
            "Power On",
            "start",
            power.power_on,
            "{node} was powered on.",
            takes_away=False,
        ),
        Act("shut_down", "Shut Down", "stop", power.shut_down, "{node} shuts down."),
        Act("reboot", "Restart Node", "recover", power.reboot, "{node} restarts."),
        Act(
            "power_off",
            "Power Off (sudden)",
            "power",
            power.power_off,
            "{node} was powered off without warning.",
        ),
        Act(
            "restart_srm",
            "Restart SRM",
            "recover",
            power.restart_srm,
            f"{SRM} on {{node}} was restarted.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Caution:
    """What to know before something is done while High Availability is on.

    ``effects`` of doing it now; ``loss`` of disabling High Availability first, where that takes
    service from somebody.
    """

    title: str
    group: str
    effects: tuple[str, ...]
    loss: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Buttons:
    """What can be done to a node: each act and whether its power allows it; ``note`` says why not."""

    acts: tuple[tuple[Act, bool], ...]
    note: str


def node_buttons(server: Server) -> Buttons:
    """Return the buttons of the node."""
    machine = server.machine
    acts = tuple((act, _fits(act, machine)) for act in NODE_ACTS.values())
    unfit = ", ".join(act.label for act, fits in acts if not fits)
    return Buttons(acts, f"{server.name} is {_power(machine)}; not possible now: {unfit}.")


def _fits(act: Act, machine: Machine) -> bool:
    match act.key:
        case "power_on":
            return not machine.powered
        case "power_off":
            return machine.powered or machine.boots_at is not None
        case _:
            return machine.powered


def _power(machine: Machine) -> str:
    if machine.powered:
        return "on"
    return "off" if machine.boots_at is None else "restarting"


def already(act: Act, server: Server, row: ServiceRow | None) -> str:
    """Return why there is nothing to do for ``act``, empty when there is."""
    machine = server.machine
    if row is not None:
        if act.key == "start" and row.status == ServiceStatus.STARTED:
            return f"{row.name} on {server.name} is started already; nothing was done."
        if act.key == "stop" and row.status == ServiceStatus.STOPPED:
            return f"{row.name} on {server.name} is stopped already; nothing was done."
    elif act.key in {"power_on", "power_off"} and not _fits(act, machine):
        return f"{server.name} is {_power(machine)} already; nothing was done."
    return ""


def caution(act: Act, server: Server, row: ServiceRow | None) -> Caution | None:
    """Return what to know before ``act``; None when it can be done without asking.

    ``row`` is None when the act concerns the whole node.
    """
    group = server.group
    service = row.name if row else ""
    watched = row is None or row.monitored or service == SRM
    if group is None or not group.ha_enabled or not act.takes_away or not watched:
        return None
    shown = live.live_of([group.pk]).get(group.pk)
    if shown is None:
        return None
    partner = nodes.peer(server)
    peer = partner.name if partner else "its peer"
    active = sum(each.active for each in shown.rows if each.server_id == server.pk)
    concerns = [f"Logged in on {server.name} now: {effects.users(active)}."] if active else []
    return Caution(
        title=f"{act.label}: {service or server.name}",
        group=group.name,
        effects=(*_effects(act.key, service, server.name, peer), *concerns),
        loss=tuple(effects.of_disabling(shown)),
    )


def _effects(act: str, service: str, node: str, peer: str) -> tuple[str, ...]:
    silence = f"After the Keep Alive (Heartbeat) Timeout {peer} declares it down and takes its users over."
    if service == SRM or act == "restart_srm":
        if act == "stop":
            return (f"Without its SRM {node} sends no heartbeat. {silence}",)
        return (
            f"SRM of {node} starts again, and its waits begin anew: "
            "those for a heartbeat, for a service, and for an automatic fallback.",
        )
    if not service:
        if act == "power_off":
            return (f"{node} falls silent without a word. {silence}",)
        return (f"SRM of {node} announces it, and {peer} takes its users over at once.",)
    down = (
        f"If it stays down for the Critical Service Delay, {node} fails over to {peer}: "
        "its users are disconnected and log in again there."
    )
    again = "The 30 minutes of an automatic fallback begin again."
    if service == XCP_ROUTER:
        if act == "stop":
            return (f"Every XCP service of {node} stops with it, and stays stopped.", down)
        return (f"Every running XCP service of {node} restarts with it.", again)
    return (
        (f"{service} is monitored by SRM. {down}",)
        if act == "stop"
        else (
            f"{service} is monitored by SRM, which sees it go down.",
            again,
        )
    )
