"""Rules of presence redundancy groups and of switching their high availability."""

from collections.abc import Callable
from typing import Any

import pytest

from redundancy.errors import Refused
from redundancy.models import (
    HaEvent,
    NodeRuntime,
    PresenceSession,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.operations.groups import (
    add_group,
    delete_group,
    disable_ha,
    edit_group,
    enable_ha,
)
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.srm.codec import node_to_json
from redundancy.srm.types import Node

pytestmark = pytest.mark.django_db


@pytest.fixture
def publisher() -> Server:
    return add_server(name="imp-pub", server_type="imp", actor="tester")


@pytest.fixture
def subscriber(publisher: Server) -> Server:
    return add_server(name="imp-sub", server_type="imp", actor="tester")


@pytest.fixture
def pair(publisher: Server, subscriber: Server) -> RedundancyGroup:
    assert publisher.group is not None
    return edited(publisher.group, publisher, subscriber)


def edited(
    group: RedundancyGroup, first: Server | None, second: Server | None, **changes: Any
) -> RedundancyGroup:
    values = {"name": group.name, "description": group.description, "actor": "tester"} | changes
    return edit_group(group=group, first=first, second=second, **values)


def places() -> dict[str, tuple[str | None, int | None]]:
    rows = Server.objects.select_related("group")
    return {row.name: (row.group.name if row.group else None, row.slot) for row in rows}


def node(name: str) -> Server:
    return add_server(name=name, server_type="imp", actor="tester")


def with_user(server: Server) -> None:
    add_users(rows=[("ann", "Ann", "ann@example.com", server)], actor="tester")


def test_assign_swap_and_unassign(
    publisher: Server, subscriber: Server, pair: RedundancyGroup
) -> None:
    assert places() == {"imp-pub": (pair.name, 1), "imp-sub": (pair.name, 2)}
    edited(pair, subscriber, publisher)
    assert places() == {"imp-pub": (pair.name, 2), "imp-sub": (pair.name, 1)}
    edited(pair, publisher, None)
    assert places() == {"imp-pub": (pair.name, 1), "imp-sub": (None, None)}
    sentences = HaEvent.objects.filter(group=pair).values_list("sentence", flat=True)
    assert "imp-sub was assigned to DefaultCUPSubCluster." in sentences
    assert "imp-sub was unassigned from DefaultCUPSubCluster." in sentences


@pytest.mark.parametrize("name", ["A", "a_b-9", "x" * 128])
def test_good_names(subscriber: Server, name: str) -> None:
    assert add_group(name=name, first=subscriber, actor="tester").name == name


@pytest.mark.parametrize("name", ["", "a b", "a.b", "x" * 129, "<script>", "ä", "a\0b"])
def test_bad_names(subscriber: Server, name: str) -> None:
    with pytest.raises(Refused, match="1 to 128 characters") as caught:
        add_group(name=name, first=subscriber, actor="tester")
    assert caught.value.field == "name"
    assert places()["imp-sub"] == (None, None)


def test_names_are_unique_whatever_their_case(pair: RedundancyGroup) -> None:
    other = add_group(name="Berlin", first=node("imp-3"), actor="tester")
    for change in (
        lambda: add_group(name="BERLIN", first=node("imp-4"), actor="tester"),
        lambda: edited(other, Server.objects.get(name="imp-3"), None, name="defaultCUPSubCluster"),
    ):
        with pytest.raises(Refused, match="exists already") as caught:
            change()
        assert caught.value.field == "name"
    other.refresh_from_db()
    assert other.name == "Berlin"
    assert RedundancyGroup.objects.count() == 2


def test_an_edit_is_told_with_what_it_changed_and_no_more(
    pair: RedundancyGroup, publisher: Server, subscriber: Server
) -> None:
    pub, sub = publisher, subscriber
    HaEvent.objects.all().delete()
    old = pair.name
    edited(pair, pub, sub)
    assert not HaEvent.objects.exists()
    pair = edited(pair, pub, sub, name="north")
    pair = edited(pair, pub, sub, description="Two nodes.")
    edited(pair, pub, sub, name="south", description="")
    assert [event.sentence for event in HaEvent.objects.order_by("pk")] == [
        f"Group {old} was renamed to north.",
        "The description of north was changed.",
        "Group north was renamed to south.",
        "The description of south was changed.",
    ]


def test_no_more_groups_than_the_limit(pair: RedundancyGroup, settings: Any) -> None:
    settings.MAX_GROUPS = 1
    with pytest.raises(Refused, match="1 presence redundancy groups already"):
        add_group(name="Berlin", first=node("imp-3"), actor="tester")


def test_bad_servers_name_their_drop_down(
    publisher: Server, subscriber: Server, pair: RedundancyGroup
) -> None:
    free, cucm = node("imp-3"), add_server(name="cucm", server_type="cucm", actor="tester")
    gone = Server(pk=999_999, name="gone")
    cases: list[tuple[str, str, Callable[[], object]]] = [
        ("second", "must differ", lambda: add_group(name="B", first=free, second=free, actor="")),
        ("first", "is not a server of type", lambda: add_group(name="B", first=cucm, actor="")),
        ("first", "at most one group", lambda: add_group(name="B", first=subscriber, actor="")),
        (
            "second",
            "at most one group",
            lambda: add_group(name="B", first=free, second=publisher, actor=""),
        ),
        (
            "second",
            "does not exist",
            lambda: add_group(name="B", first=free, second=gone, actor=""),
        ),
        ("first", "must be chosen", lambda: edited(pair, None, subscriber)),
        ("first", "cannot leave its group alone", lambda: edited(pair, subscriber, None)),
        ("first", "cannot leave its group alone", lambda: edited(pair, free, subscriber)),
    ]
    before = places()
    for field, rule, change in cases:
        with pytest.raises(Refused, match=rule) as caught:
            change()
        assert caught.value.field == field, rule
        assert places() == before
        assert RedundancyGroup.objects.count() == 1


def test_a_node_with_users_is_not_unassigned(
    publisher: Server, subscriber: Server, pair: RedundancyGroup
) -> None:
    with_user(subscriber)
    sentence = r"has users assigned.*User Management > Assign Presence Users"
    with pytest.raises(Refused, match=sentence) as caught:
        edited(pair, publisher, None)
    assert caught.value.field == "second"
    # Changing places within the group moves nobody.
    edited(pair, subscriber, publisher)


def test_servers_stay_while_ha_is_on(
    publisher: Server, subscriber: Server, pair: RedundancyGroup
) -> None:
    enable_ha(group=pair, actor="tester")
    for field, first, second in (
        ("second", publisher, None),
        ("first", subscriber, publisher),
        ("second", publisher, node("imp-3")),
    ):
        with pytest.raises(Refused, match="while High Availability is on") as caught:
            edited(pair, first, second)
        assert caught.value.field == field
    group = edited(pair, publisher, subscriber, name="Berlin", description="new")
    assert (group.name, group.description, group.ha_enabled) == ("Berlin", "new", True)


def test_ha_needs_two_servers(publisher: Server) -> None:
    assert publisher.group is not None
    with pytest.raises(Refused, match="two different servers") as caught:
        enable_ha(group=publisher.group, actor="tester")
    assert caught.value.field == "ha_enabled"
    with pytest.raises(Refused, match="two different servers"):
        edited(publisher.group, publisher, None, name="Berlin", ha_enabled=True)
    group = RedundancyGroup.objects.get()
    assert (group.name, group.ha_enabled) == ("DefaultCUPSubCluster", False)


def test_enabling_twice_is_enabling_once(pair: RedundancyGroup) -> None:
    for told in (pair.servers.all()[0], node("imp-3")):
        SrmMessage.objects.create(node=told, kind="started")
    for _ in range(2):
        enable_ha(group=pair, actor="ann")
    pair.refresh_from_db()
    assert (pair.ha_enabled, pair.ha_generation, pair.epoch) == (True, 1, 0)
    event = HaEvent.objects.get(sentence__contains="was enabled.")
    assert (event.kind, event.actor, event.group) == ("admin", "ann", pair)
    assert [message.node.name for message in SrmMessage.objects.all()] == ["imp-3"]


def test_disabling_sends_everybody_home(
    publisher: Server, subscriber: Server, pair: RedundancyGroup
) -> None:
    elsewhere = node("imp-3")
    add_users(
        rows=[
            (f"u{n}", "", f"u{n}@example.com", home)
            for n, home in enumerate([publisher, publisher, subscriber, elsewhere])
        ],
        actor="tester",
    )
    enable_ha(group=pair, actor="tester")
    PresenceSession.objects.filter(user__home=publisher).update(node=subscriber)
    RedundancyGroup.objects.update(holder=subscriber, epoch=7)
    NodeRuntime.objects.filter(server=publisher).update(
        state="Idle", reason="On Admin Request", version=4, serial=3, due_at=9
    )
    NodeRuntime.objects.filter(server=publisher).update(
        memory=node_to_json(Node("imp-pub", "imp-sub", first=True))
    )
    SrmMessage.objects.create(node=publisher, kind="failover")
    SrmMessage.objects.create(node=elsewhere, kind="started")

    for _ in range(2):
        disable_ha(group=pair, actor="ann")

    pair.refresh_from_db()
    assert (pair.ha_enabled, pair.epoch, pair.holder, pair.ha_generation) == (False, 8, None, 1)
    where = dict(PresenceSession.objects.values_list("user__userid", "node__name"))
    assert where == {"u0": "imp-pub", "u1": "imp-pub", "u2": "imp-sub", "u3": "imp-3"}
    runtime = NodeRuntime.objects.get(server=publisher)
    assert (runtime.state, runtime.reason) == ("Unknown", "High Availability Not Enabled")
    assert (runtime.version, runtime.serial, runtime.memory) == (5, 4, {})
    assert runtime.since > 0
    assert runtime.due_at == 0
    assert runtime.sentence == "High Availability was disabled."
    assert list(SrmMessage.objects.values_list("node__name", flat=True)) == ["imp-3"]
    # One node changed its state: one event of that kind.
    event = HaEvent.objects.get(kind="state")
    assert (event.node, event.old_state, event.old_reason) == (
        publisher,
        "Idle",
        "On Admin Request",
    )
    assert (event.new_state, event.epoch, event.actor) == ("Unknown", 8, "ann")
    assert HaEvent.objects.filter(sentence__contains="sessions sent home: 2.").count() == 1


def test_an_edit_switches_ha_and_servers_together(
    publisher: Server, subscriber: Server, pair: RedundancyGroup
) -> None:
    edited(pair, publisher, None)
    assert edited(pair, publisher, subscriber, ha_enabled=True).ha_enabled
    group = edited(pair, publisher, None, ha_enabled=False)
    assert not group.ha_enabled
    assert places()["imp-sub"] == (None, None)


def test_a_group_goes_only_with_ha_off_and_without_users(
    subscriber: Server, pair: RedundancyGroup
) -> None:
    enable_ha(group=pair, actor="tester")
    with pytest.raises(Refused, match="disable it before"):
        delete_group(group=pair, actor="tester")
    disable_ha(group=pair, actor="tester")
    with_user(subscriber)
    with pytest.raises(Refused, match="users are assigned to imp-sub"):
        delete_group(group=pair, actor="tester")
    assert places() == {"imp-pub": (pair.name, 1), "imp-sub": (pair.name, 2)}


def test_deleting_a_group_unassigns_its_servers(pair: RedundancyGroup) -> None:
    add_group(name="Rome", first=node("imp-3"), actor="ann")
    delete_group(group=pair, actor="ann")
    assert places() == {
        "imp-pub": (None, None),
        "imp-sub": (None, None),
        "imp-3": ("Rome", 1),
    }
    event = HaEvent.objects.get(sentence__contains="was deleted.")
    assert (event.group, event.group_name, event.actor) == (None, "DefaultCUPSubCluster", "ann")
    stale = RedundancyGroup(pk=999_999, name="gone")
    for change in (delete_group, enable_ha, disable_ha):
        with pytest.raises(Refused, match="does not exist any more"):
            change(group=stale, actor="ann")
