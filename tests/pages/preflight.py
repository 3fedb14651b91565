"""What the tests of the preflight do to a pair, and how they read what it finds."""

from collections.abc import Callable

from redundancy.models import RedundancyGroup, Server
from redundancy.operations import power, services
from redundancy.operations.users import add_users
from redundancy.parameters.writes.parameters import set_parameter
from redundancy.planned.reads.preflight import Preflight, preflight

ROUTER, DATABASE, ENGINE = "Cisco XCP Router", "A Cisco DB", "Cisco Presence Engine"
CHAT = "Cisco XCP Text Conference Manager"
SRM_PUB, SRM_SUB = (f"Server Recovery Manager of {name}" for name in ("imp-pub", "imp-sub"))
PUB_SERVICES, SUB_SERVICES = (f"Monitored services of {name}" for name in ("imp-pub", "imp-sub"))
BEATS = "Heartbeats between the nodes"
ALIKE = "Parameters that must match"


def look(group: RedundancyGroup) -> Preflight:
    found = preflight(group)
    assert found is not None
    return found


def failed(group: RedundancyGroup) -> dict[str, str]:
    return {check.label: check.sentence for check in look(group).failed}


def effects(group: RedundancyGroup) -> str:
    return " ".join(check.effect for check in look(group).failed)


def stop(name: str, *nodes: str) -> Callable[[], None]:
    def act() -> None:
        for node in nodes:
            services.stop_service(server=server(node), name=name, actor="")

    return act


def server(name: str) -> Server:
    return Server.objects.select_related("group").get(name=name)


def off(*nodes: str) -> Callable[[], None]:
    def act() -> None:
        for node in nodes:
            power.power_off(server=server(node), actor="")

    return act


def in_turn(*acts: Callable[[], None]) -> Callable[[], None]:
    def act() -> None:
        for each in acts:
            each()

    return act


def stop_srm() -> None:
    power.stop_srm(server=server("imp-sub"), actor="")


def upper(text: str) -> None:
    set_parameter(key="relogin_upper", value=text, server=server("imp-sub"), actor="")


def many_users(number: int = 501) -> None:
    rows = [(f"u{n}", "", f"u{n}@example.com", server("imp-pub")) for n in range(number)]
    add_users(rows=rows, actor="")
