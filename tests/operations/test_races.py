"""Two administrators at once, on two connections: one rule, one winner, never a broken row."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from redundancy.errors import Refused, Stale, Taken
from redundancy.models import (
    Machine,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)
from redundancy.operations import locks, power
from redundancy.operations.groups import add_group, delete_group, disable_ha, enable_ha
from redundancy.operations.presence import sign
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server, delete_server
from redundancy.operations.users import add_users
from redundancy.parameters.writes.parameters import set_parameter, set_parameters
from redundancy.selectors.parameters import clusterwide
from tests.stacks import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def together(*acts: Callable[[], object]) -> list[Exception]:
    """Do everything at the same time; return what was raised."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> Exception | None:
        try:
            barrier.wait()
            act()
        except Exception as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return [error for error in pool.map(run, acts) if error is not None]


def node(name: str) -> Server:
    return add_server(name=name, server_type="imp", actor="tester")


def test_two_first_nodes_make_one_publisher() -> None:
    assert together(*(lambda name=name: node(name) for name in ("imp-1", "imp-2", "imp-3"))) == []
    assert Server.objects.filter(is_publisher=True).count() == 1
    assert RedundancyGroup.objects.count() == 1


def test_one_of_two_equal_names_is_refused() -> None:
    node("imp-pub")
    errors = together(lambda: node("imp-sub"), lambda: node("IMP-SUB"))
    assert [type(error) for error in errors] == [Taken]
    free = [node("imp-3"), node("imp-4")]
    errors = together(
        *(lambda one=one: add_group(name="Berlin", first=one, actor="tester") for one in free)
    )
    assert [type(error) for error in errors] == [Taken]


def test_a_server_joins_one_of_two_groups() -> None:
    node("imp-pub")
    free = node("imp-sub")
    errors = together(
        *(lambda name=name: add_group(name=name, first=free, actor="tester") for name in "AB")
    )
    assert [type(error) for error in errors] == [Refused]
    assert RedundancyGroup.objects.count() == 2


def test_parameters_that_contradict_each_other_are_not_both_set() -> None:
    errors = together(
        lambda: set_parameter(key="heartbeat_interval", value="30", actor="tester"),
        lambda: set_parameter(key="heartbeat_timeout", value="30", actor="tester"),
    )
    assert [type(error) for error in errors] == [Refused]
    assert ServiceParameter.objects.count() == 1
    values = clusterwide()
    assert int(values["heartbeat_timeout"]) >= 2 * int(values["heartbeat_interval"])


def test_a_user_is_not_left_on_a_deleted_node() -> None:
    node("imp-pub")
    free = node("imp-sub")
    errors = together(
        lambda: delete_server(server=free, actor="tester"),
        lambda: add_users(rows=[("ann", "", "ann@example.com", free)], actor="tester"),
    )
    assert [type(error) for error in errors] == [Refused]
    assert PresenceUser.objects.count() == PresenceSession.objects.count()
    assert Server.objects.filter(name="imp-sub").count() == PresenceUser.objects.count()


def test_switching_ha_and_power_at_once_ends_in_a_whole_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 2)
    group = load_sample_cluster(actor="tester")
    server = group.servers.get(slot=1)
    for _ in range(5):
        enable_ha(group=group, actor="tester")
        power.power_on(server=server, actor="tester")
        errors = together(
            lambda: disable_ha(group=group, actor="tester"),
            lambda: disable_ha(group=group, actor="tester"),
            lambda: power.shut_down(server=server, actor="tester"),
        )
        assert errors == []
        # Whoever was first: the node is down, nobody waits for an SRM that says nothing any more.
        assert not Machine.objects.get(server=server).powered
        group.refresh_from_db()
        assert not group.ha_enabled
    assert group.epoch == 5
    errors = together(*(lambda: delete_group(group=group, actor="tester") for _ in "ab"))
    assert {type(error) for error in errors} == {Refused}


def test_of_two_forms_that_saw_the_same_one_is_stale(db: None) -> None:
    seen = {"heartbeat_timeout": "60"}
    errors = together(
        *(
            lambda text=text: set_parameters(
                values={"heartbeat_timeout": text}, expected=seen, actor="tester"
            )
            for text in ("90", "100")
        )
    )
    assert [type(error) for error in errors] == [Stale]
    assert clusterwide()["heartbeat_timeout"] in {90, 100}


def test_who_signs_out_waits_for_whoever_moves_the_sessions() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    publisher = node("imp-pub")
    add_users(rows=[("ann", "", "ann@example.com", publisher)], actor="tester")

    def sign_out() -> int:
        try:
            return sign(users=PresenceUser.objects.all(), out=True, actor="tester")
        finally:
            connection.close()

    def somebody_waits_for_us() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
                " AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
            )
            return bool(cursor.fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(locks.hold(RedundancyGroup.objects.all()))
            asked = pool.submit(sign_out)
            wait_until(lambda: somebody_waits_for_us() or asked.done(), 60)
            assert not asked.done()
        assert asked.result(60) == 1
    assert not PresenceSession.objects.exists()
