"""What the Control Center can do to a service or a node, and what to know before doing it.

While High Availability is on, SRM takes a stopped service for a failed one. So everything that
takes something away from a node asks first. Start and Power On do not: they are the cure of what
SRM found, and switching High Availability off for them would send users to a node that cannot serve.
"""

from collections.abc import Callable
from dataclasses import dataclass

from redundancy.catalog import SRM, XCP_ROUTER
from redundancy.models import Server, ServiceStatus
from redundancy.operations import power, services
from redundancy.selectors import live, nodes
from redundancy.selectors.servers import assigned_count
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


def already(act: Act, server: Server, row: ServiceRow | None) -> str:
    """Return why there is nothing to do for ``act``, empty when there is."""
    machine = server.machine
    if row is not None:
        if act.key == "start" and row.status == ServiceStatus.STARTED:
            return f"{row.name} on {server.name} is started already; nothing was done."
        if act.key == "stop" and row.status == ServiceStatus.STOPPED:
            return f"{row.name} on {server.name} is stopped already; nothing was done."
    elif act.key == "power_on" and machine.powered:
        return f"{server.name} is on already; nothing was done."
    elif act.key == "power_off" and not machine.powered and machine.boots_at is None:
        return f"{server.name} is off already; nothing was done."
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
    partner = nodes.peer(server)
    peer = partner.name if partner else "its peer"
    assigned = assigned_count(server)
    concerns = f"Assigned to {server.name}: {effects.users(assigned)}." if assigned else ""
    consequences = (*_effects(act.key, service, server.name, peer), concerns)
    return Caution(
        title=f"{act.label}: {service or server.name}",
        group=group.name,
        effects=tuple(filter(None, consequences)),
        loss=tuple(effects.of_disabling(live.group_live(group.pk))),
    )


def _effects(act: str, service: str, node: str, peer: str) -> tuple[str, ...]:
    silence = f"After the Keep Alive (Heartbeat) Timeout {peer} declares it down and takes its users over."
    if service == SRM or act == "restart_srm":
        if act == "stop":
            return (f"Without its SRM {node} sends no heartbeat. {silence}",)
        return (
            f"SRM of {node} forgets which wait it was in: what it had not finished begins again.",
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
