"""Assigning many users at once."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from redundancy.errors import Refused
from redundancy.models import (
    HaEvent,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
)
from redundancy.monitor.audit import audit
from redundancy.operations.assignment import assign_users
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users, edit_user
from redundancy.selectors import users
from redundancy.selectors.find import Criterion
from redundancy.srm.states import State

pytestmark = pytest.mark.django_db


def imp(name: str) -> Server:
    return add_server(name=name, server_type="imp", actor="tester")


@pytest.fixture
def nodes() -> tuple[Server, Server]:
    """Two nodes: ann and bob on imp-pub, cid on imp-sub, dan without a node."""
    pub, sub = imp("imp-pub"), imp("imp-sub")
    homes = {"ann": pub, "bob": pub, "cid": sub, "dan": pub}
    add_users(rows=[(n, "", f"{n}@example.com", home) for n, home in homes.items()], actor="x")
    dan = PresenceUser.objects.get(userid="dan")
    edit_user(user=dan, display_name="", im_address="dan@example.com", home=None, actor="x")
    return pub, sub


def places() -> dict[str, tuple[str | None, str | None]]:
    """Assigned and active node of each user."""
    rows = PresenceUser.objects.values_list("userid", "home__name", "session__node__name")
    return {userid: (home, active) for userid, home, active in rows}


def everybody() -> QuerySet[PresenceUser]:
    return PresenceUser.objects.all()


PUB, SUB, NONE = ("imp-pub", "imp-pub"), ("imp-sub", "imp-sub"), (None, None)


@pytest.mark.parametrize(
    ("node", "changed", "after"),
    [
        ("imp-sub", 3, {"ann": SUB, "bob": SUB, "cid": SUB, "dan": SUB}),
        ("imp-pub", 2, {"ann": PUB, "bob": PUB, "cid": PUB, "dan": PUB}),
        (None, 3, {"ann": NONE, "bob": NONE, "cid": NONE, "dan": NONE}),
    ],
)
def test_sessions_follow(
    nodes: tuple[Server, Server], node: str | None, changed: int, after: dict[str, object]
) -> None:
    goal = Server.objects.get(name=node) if node else None
    foretold = users.assignment(everybody(), goal)
    assert foretold.users - foretold.same == changed
    assert assign_users(users=everybody(), node=goal, actor="ann") == changed
    assert places() == after
    event = HaEvent.objects.latest("pk")
    where = f"assigned to {node}" if node else "unassigned"
    assert (event.sentence, event.actor) == (f"{changed} users were {where}.", "ann")
    assert audit() == []
    # Again: nothing is left to do, and nothing is told.
    assert assign_users(users=everybody(), node=goal, actor="ann") == 0
    assert HaEvent.objects.latest("pk") == event


def test_who_is_logged_out_stays_so(nodes: tuple[Server, Server]) -> None:
    PresenceSession.objects.filter(user__userid="ann").delete()
    foretold = users.assignment(everybody(), nodes[1])
    assert (foretold.users, foretold.same, foretold.moving, foretold.new) == (4, 1, 1, 1)
    assign_users(users=everybody(), node=nodes[1], actor="x")
    assert places()["ann"] == ("imp-sub", None)


@pytest.mark.parametrize(("field", "text"), [("active", "imp-pub"), ("home", "imp-pub")])
def test_what_was_asked_for_may_change_half_way(
    nodes: tuple[Server, Server], field: str, text: str
) -> None:
    found = users.find_users([Criterion(field, "exactly", text)])
    assert assign_users(users=found, node=nodes[1], actor="x") == 2
    assert places() == {"ann": SUB, "bob": SUB, "cid": SUB, "dan": NONE}


@pytest.mark.parametrize("state", list(State))
def test_nobody_is_assigned_while_the_cluster_is_not_settled(
    nodes: tuple[Server, Server], state: State
) -> None:
    NodeRuntime.objects.filter(server=nodes[1]).update(state=state)
    before = places()
    for node in (*nodes, None):
        if state in {State.UNKNOWN, State.NORMAL, State.FAILED}:
            assign_users(users=everybody(), node=node, actor="x")
        else:
            rule = rf"failed over or in a transition: imp-sub \({state}\)"
            with pytest.raises(Refused, match=rule):
                assign_users(users=everybody(), node=node, actor="x")
            assert places() == before


def test_a_node_that_holds_the_others_sessions_is_named(nodes: tuple[Server, Server]) -> None:
    RedundancyGroup.objects.update(holder=nodes[0])
    with pytest.raises(Refused, match=r"imp-pub \(Unknown\)"):
        assign_users(users=everybody(), node=nodes[1], actor="x")


def test_the_node_is_one_that_exists(nodes: tuple[Server, Server]) -> None:
    gone = Server(pk=99, server_type="imp", name="gone")
    cucm = add_server(name="cucm", server_type="cucm", actor="x")
    for node, rule in ((gone, "does not exist any more"), (cucm, "is not a server of type")):
        with pytest.raises(Refused, match=rule):
            assign_users(users=everybody(), node=node, actor="x")


def statements(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def test_the_number_of_statements_does_not_grow(nodes: tuple[Server, Server]) -> None:
    def both() -> Iterator[int]:
        for node in nodes:
            yield statements(partial(assign_users, users=everybody(), node=node, actor=""))

    few = list(both())
    rows = [(f"u{n}", "", f"u{n}@example.com", nodes[0]) for n in range(3000)]
    add_users(rows=rows, actor="x")
    assert list(both()) == few
    assert max(few) < 20
