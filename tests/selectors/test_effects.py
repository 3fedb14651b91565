"""What an administrator reads before a pair is recovered, or High Availability disabled."""

import pytest

from redundancy.models import RedundancyGroup, Server
from redundancy.operations import power, services
from redundancy.operations.groups import disable_ha, edit_group, enable_ha
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.selectors import effects, live
from redundancy.selectors.access import missing_services
from redundancy.srm.states import Reason, State
from tests.labtime import stand_at
from tests.memory import remember, remember_pair
from tests.relogin.pair import BEGIN, node, take_over

pytestmark = pytest.mark.django_db

ROUTER, ENGINE, AUTHENTICATION = (
    "Cisco XCP Router",
    "Cisco Presence Engine",
    "Cisco XCP Authentication Service",
)
FAILED = (State.FAILED, Reason.CRITICAL_SERVICE_DOWN)
NORMAL = (State.NORMAL, Reason.NORMAL)
OVER = (State.FAILED_OVER_DOWN, Reason.CRITICAL_SERVICE_DOWN)
BACKUP = (State.BACKUP_ACTIVATED, Reason.CRITICAL_SERVICE_DOWN)
HOME = "the node they are assigned to"
LOGINS = [
    f"Logins at {HOME}: 0.1 per second at the peak, the busiest 10 s, which half of such moves stay "
    "below. Back again: 50 % after 5 min 28 s, 95 % after 8 min 36 s, 100 % after 8 min 57 s.",
    effects.TEMPORARY,
]


@pytest.fixture
def group() -> RedundancyGroup:
    """A pair with HA on; two users are at home on imp-pub, one on imp-sub."""
    stand_at(BEGIN)
    pub, sub = (
        add_server(name=name, server_type="imp", actor="") for name in ("imp-pub", "imp-sub")
    )
    assert pub.group
    edit_group(group=pub.group, name="pair", description="", first=pub, second=sub, actor="")
    homes = {"ann": pub, "bob": pub, "cid": sub}
    add_users(
        rows=[(user, "", f"{user}@example.com", home) for user, home in homes.items()], actor=""
    )
    return enable_ha(group=pub.group, actor="")


def before(action: str, group: RedundancyGroup) -> list[str]:
    row, peer = live.group_live(group.pk).rows
    servers = {server.pk: server for server in Server.objects.select_related("group")}
    return effects.of_action(action, row, peer, servers)


RECOVER = [
    "The Server Recovery Manager of imp-pub and of imp-sub is restarted.",
    "Critical services that are stopped are started on both nodes.",
    "3 users may be without service until both nodes are Normal.",
]


def test_before_recover_everybody_is_named_and_who_goes_home(group: RedundancyGroup) -> None:
    remember_pair(node("imp-pub"), FAILED, node("imp-sub"), FAILED)
    assert before("recover", group) == RECOVER
    take_over("imp-sub")
    assert before("recover", group) == [*RECOVER, f"2 sessions move to {HOME}.", *LOGINS]


def test_before_a_fallback_those_who_still_wait_are_told_and_no_zero(
    group: RedundancyGroup,
) -> None:
    pub, sub = node("imp-pub"), node("imp-sub")
    remember(pub, (State.FAILED_OVER, Reason.ON_ADMIN_REQUEST), sub, BACKUP)
    remember(sub, BACKUP, pub, (State.FAILED_OVER, Reason.ON_ADMIN_REQUEST))
    take_over("imp-sub")
    wait = "2 users who still wait to log in are moved, too, and log in at {}."
    assert wait.format("imp-pub") in before("fallback", group)
    assert wait.format(HOME) in before_disabling(group)
    assert not any("disconnected" in each for each in before("fallback", group))
    stand_at(BEGIN + 600)
    told = before("fallback", group)
    assert "2 users of imp-pub are disconnected from imp-sub and log in at imp-pub." in told
    assert not any("still wait" in each for each in told)


def before_disabling(group: RedundancyGroup) -> list[str]:
    return effects.of_disabling(live.group_live(group.pk))


def test_before_disabling_nothing_is_said_while_everybody_is_at_home(
    group: RedundancyGroup,
) -> None:
    remember_pair(node("imp-pub"), NORMAL, node("imp-sub"), NORMAL)
    assert before_disabling(group) == []


def test_before_disabling_is_said_who_goes_home_to_what(group: RedundancyGroup) -> None:
    pub, sub = node("imp-pub"), node("imp-sub")
    services.stop_service(server=pub, name=ENGINE, actor="")
    remember(pub, OVER, sub, BACKUP, stopped=(ENGINE,))
    remember(sub, BACKUP, pub, OVER)
    # What SRM stopped it starts again. Nobody has moved yet.
    again = f"What SRM stopped on imp-pub is started again: {ENGINE}."
    assert before_disabling(group) == [again, effects.UNPROTECTED]
    take_over("imp-sub")
    moved = [
        f"2 sessions move to {HOME}.",
        f"2 users are disconnected and log in at {HOME}.",
        *LOGINS,
    ]
    stand_at(BEGIN + 600)
    assert before_disabling(group) == [*moved, again, effects.UNPROTECTED]
    # What somebody else stopped stays so, and who goes home to it is not served.
    remember(pub, OVER, sub, BACKUP)
    unserved = (
        f"imp-pub will serve nobody: somebody must start {ENGINE}. "
        "Its 2 users are without service until then."
    )
    nobody_logs_in = [moved[0], "2 users are disconnected."]
    assert before_disabling(group) == [*nobody_logs_in, unserved, effects.UNPROTECTED]
    # Both at once.
    services.stop_service(server=pub, name=AUTHENTICATION, actor="")
    remember(pub, OVER, sub, BACKUP, stopped=(ENGINE,))
    assert before_disabling(group) == [
        *nobody_logs_in,
        again,
        unserved.replace(ENGINE, AUTHENTICATION),
        effects.UNPROTECTED,
    ]
    power.power_off(server=pub, actor="")
    without_power = (
        "imp-pub has no power, and must be powered on. Its 2 users are without service until then."
    )
    assert before_disabling(group) == [*nobody_logs_in, without_power, effects.UNPROTECTED]


def test_before_disabling_what_stopped_with_the_router_is_not_missed(
    group: RedundancyGroup,
) -> None:
    """As after a failover by hand: SRM stops the router, which takes the services with it that a login needs."""
    pub, sub = node("imp-pub"), node("imp-sub")
    stand_at(BEGIN + 10)
    services.stop_service(server=pub, name=ROUTER, actor="")
    remember(pub, OVER, sub, BACKUP, stopped=(ROUTER,))
    remember(sub, BACKUP, pub, OVER)
    (again, unprotected) = before_disabling(group)
    assert again.startswith(f"What SRM stopped on imp-pub is started again: {ROUTER},")
    assert "Cisco XCP Authentication Service" in again
    assert unprotected == effects.UNPROTECTED
    # It says what is done.
    disable_ha(group=group, actor="")
    assert missing_services([pub.pk]) == {}


@pytest.mark.parametrize("name", [ROUTER, AUTHENTICATION])
def test_before_disabling_is_said_who_is_not_served_at_home_either(
    group: RedundancyGroup, name: str
) -> None:
    remember_pair(node("imp-pub"), NORMAL, node("imp-sub"), NORMAL)
    services.stop_service(server=node("imp-sub"), name=name, actor="")
    (unserved, unprotected) = before_disabling(group)
    assert unserved.startswith(f"imp-sub will serve nobody: somebody must start {name}")
    assert unserved.endswith("Its 1 user is without service until then.")
    assert unprotected == effects.UNPROTECTED
