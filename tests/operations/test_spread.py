"""How the User Assignment Mode spreads users over nodes."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.catalog import ASSIGNMENT_MODE
from redundancy.errors import Refused
from redundancy.models import (
    EnterpriseParameter,
    HaEvent,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    Server,
)
from redundancy.monitor.audit import audit
from redundancy.operations.assignment import assign_all, assign_users, rebalance
from redundancy.operations.groups import add_group, edit_group
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.parameters.writes.enterprise import (
    reset_enterprise_parameters,
    set_enterprise_parameters,
)
from redundancy.selectors import enterprise
from redundancy.selectors.spread import SpreadPlan, counts, level, rebalancing, spread_equally
from redundancy.srm.states import State

db = pytest.mark.django_db


@pytest.mark.parametrize(
    ("counts", "nodes", "number", "expected"),
    [
        ({}, [1, 2], 5, {1: 3, 2: 2}),
        ({1: 10}, [1, 2], 4, {2: 4}),
        ({1: 3, 2: 1}, [1, 2], 4, {1: 1, 2: 3}),
        ({9: 50}, [1, 2], 1, {1: 1}),
        ({1: 3}, [], 7, {}),
        ({1: 3}, [1], 0, {}),
    ],
)
def test_new_users_go_where_the_fewest_are(
    counts: dict[int, int], nodes: list[int], number: int, expected: dict[int, int]
) -> None:
    assert spread_equally(counts, nodes, number) == expected


@pytest.mark.parametrize(
    ("counts", "nodes", "leaving", "entering"),
    [
        ({1: 4, 2: 4}, [1, 2], {}, {}),
        # One more somewhere is equal enough: nobody moves.
        ({1: 4, 2: 5}, [1, 2], {}, {}),
        ({1: 0, 2: 5}, [1, 2], {2: 2}, {1: 2}),
        ({1: 7, 2: 5, 3: 0}, [1, 2, 3], {1: 3, 2: 1}, {3: 4}),
        # Who is where nobody shall be.
        ({1: 2, 9: 4}, [1, 2], {9: 4}, {1: 1, 2: 3}),
        ({1: 2}, [], {}, {}),
        ({}, [1, 2], {}, {}),
    ],
)
def test_as_few_as_possible_move(
    counts: dict[int, int], nodes: list[int], leaving: dict, entering: dict
) -> None:
    assert level(counts, nodes) == SpreadPlan(leaving, entering)


def test_no_fewer_moves_would_do() -> None:
    chance = random.Random(4)
    for _ in range(300):
        nodes = list(range(chance.randint(1, 6)))
        old = {node: chance.randint(0, 20) for node in [*nodes, 90]}
        plan = level(old, nodes)
        new = {n: old[n] - plan.leaving.get(n, 0) + plan.entering.get(n, 0) for n in old}
        assert new[90] == 0
        spread = [new[node] for node in nodes]
        assert max(spread) - min(spread) <= 1
        # Everybody above the upper bound must leave, everybody missing at the lower one must come.
        total = sum(old.values())
        low, high = total // len(nodes), -(-total // len(nodes))
        must_leave = old[90] + sum(max(0, old[node] - high) for node in nodes)
        must_come = sum(max(0, low - old[node]) for node in nodes)
        assert plan.users == max(must_leave, must_come)


@pytest.fixture
def cluster(db: None) -> list[Server]:
    """Two groups: (imp-1, imp-2) and (imp-3, imp-4); imp-5 is in none."""
    made = [add_server(name=f"imp-{n}", server_type="imp", actor="x") for n in range(1, 6)]
    group = made[0].group
    assert group is not None
    edit_group(
        group=group, name=group.name, description="", first=made[0], second=made[1], actor="x"
    )
    add_group(name="two", first=made[2], second=made[3], actor="x")
    return list(Server.objects.order_by("name"))


def choose(mode: str) -> None:
    set_enterprise_parameters(values={"assignment_mode": mode}, actor="ann")


def add(*homes: Server | None) -> None:
    start = PresenceUser.objects.count()
    names = [f"u{start + n}" for n in range(len(homes))]
    add_users(
        rows=[(n, "", f"{n}@x", home) for n, home in zip(names, homes, strict=True)], actor="x"
    )


def where() -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for name in PresenceUser.objects.values_list("home__name", flat=True):
        found[name] = found.get(name, 0) + 1
    return found


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("Balanced", {"imp-1": 3, "imp-2": 2, "imp-3": 2, "imp-4": 2}),
        ("Active-Standby", {"imp-1": 5, "imp-3": 4}),
        ("None", {"imp-1": 2, None: 7}),
    ],
)
def test_the_mode_decides_for_who_has_no_node(
    cluster: list[Server], mode: str, expected: dict
) -> None:
    choose(mode)
    add(cluster[0], cluster[0])
    add(*[None] * 7)
    assert where() == expected
    assert PresenceSession.objects.count() == 9 - expected.get(None, 0)
    assert audit() == []


@pytest.mark.parametrize(
    ("mode", "moved", "expected"),
    [
        ("Balanced", 5, {"imp-1": 2, "imp-2": 2, "imp-3": 2, "imp-4": 2}),
        ("Active-Standby", 3, {"imp-1": 4, "imp-3": 4}),
    ],
)
def test_rebalance(cluster: list[Server], mode: str, moved: int, expected: dict) -> None:
    one, _, three, _, five = cluster
    add(one, one, one, one, one, one, three, five)
    choose(mode)
    assert rebalancing().users == moved
    assert rebalance(actor="ann") == moved
    assert where() == expected
    assert audit() == []
    event = HaEvent.objects.latest("pk")
    assert event.sentence == (
        f"{moved} users were moved to another node "
        f"(User Assignment Mode for Presence Server: {mode})."
    )
    assert event.actor == "ann"
    # Again: nobody moves, and nothing is told.
    assert rebalance(actor="ann") == 0
    assert HaEvent.objects.latest("pk") == event


def test_assign_all_moves_nobody_who_has_a_node(cluster: list[Server]) -> None:
    one, two, *_ = cluster
    choose("None")
    add(one, one, one, two, None, None, None, None, None)
    choose("Balanced")
    assert rebalancing().users == 2
    assert assign_all(actor="ann") == 5
    assert where() == {"imp-1": 3, "imp-2": 2, "imp-3": 2, "imp-4": 2}
    assert assign_all(actor="ann") == 0
    assert audit() == []


@pytest.mark.parametrize("work", [assign_all, rebalance])
def test_refusals(cluster: list[Server], work: object) -> None:
    assert callable(work)
    add(cluster[0], cluster[0])
    choose("None")
    with pytest.raises(Refused, match="is None: users are not assigned automatically"):
        work(actor="x")
    choose("Balanced")
    NodeRuntime.objects.filter(server=cluster[4]).update(state=State.INITIALIZING)
    with pytest.raises(Refused, match=r"in a transition: imp-5 \(Initializing\)"):
        work(actor="x")
    NodeRuntime.objects.update(state=State.NORMAL)
    Server.objects.update(group=None, slot=None)
    with pytest.raises(Refused, match="there is none to assign users to"):
        work(actor="x")
    assert where() == {"imp-1": 2}


def test_the_number_of_statements_does_not_grow(cluster: list[Server]) -> None:
    def statements() -> int:
        assign_users(users=PresenceUser.objects.all(), node=cluster[0], actor="x")
        with CaptureQueriesContext(connection) as queries:
            rebalance(actor="x")
        return len(queries)

    add(*[None] * 8)
    few = statements()
    add(*[None] * 2000)
    assert statements() == few < 25
    assert max(counts().values()) == 502


@db
def test_a_parameter_is_kept_with_who_and_what() -> None:
    assert enterprise.assignment_mode() == "Balanced"
    choose("Balanced")
    assert not HaEvent.objects.exists()
    choose("Active-Standby")
    assert enterprise.assignment_mode() == "Active-Standby"
    event = HaEvent.objects.get()
    assert (event.kind, event.actor) == ("parameter", "ann")
    assert event.sentence == f"{ASSIGNMENT_MODE.name} was changed from Balanced to Active-Standby."
    assert reset_enterprise_parameters(keys=["assignment_mode"], actor="ann") == 1
    assert not EnterpriseParameter.objects.exists()


@db
@pytest.mark.parametrize(
    ("key", "value", "field"),
    [("assignment_mode", "balanced", "assignment_mode"), ("color", "red", "key")],
)
def test_wrong_parameters(key: str, value: str, field: str) -> None:
    with pytest.raises(Refused) as caught:
        set_enterprise_parameters(values={key: value}, actor="ann")
    assert caught.value.field == field
