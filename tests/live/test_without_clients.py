"""A deployment without clients: that nobody can log in is no trouble there, until somebody wants to."""

from redundancy.alarms.reads import conditions
from redundancy.models import AlarmKind, PresenceUser
from redundancy.operations import presence
from redundancy.operations.activation import set_activations, start_login_services
from redundancy.operations.sample import DEPLOYMENT_BY_KEY
from redundancy.planned.reads.check import Result
from redundancy.planned.reads.preflight import preflight
from redundancy.selectors import cluster, effects, live
from redundancy.selectors.access import missing_services, without_clients
from redundancy.selectors.live import NodeRow
from tests.live.pair import Pair, server

OFF = dict.fromkeys(DEPLOYMENT_BY_KEY["rcc"].deactivated, False)
MANAGER = "Cisco XCP Connection Manager"


def deactivate(*names: str) -> None:
    for name in names:
        set_activations(server=server(name), activated=OFF, actor="ann")


def rows() -> tuple[NodeRow, ...]:
    [group] = live.all_live()
    return group.rows


def told() -> list[str]:
    return [each.sentence for each in conditions() if each.kind == AlarmKind.SERVICE_STOPPED]


def logins() -> list[tuple[Result, str]]:
    group = server("imp-pub").group
    assert group is not None
    checked = preflight(group)
    assert checked is not None
    return [(c.result, c.sentence) for c in checked.checks if c.label.startswith("Logins at")]


def test_nothing_is_missed_where_nobody_is_to_log_in(pair: Pair) -> None:
    deactivate("imp-pub", "imp-sub")
    presence.sign(users=PresenceUser.objects.all(), out=True, actor="ann")
    pair.run(2)
    assert set(missing_services([row.server_id for row in rows()])) == {
        row.server_id for row in rows()
    }
    assert [(row.tone, row.missing) for row in rows()] == [("ok", ())] * 2
    assert [node.tone for node in cluster.survey().outlines[0].nodes] == ["ok", "ok"]
    assert told() == []
    assert [result for result, _ in logins()] == [Result.PASSED] * 2
    assert {text for _, text in logins()} == {
        "Nobody is to log in here: nobody is signed in, and services that a login needs are activated on "
        "neither node."
    }
    [group] = live.all_live()
    assert effects.of_disabling(group) == []
    assert effects.shut_after("failover", server("imp-pub"), server("imp-sub")) == []
    # One user who signs in wants what is not there.
    presence.sign(users=PresenceUser.objects.filter(userid="user0001"), out=False, actor="ann")
    pair.run(2)
    assert all(MANAGER in row.missing and row.tone == "warn" for row in rows())
    assert len(told()) == 2
    assert [result for result, _ in logins()] == [Result.FAILED] * 2


def test_what_one_node_only_lacks_is_missed(pair: Pair) -> None:
    presence.sign(users=PresenceUser.objects.all(), out=True, actor="ann")
    deactivate("imp-sub")
    pair.run(2)
    assert [bool(row.missing) for row in rows()] == [False, True]
    assert len(told()) == 1


def test_users_who_are_signed_in_miss_what_no_node_has(pair: Pair) -> None:
    deactivate("imp-pub", "imp-sub")
    pair.run(2)
    assert all(MANAGER in row.missing for row in rows())
    assert len(told()) == 2
    for name in ("imp-pub", "imp-sub"):
        start_login_services(server=server(name), actor="ann")
    pair.run(2)
    assert told() == []


def test_a_node_without_power_is_not_excused(pair: Pair) -> None:
    deactivate("imp-pub", "imp-sub")
    presence.sign(users=PresenceUser.objects.all(), out=True, actor="ann")
    keys = [row.server_id for row in rows()]
    assert without_clients(keys) == set(keys)
    pub = server("imp-pub")
    type(pub.machine).objects.filter(pk=pub.pk).update(powered=False)
    assert without_clients(keys) == set(keys) - {pub.pk}
