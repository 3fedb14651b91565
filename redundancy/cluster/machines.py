"""What a node's machine and services are in a lab made of a snapshot. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from redundancy.catalog import SERVICES, SRM, XCP_ROUTER, Service, ServiceKind
from redundancy.cluster.lab_plan import PlannedService
from redundancy.cluster.snapshot import Node, Value
from redundancy.srm.states import NOT_RESPONDING
from redundancy.srm.words import say

_NOT_ACTIVATED = "Service Not Activated"
_AS_NEW = say("on a new node")


@dataclass(frozen=True, slots=True)
class PlannedMachine:
    """Power, SRM and services of a node.

    ``assumed``: what, why, and as what it is taken; ``unknown``: services that the lab does not have.
    """

    powered: bool
    srm_running: bool
    services: Mapping[str, PlannedService]
    assumed: tuple[tuple[str, str, str], ...]
    unknown: list[str]


def machine_of(node: Node) -> PlannedMachine:
    """Return the machine of a node."""
    assumed: list[tuple[str, str, str]] = []
    services: dict[str, PlannedService] = {}
    absent, disputed, unread, halted = [], [], [], []
    router = node.services.get(XCP_ROUTER)
    # Without it no XCP service runs.
    stopped = router is not None and not router.disputed and router.text.startswith("STOPPED")
    for service in SERVICES:
        told = node.services.get(service.name)
        made = _made(service, told)
        if made is None and stopped and service.xcp and service.by_default:
            made = PlannedService(True, False)
            halted.append(service.name)
        elif made is None:
            made = PlannedService(service.by_default, service.by_default)
            if told is None:
                absent.append(service.name)
            elif told.disputed:
                disputed.append(service.name)
            else:
                unread.append(service.name)
        elif told is not None and told.text.startswith(("STARTING", "STOPPING")):
            value = say("started") if made.running else say("stopped")
            assumed.append((service.name, told.text, value))
        services[service.name] = made
    for names, why in (
        (absent, say("not told")),
        (disputed, say("disputed")),
        (unread, say("cannot be read")),
    ):
        if len(names) == len(SERVICES):
            assumed.append((say("services"), why, _AS_NEW))
        elif names:
            assumed.append((", ".join(names), why, _AS_NEW))
    if halted:
        why = say("{service} is stopped", service=XCP_ROUTER)
        assumed.append((", ".join(halted), why, say("stopped")))
    known = {service.name for service in SERVICES}
    unknown = [name for name in node.services if name not in known]
    powered, srm = _power(node, assumed, all_unread=len(unread) == len(node.services) > 0)
    services[SRM] = PlannedService(True, services[SRM].running)
    srm = srm and (services[SRM].running or not powered)
    return PlannedMachine(powered, srm, services, tuple(assumed), unknown)


def _made(service: Service, told: Value | None) -> PlannedService | None:
    """Return a service as it is told; None where nothing is, or nothing to go by."""
    if told is None or told.disputed or told.unread:
        return None
    if _NOT_ACTIVATED in told.text and service.kind is ServiceKind.FEATURE:
        return PlannedService(False, False)
    return PlannedService(True, told.text.startswith(("STARTED", "STARTING")))


def _power(
    node: Node, assumed: list[tuple[str, str, str]], *, all_unread: bool
) -> tuple[bool, bool]:
    """Return whether the node is on, and whether its SRM runs."""
    silent = (
        node.state is not None and not node.state.disputed and node.state.text == NOT_RESPONDING
    )
    away = node.reached is not None and not node.reached.disputed and node.reached.text == "no"
    read = bool(node.services) and not all_unread
    if (away or silent or all_unread) and not read and (away or all_unread):
        why = say("it is not reached") if away else say("none of its services can be read")
        assumed.append((say("Power"), why, say("switched off")))
        return False, True
    if silent:
        assumed.append((SRM, say("it does not respond"), say("stopped")))
        return True, False
    return True, True
