"""What is said of the nodes is what holds now; what led there is told as past."""

import pytest

from redundancy.models import RedundancyGroup
from redundancy.operations import actions, power, services
from redundancy.operations.groups import disable_ha
from redundancy.selectors import live
from redundancy.selectors.live import GroupLive
from redundancy.srm.states import State
from tests.live.pair import ROUTER, Pair, server

AUTHENTICATION = "Cisco XCP Authentication Service"
BOTH = "Both nodes are reachable and their critical services run."


def shown() -> GroupLive:
    return live.group_live(RedundancyGroup.objects.get().pk)


def sentences() -> list[str]:
    return [str(row.sentence) for row in shown().rows]


def fail_over(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(5)
    assert pair.states() == (State.IDLE, State.BACKUP)


def test_a_late_peer_is_not_said_to_be_reachable(pair: Pair) -> None:
    assert sentences() == [BOTH, BOTH]
    power.power_off(server=server("imp-sub"), actor="")
    pair.run(40)
    first, _ = sentences()
    assert first.startswith("The critical services of imp-pub run. No heartbeat from imp-sub since")
    assert first.endswith(f"Before: {BOTH}")


def test_after_a_fallback_both_say_what_holds_first(pair: Pair) -> None:
    fail_over(pair)
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="")
    pair.run(20)
    assert pair.states() == (State.NORMAL, State.NORMAL)
    first, second = sentences()
    assert first.startswith(f"{BOTH} Before: ")
    assert second == f"{BOTH} Before: imp-pub serves its users again."


def test_a_failed_over_node_says_where_its_users_are(pair: Pair) -> None:
    fail_over(pair)
    first, second = sentences()
    assert first.startswith("The users are at imp-sub. Before: ")
    # Not that they are served: half of their clients have yet to log in, as the row says, too.
    assert second == "The sessions of all users are here."
    assert shown().rows[1].presence.waiting == 500
    assert shown().cause == "imp-pub was failed over by hand; imp-sub has all users."


@pytest.mark.parametrize("name", [AUTHENTICATION, ROUTER])
def test_who_lets_nobody_in_serves_nobody(pair: Pair, name: str) -> None:
    fail_over(pair)
    services.stop_service(server=server("imp-sub"), name=name, actor="")
    pair.run(3)
    found = shown()
    assert "imp-sub has all users." not in found.cause
    assert "imp-sub has all users, and nobody can log in there" in found.cause
    assert "The sessions of all users are here." not in found.rows[1].sentence.split("Before:")[0]


def test_a_normal_node_where_nobody_can_log_in_says_so(pair: Pair) -> None:
    services.stop_service(server=server("imp-sub"), name=AUTHENTICATION, actor="")
    pair.run(3)
    first, second = sentences()
    assert first == BOTH
    assert second == f"Nobody can log in here. Before: {BOTH}"
    assert [row.tone for row in shown().rows] == ["ok", "warn"]
    assert shown().cause == "Both nodes are healthy, but nobody can log in at imp-sub."
    assert shown().advice == "Start on imp-sub: Cisco XCP Authentication Service."


def test_a_node_without_the_sessions_is_not_said_to_serve_everybody(pair: Pair) -> None:
    fail_over(pair)
    RedundancyGroup.objects.update(holder=server("imp-pub"))
    assert shown().cause == (
        "imp-pub was failed over by hand; imp-sub does not have the users of its peer."
    )


def test_what_nobody_looks_at_is_not_green(pair: Pair) -> None:
    found = live.group_live(RedundancyGroup.objects.get().pk, seeing=False)
    assert [(row.state, row.tone) for row in found.rows] == [("Normal", "unseen")] * 2


def test_what_nobody_looks_at_is_told_as_past(pair: Pair) -> None:
    def unseen() -> GroupLive:
        return live.group_live(RedundancyGroup.objects.get().pk, seeing=False)

    found = unseen()
    assert [str(row.sentence) for row in found.rows] == [f"Not seen now. Before: {BOTH}"] * 2
    well = "Both nodes are healthy and serve their own users."
    assert (found.cause, found.advice) == (f"When the nodes were last seen: {well}", "")
    # What is wrong stays to be mended, and a node without power is known to have none.
    power.power_off(server=server("imp-pub"), actor="")
    pair.run(70)
    found, seen = unseen(), shown()
    assert found.cause == f"When the nodes were last seen: {seen.cause}"
    assert found.advice == seen.advice != ""
    assert found.rows[0].sentence == seen.rows[0].sentence
    # That High Availability is off is no matter of looking.
    disable_ha(group=RedundancyGroup.objects.get(), actor="")
    assert unseen().cause == "High Availability is not enabled."
