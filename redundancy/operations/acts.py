"""What can be done by hand to a service or a node, and what needs confirming before it is done.

While High Availability is on, SRM takes a stopped service for a failed one. So everything that
takes something away from a node asks first, and so does what stops a service that a login needs.
Start and Power On do not: they are the cure of what SRM found, and switching High Availability off
for them would send users to a node that cannot serve.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from redundancy.catalog import SRM, XCP_ROUTER
from redundancy.models import Machine, Server, ServiceStatus
from redundancy.operations import power, services
from redundancy.selectors import effects, live, nodes
from redundancy.selectors.access import unmonitored
from redundancy.selectors.services import ServiceRow
from redundancy.srm.words import listed, mark, say, together


@dataclass(frozen=True, slots=True)
class Act:
    """Something that can be done.

    Args:
        key: What the button sends.
        label: What the button says.
        icon: Its icon.
        run: Does it; keyword arguments ``server`` (and ``name`` of the service) and ``actor``.
        done: What was done, with ``{node}`` and ``{service}``: a template, as ``say_row`` takes it.
        takes_away: Whether the node serves less afterwards, if only for a moment.

    """

    key: str
    label: str
    icon: str
    run: Callable[..., object]
    done: str
    takes_away: bool = True


def _by_key(*acts: Act) -> dict[str, Act]:
    return {act.key: act for act in acts}


FALLBACK_AGAIN = say("The 30 minutes of an automatic fallback begin again.")
_START = mark("{service} on {node} was started.")
_STOP = mark("{service} on {node} was stopped.")
_RESTART = mark("{service} on {node} was restarted.")
SERVICE_ACTS = _by_key(
    Act("start", say("Start"), "start", services.start_service, _START, takes_away=False),
    Act("stop", say("Stop"), "stop", services.stop_service, _STOP),
    Act("restart", say("Restart"), "recover", services.restart_service, _RESTART),
)

_ON, _SHUT = mark("{node} was powered on."), mark("{node} shuts down.")
_REBOOT, _OFF = mark("{node} restarts."), mark("{node} was powered off without warning.")
_SRM = mark("Cisco Server Recovery Manager on {node} was restarted.")
NODE_ACTS = _by_key(
    Act("power_on", say("Power On"), "start", power.power_on, _ON, takes_away=False),
    Act("shut_down", say("Shut Down"), "stop", power.shut_down, _SHUT),
    Act("reboot", say("Restart Node"), "recover", power.reboot, _REBOOT),
    Act("power_off", say("Power Off (sudden)"), "power", power.power_off, _OFF),
    Act("restart_srm", say("Restart SRM"), "recover", power.restart_srm, _SRM),
)


@dataclass(frozen=True, slots=True)
class Caution:
    """What needs confirming before it is done while High Availability of ``group`` is on.

    ``because``: why that matters. ``effects`` of doing it now; ``loss`` of disabling High Availability
    first, where that takes service from somebody. ``unseen``: SRM does not notice it, so that disabling
    High Availability first changes nothing.
    """

    what: str
    group: str
    because: str
    effects: tuple[str, ...]
    loss: tuple[str, ...]
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Buttons:
    """What can be done to a node: each act and whether its power allows it; ``note`` says why not."""

    acts: tuple[tuple[Act, bool], ...]
    note: str


def node_buttons(server: Server) -> Buttons:
    """Return the buttons of the node."""
    machine = server.machine
    acts = tuple((act, fits(act, machine)) for act in NODE_ACTS.values())
    unfit = together((act.label for act, fit in acts if not fit), ", ")
    if machine.powered:
        note = say("{node} is on; not possible now: {acts}.", node=server.name, acts=unfit)
    elif machine.boots_at is None:
        note = say("{node} is off; not possible now: {acts}.", node=server.name, acts=unfit)
    else:
        note = say("{node} is restarting; not possible now: {acts}.", node=server.name, acts=unfit)
    return Buttons(acts, note)


def fits(act: Act, machine: Machine) -> bool:
    """Return whether the power of ``machine`` allows ``act``."""
    match act.key:
        case "power_on":
            return not machine.powered
        case "power_off":
            return machine.powered or machine.boots_at is not None
        case _:
            return machine.powered


def already(act: Act, server: Server, row: ServiceRow | None) -> str:
    """Return why there is nothing to do for ``act``, empty when there is."""
    machine = server.machine
    if row is not None:
        if act.key == "start" and row.status == ServiceStatus.STARTED:
            return say(
                "{service} on {node} is started already; nothing was done.",
                service=row.name,
                node=server.name,
            )
        if act.key == "start" and row.status == ServiceStatus.STARTING:
            return say(
                "{service} on {node} is starting already; nothing was done.",
                service=row.name,
                node=server.name,
            )
        if act.key == "stop" and row.status == ServiceStatus.STOPPED:
            return say(
                "{service} on {node} is stopped already; nothing was done.",
                service=row.name,
                node=server.name,
            )
    elif act.key in {"power_on", "power_off"} and not fits(act, machine):
        # Power On fits a node that restarts, and Power Off too.
        if machine.powered:
            return say("{node} is on already; nothing was done.", node=server.name)
        return say("{node} is off already; nothing was done.", node=server.name)
    return ""


def caution(act: Act, server: Server, row: ServiceRow | None) -> Caution | None:
    """Return what needs confirming before ``act``; None when it can be done without asking.

    ``row`` is None when the act concerns the whole node. Nothing is asked before what the power of
    the node does not allow: the act itself is refused.
    """
    service = row.name if row else ""
    if not act.takes_away or not fits(act, server.machine):
        return None
    what = say("{act}: {subject}", act=act.label, subject=service or server.name)
    if row is not None and not row.monitored and service != SRM:
        stopped = [service] if row.started else []
        return caution_unseen(server, what, stopped, again=act.key == "restart")
    because = say("Its SRM cannot tell planned work from a failure.")
    goes_away = row is None and act.key != "restart_srm"
    single = [effects.SINGLE] if goes_away and server.is_publisher else []
    return caution_of(
        server,
        what,
        because,
        lambda peer: [*_effects(act.key, service, server.name, peer), *single],
    )


def caution_unseen(
    server: Server, what: str, stopped: Iterable[str], *, again: bool = False
) -> Caution | None:
    """Return the caution before services stop that SRM does not monitor; None when no client notices.

    ``again``: they start again at once.
    """
    services = unmonitored(stopped)
    told = effects.of_login_services(server.name, services, again=again)
    if not told:
        return None
    because = say("SRM does not monitor {services}.", services=listed(services))
    return caution_of(server, what, because, lambda _peer: told, unseen=True)


def caution_of(
    server: Server,
    what: str,
    because: str,
    effects_with: Callable[[str], Iterable[str]],
    *,
    unseen: bool = False,
) -> Caution | None:
    """Return the caution before ``what`` is done to ``server``; None unless High Availability is on.

    ``effects_with``: gives the effects, by the name of the peer. ``unseen``: as in ``Caution``.
    """
    group = server.group
    if group is None or not group.ha_enabled:
        return None
    current = live.live_of([group.pk]).get(group.pk)
    if current is None:
        return None
    partner = nodes.peer(server)
    peer = partner.name if partner else say("its peer")
    active = sum(each.active for each in current.rows if each.server_id == server.pk)
    concerns = [effects.logged_in(server.name, active)] if active else []
    return Caution(
        what=what,
        group=group.name,
        because=because,
        effects=(*effects_with(peer), *concerns),
        loss=() if unseen else tuple(effects.of_disabling(current)),
        unseen=unseen,
    )


def _effects(act: str, service: str, node: str, peer: str) -> tuple[str, ...]:
    silence = say(
        "After the Keep Alive (Heartbeat) Timeout {peer} declares it down and takes its users over.",
        peer=peer,
    )
    if service == SRM or act == "restart_srm":
        if act == "stop":
            mute = say("Without its SRM {node} sends no heartbeat.", node=node)
            return (together([mute, silence]),)
        return (
            say(
                "SRM of {node} starts again, and its waits begin anew: "
                "those for a heartbeat, for a service, and for an automatic fallback.",
                node=node,
            ),
        )
    if not service:
        if act == "power_off":
            return (together([say("{node} falls silent without a word.", node=node), silence]),)
        return (
            say(
                "SRM of {node} announces it, and {peer} takes its users over at once.",
                node=node,
                peer=peer,
            ),
        )
    down = say(
        "If it stays down for the Critical Service Delay, {node} fails over to {peer}: "
        "its users are disconnected and log in again there.",
        node=node,
        peer=peer,
    )
    again = FALLBACK_AGAIN
    if service == XCP_ROUTER:
        if act == "stop":
            all_stop = say(
                "Every XCP service of {node} stops with it, and stays stopped.", node=node
            )
            return (all_stop, down)
        return (say("Every running XCP service of {node} restarts with it.", node=node), again)
    if act == "stop":
        return (together([say("{service} is monitored by SRM.", service=service), down]),)
    return (say("{service} is monitored by SRM, which sees it go down.", service=service), again)
