"""Users, and the sample cluster that brings a thousand."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from redundancy.catalog import SRM
from redundancy.errors import Refused
from redundancy.models import (
    HaEvent,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
)
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.operations.services import stop_service
from redundancy.operations.users import add_users, delete_users, edit_user
from redundancy.parameters.writes.enterprise import set_enterprise_parameters
from redundancy.srm.states import NOT_RESPONDING, State

pytestmark = pytest.mark.django_db

Row = tuple[str, str, str, Server | None]


@pytest.fixture
def home() -> Server:
    return add_server(name="imp-pub", server_type="imp", actor="tester")


def ann(home: Server | None) -> Row:
    return ("ann", "Ann", "ann@example.com", home)


def test_an_assigned_user_is_logged_in_at_home(home: Server) -> None:
    rows = [ann(home), ("bob", "", "bob@example.com", None)]
    set_enterprise_parameters(values={"assignment_mode": "None"}, actor="tester")
    assert add_users(rows=rows, actor="tester") == 2
    session = PresenceSession.objects.get()
    assert (session.user.userid, session.node) == ("ann", home)
    assert add_users(rows=[], actor="tester") == 0


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (("", "", "a@example.com"), "userid"),
        (("a" * 129, "", "a@example.com"), "userid"),
        (("a\nb", "", "a@example.com"), "userid"),
        (("a", "x" * 129, "a@example.com"), "display_name"),
        (("a", "", ""), "im_address"),
        (("a b", "", "a@example.com"), "userid"),
        (("a", "", "x" * 244 + "@example.com"), "im_address"),
        (("a", "", "a@"), "im_address"),
        (("a", "", "a@b@example.com"), "im_address"),
        (("a", "", "a b@example.com"), "im_address"),
        (("a", "", "a\0@example.com"), "im_address"),
    ],
)
def test_bad_rows_name_their_field(row: tuple[str, str, str], field: str) -> None:
    with pytest.raises(Refused) as caught:
        add_users(rows=[("good", "", "good@example.com", None), (*row, None)], actor="tester")
    assert caught.value.field == field
    assert not PresenceUser.objects.exists()


def test_rows_as_long_as_they_may_be_are_added() -> None:
    row = ("a" * 128, "x" * 128, "x" * 243 + "@example.com", None)
    assert add_users(rows=[row], actor="tester") == 1


@pytest.mark.parametrize(
    ("second", "field"),
    [
        (("ann", "", "other@example.com"), "userid"),
        (("bob", "", "ann@example.com"), "im_address"),
    ],
)
@pytest.mark.parametrize("stored", [True, False])
def test_ids_and_addresses_are_unique(
    second: tuple[str, str, str], field: str, stored: bool
) -> None:
    rows: list[Row] = [ann(None), (*second, None)]
    if stored:
        add_users(rows=[rows.pop(0)], actor="tester")
    with pytest.raises(Refused, match="taken already") as caught:
        add_users(rows=rows, actor="tester")
    assert caught.value.field == field
    assert PresenceUser.objects.count() == int(stored)


def test_a_home_is_a_node_that_exists() -> None:
    cucm = add_server(name="cucm", server_type="cucm", actor="tester")
    for server, rule in (
        (cucm, "is not a server of type"),
        (Server(pk=99, server_type="imp", name="gone"), "does not exist any more"),
    ):
        with pytest.raises(Refused, match=rule) as caught:
            add_users(rows=[ann(server)], actor="tester")
        assert caught.value.field == "home"


@pytest.mark.parametrize("state", list(State))
def test_nobody_is_added_while_a_node_of_the_cluster_is_failed_over(
    home: Server, state: State
) -> None:
    other = add_server(name="imp-sub", server_type="imp", actor="tester")
    NodeRuntime.objects.filter(server=other).update(state=state)
    at_home = {State.UNKNOWN, State.NORMAL, State.FAILED}
    if state in at_home:
        add_users(rows=[ann(home)], actor="tester")
    else:
        rule = rf"failed over or in a transition: imp-sub \({state}\)"
        with pytest.raises(Refused, match=rule) as caught:
            add_users(rows=[ann(home)], actor="tester")
        assert caught.value.field == "home"
        assert not PresenceUser.objects.exists()


def test_a_silent_node_is_named_as_the_pages_show_it(home: Server) -> None:
    other = add_server(name="imp-sub", server_type="imp", actor="tester")
    NodeRuntime.objects.filter(server=other).update(state=State.FAILED_OVER)
    stop_service(server=other, name=SRM, actor="tester")
    with pytest.raises(Refused, match=rf"transition: imp-sub \({NOT_RESPONDING}\)"):
        add_users(rows=[ann(home)], actor="tester")


def test_nobody_is_added_while_a_node_holds_the_others_sessions(home: Server) -> None:
    RedundancyGroup.objects.update(holder=home)
    NodeRuntime.objects.update(state=State.FAILED)
    with pytest.raises(Refused, match=r"failed over or in a transition: imp-pub"):
        add_users(rows=[ann(home)], actor="tester")


def test_a_new_home_takes_the_session_along(home: Server) -> None:
    other = add_server(name="imp-sub", server_type="imp", actor="tester")
    add_users(rows=[ann(home)], actor="tester")
    user = PresenceUser.objects.get()

    def edited(home: Server | None, im_address: str = "ann@example.com") -> PresenceUser:
        return edit_user(
            user=user, display_name="A", im_address=im_address, home=home, actor="tester"
        )

    edited(other)
    assert PresenceSession.objects.get().node == other
    NodeRuntime.objects.filter(server=home).update(state=State.IDLE)
    with pytest.raises(Refused, match="failed over"):
        edited(home)
    # What is no assignment is allowed meanwhile.
    assert edited(other, "ann@example.org").im_address == "ann@example.org"
    NodeRuntime.objects.update(state=State.NORMAL)
    edited(None)
    assert not PresenceSession.objects.exists()
    add_users(rows=[("bob", "", "bob@example.com", None)], actor="tester")
    with pytest.raises(Refused, match="Another user") as caught:
        edited(None, "bob@example.com")
    assert caught.value.field == "im_address"


def test_an_edit_keeps_every_field(home: Server) -> None:
    add_users(rows=[ann(home)], actor="tester")
    edit_user(
        user=PresenceUser.objects.get(),
        display_name=" Ann Example ",
        im_address=" ann@example.org ",
        home=None,
        actor="tester",
    )
    kept = PresenceUser.objects.get()
    assert (kept.display_name, kept.im_address, kept.home) == (
        "Ann Example",
        "ann@example.org",
        None,
    )


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (("", "", "a@example.com"), "User ID must be 1 to 128 printable characters."),
        (("a b", "", "a@example.com"), "User ID must not contain spaces."),
        (
            ("a", "x" * 129, "a@example.com"),
            "Display name must be at most 128 printable characters.",
        ),
        (("a", "", ""), "IM Address must be 1 to 255 printable characters."),
        (("a", "", "a@"), "IM Address must be of the form name@domain."),
    ],
)
def test_a_bad_row_is_told_its_rule(row: tuple[str, str, str], rule: str) -> None:
    with pytest.raises(Refused) as caught:
        add_users(rows=[(*row, None)], actor="tester")
    assert caught.value.messages == [rule]


def test_deleting_users_takes_their_sessions(home: Server) -> None:
    names = ("ann", "bob", "cid")
    add_users(rows=[(name, "", f"{name}@example.com", home) for name in names], actor="tester")
    assert delete_users(users=[PresenceUser.objects.get(userid="cid")], actor="tester") == 1
    assert HaEvent.objects.filter(sentence__startswith="User cid was deleted.").exists()
    assert delete_users(users=list(PresenceUser.objects.all()), actor="tester") == 2
    assert not PresenceSession.objects.exists()
    assert HaEvent.objects.filter(sentence__startswith="2 users were deleted.").exists()


def test_the_sample_cluster() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        group = load_sample_cluster(actor="tester")
    assert len(queries) < 80
    assert not group.ha_enabled
    assert group.name == "DefaultCUPSubCluster"
    servers = group.servers.order_by("slot")
    assert [(server.name, server.is_publisher) for server in servers] == [
        ("imp-pub", True),
        ("imp-sub", False),
    ]
    for server in servers:
        assert server.assigned_users.count() == 500
        assert server.sessions.count() == 500


def test_the_sample_cluster_is_for_an_empty_system(home: Server) -> None:
    with pytest.raises(Refused, match="no server"):
        load_sample_cluster(actor="tester")
    assert not PresenceUser.objects.exists()
