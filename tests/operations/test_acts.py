"""What is told before something is done to a node while High Availability is on."""

import pytest

from redundancy.catalog import PRESENCE_ENGINE, SRM, XCP_ROUTER
from redundancy.models import Machine
from redundancy.operations.acts import FALLBACK_AGAIN, NODE_ACTS, SERVICE_ACTS, Caution, caution
from redundancy.selectors.effects import SINGLE
from redundancy.selectors.services import services_of
from tests.operations.pairs import make_pairs, node

pytestmark = pytest.mark.django_db
SILENCE = "After the Keep Alive (Heartbeat) Timeout a1 declares it down and takes its users over."
DOWN = (
    "If it stays down for the Critical Service Delay, a2 fails over to a1: its users are "
    "disconnected and log in again there."
)
BEGINS = (
    "SRM of a2 starts again, and its waits begin anew: those for a heartbeat, for a service, and "
    "for an automatic fallback."
)
ANNOUNCED = "SRM of a2 announces it, and a1 takes its users over at once."


@pytest.fixture(autouse=True)
def pairs() -> None:
    make_pairs()


def before(act: str, service: str = "", name: str = "a2") -> Caution | None:
    server = node(name)
    rows = {row.name: row for row in services_of(server)}
    acts = SERVICE_ACTS if service else NODE_ACTS
    return caution(acts[act], server, rows.get(service))


@pytest.mark.parametrize(
    ("act", "service", "effects"),
    [
        ("shut_down", "", [ANNOUNCED]),
        ("reboot", "", [ANNOUNCED]),
        ("power_off", "", [f"a2 falls silent without a word. {SILENCE}"]),
        ("restart_srm", "", [BEGINS]),
        ("restart", SRM, [BEGINS]),
        ("stop", SRM, [f"Without its SRM a2 sends no heartbeat. {SILENCE}"]),
        (
            "stop",
            XCP_ROUTER,
            ["Every XCP service of a2 stops with it, and stays stopped.", DOWN],
        ),
        (
            "restart",
            XCP_ROUTER,
            ["Every running XCP service of a2 restarts with it.", FALLBACK_AGAIN],
        ),
        ("stop", PRESENCE_ENGINE, [f"{PRESENCE_ENGINE} is monitored by SRM. {DOWN}"]),
        (
            "restart",
            PRESENCE_ENGINE,
            [f"{PRESENCE_ENGINE} is monitored by SRM, which sees it go down.", FALLBACK_AGAIN],
        ),
    ],
)
def test_what_it_does_is_told(act: str, service: str, effects: list[str]) -> None:
    told = before(act, service)
    assert told is not None
    assert list(told.effects[: len(effects)]) == effects
    assert len(told.effects) == len(effects) + 1
    assert "3 users" in told.effects[-1]
    assert (told.group, told.unseen) == ("a", False)
    kind = SERVICE_ACTS if service else NODE_ACTS
    assert told.what == f"{kind[act].label}: {service or 'a2'}"


@pytest.mark.parametrize(
    ("act", "single"),
    [("shut_down", True), ("reboot", True), ("power_off", True), ("restart_srm", False)],
)
def test_what_the_publisher_alone_does_is_told_when_it_goes_away(act: str, single: bool) -> None:
    told, other = before(act, name="a1"), before(act, name="a2")
    assert told is not None
    assert other is not None
    assert (SINGLE in told.effects) == single
    assert SINGLE not in other.effects


def test_what_takes_nothing_away_or_cannot_be_done_needs_no_caution() -> None:
    assert before("start", XCP_ROUTER) is None
    Machine.objects.filter(server=node("a2")).update(powered=False)
    assert before("power_on") is None
    assert before("shut_down") is None
