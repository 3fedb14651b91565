"""Rules of System > Server."""

from typing import Any

import pytest

from redundancy.catalog import SERVICES
from redundancy.errors import Refused
from redundancy.models import HaEvent, PresenceUser, RedundancyGroup, Server, ServerType
from redundancy.operations import events
from redundancy.operations.groups import add_group, delete_group, edit_group
from redundancy.operations.servers import add_server, delete_server, edit_server
from redundancy.operations.users import add_users

pytestmark = pytest.mark.django_db


def imp(name: str, **more: Any) -> Server:
    return add_server(name=name, server_type="imp", actor="tester", **more)


def edited(server: Server, **changes: Any) -> Server:
    values: dict[str, Any] = {
        "name": server.name,
        "version": server.version,
        "description": "",
        "ipv4_address": "",
        "ipv6_address": "",
        "mac_address": "",
        "domain": "",
    }
    return edit_server(server=server, actor="tester", **(values | changes))


def test_the_first_node_is_the_publisher_in_the_default_group() -> None:
    server = imp("imp-pub.example.com")
    assert server.is_publisher
    assert server.group is not None
    assert (server.group.name, server.slot) == ("DefaultCUPSubCluster", 1)
    assert not server.group.ha_enabled


def test_the_second_node_is_an_unassigned_subscriber() -> None:
    imp("imp-pub")
    server = imp("imp-sub")
    assert (server.is_publisher, server.group, server.slot) == (False, None, None)


def test_a_cucm_server_has_no_part_in_high_availability() -> None:
    server = add_server(
        name="cucm", server_type="cucm", mac_address="00:1b-54.AA:bb:CC", actor="tester"
    )
    assert server.mac_address == "001B54AABBCC"
    assert not server.is_publisher
    assert not RedundancyGroup.objects.exists()
    assert not hasattr(server, "machine")
    assert imp("imp-pub").is_publisher


def test_a_node_brings_its_machine_services_and_memory() -> None:
    server = imp("imp-pub")
    assert server.machine.powered
    assert server.machine.srm_running
    assert server.machine.incarnation == 1
    assert server.machine.up_since is not None
    rows = {row.name: row for row in server.services.all()}
    assert set(rows) == {service.name for service in SERVICES}
    for service in SERVICES:
        assert rows[service.name].activated == service.by_default
        assert rows[service.name].running == service.by_default
    assert server.runtime.state == "Unknown"
    assert server.runtime.reason == "High Availability Not Enabled"


@pytest.mark.parametrize(
    "name",
    ["ab", "imp-pub", "IMP-1.example.com", "10.0.0.1", "2001:db8::1", "a" * 63, "1.2.3.example"],
)
def test_good_names(name: str) -> None:
    assert imp(name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "", "a", "a" * 64, "a" * 10_000, "-imp", "imp-", "imp_1", "imp pub", "imp..com", "imp.",
        "10.0.0.256", "10.0.0", "12", "2001:db8::g", "fe80::1%eth0", "<script>", "imp\0pub", "ïmp",
    ],
)  # fmt: skip
def test_bad_names(name: str) -> None:
    with pytest.raises(Refused, match="2 to 63 characters") as caught:
        imp(name)
    assert caught.value.field == "name"
    assert not Server.objects.exists()
    assert not RedundancyGroup.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("description", "x" * 129, "at most 128"),
        *[("description", f"a{sign}b", "must not contain") for sign in '"%&\\<>\n\0'],
        ("ipv4_address", "2001:db8::1", "valid IPv4"),
        ("ipv4_address", "10.0.0.256", "valid IPv4"),
        ("ipv4_address", "0.0.0.0", "of one server"),
        ("ipv4_address", "255.255.255.255", "of one server"),
        ("ipv4_address", "224.0.0.1", "of one server"),
        ("ipv6_address", "10.0.0.1", "valid IPv6"),
        ("ipv6_address", "2001:db8::g", "valid IPv6"),
        ("ipv6_address", "fe80::1%eth0", "zone"),
        ("mac_address", "001B54AABBCC", "CUCM Voice/Video only"),
        ("mac_address", "zz", "12 hexadecimal"),
        ("domain", "exa mple.com", "valid domain"),
        ("domain", "-x.com", "valid domain"),
        ("domain", ".".join(["a" * 60] * 5), "valid domain"),
        ("server_type", "fax", "Server Type must be CUCM Voice/Video or"),
    ],
)
def test_bad_values_name_their_field(field: str, value: str, rule: str) -> None:
    values = {"name": "imp-pub", "server_type": "imp", field: value}
    with pytest.raises(Refused, match=rule) as caught:
        add_server(**values, actor="tester")
    assert caught.value.field == field
    assert not Server.objects.exists()


def test_every_bad_value_is_named_at_once() -> None:
    values = {"ipv6_address": "g", "description": "<", "mac_address": "1", "domain": "-"}
    with pytest.raises(Refused) as caught:
        add_server(name="", server_type="cucm", **values, actor="tester")
    assert [field for _, field in caught.value.rules] == [
        "name",
        "description",
        "ipv6_address",
        "mac_address",
        "domain",
    ]
    assert all(rule in caught.value.rule for rule, _ in caught.value.rules)


def test_values_are_stored_in_one_form() -> None:
    server = imp(
        " imp-pub ", description=" x ", ipv6_address="2001:0DB8:0:0::1", domain="example.com"
    )
    server.refresh_from_db()
    assert (server.name, server.description) == ("imp-pub", "x")
    assert (server.ipv6_address, server.domain) == ("2001:db8::1", "example.com")


def test_names_are_unique_whatever_their_case() -> None:
    first, second = imp("imp-pub"), imp("imp-sub")
    for change in (lambda: imp("IMP-Pub"), lambda: edited(second, name="IMP-PUB")):
        with pytest.raises(Refused, match="exists already") as caught:
            change()
        assert caught.value.field == "name"
    assert list(Server.objects.values_list("name", flat=True)) == ["imp-pub", "imp-sub"]
    assert edited(first, name="IMP-PUB").name == "IMP-PUB"


def test_an_edit_keeps_type_and_place() -> None:
    server = edited(imp("imp-pub"), name="imp-one", description="new", domain="example.org")
    server.refresh_from_db()
    assert (server.name, server.description, server.domain) == ("imp-one", "new", "example.org")
    assert server.is_publisher
    assert server.group is not None
    assert HaEvent.objects.filter(
        sentence__startswith="Server imp-pub was renamed to imp-one."
    ).exists()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("", "14.0.1"),
        (" 12.5.1 ", "12.5.1"),
        ("14.0.1.10000-20", "14.0.1.10000-20"),
        ("15.0", "15.0"),
    ],
)
def test_the_version_of_a_node_may_be_its_own(typed: str, stored: str) -> None:
    assert imp("imp-pub").version == "14.0.1"
    assert imp("imp-sub", version=typed).version == stored


@pytest.mark.parametrize("typed", ["14", "14.", "fourteen", "14.0.1-", "14.0.1.2.3", "14.0.1 su2"])
def test_no_version_is_refused_by_its_rule(typed: str) -> None:
    with pytest.raises(Refused, match="numbers with dots") as caught:
        imp("imp-pub", version=typed)
    assert caught.value.field == "version"


def test_another_version_is_told_in_the_history() -> None:
    server = imp("imp-pub")
    assert edited(edited(server), version="14.0.1.12900-21").version == "14.0.1.12900-21"
    told = HaEvent.objects.get(sentence__contains="software")
    assert told.sentence == "The software on imp-pub is now 14.0.1.12900-21; it was 14.0.1."
    assert told.actor == "tester"


def test_an_edit_tells_each_thing_once_and_what_is_new() -> None:
    server = imp("imp-pub", description="old")
    edited(server, name="imp-one", version="15.0", description="new", domain="example.org")
    told = HaEvent.objects.order_by("-pk").values_list("sentence", "actor", "inputs__changes")[:3]

    def changed(**fields: Any) -> list[events.Change]:
        return events.changed("server", server.pk, **fields)

    assert list(told)[::-1] == [
        ("Server imp-pub was renamed to imp-one.", "tester", changed(name="imp-one")),
        (
            "The software on imp-one is now 15.0; it was 14.0.1.",
            "tester",
            changed(version="15.0"),
        ),
        (
            "Changed on imp-one: description and IM and Presence Domain.",
            "tester",
            changed(description="new", domain="example.org"),
        ),
    ]


def test_an_edit_of_nothing_tells_nothing() -> None:
    server = imp("imp-pub")
    before = HaEvent.objects.count()
    edited(server)
    assert HaEvent.objects.count() == before


def test_no_more_nodes_than_the_limit(settings: Any) -> None:
    settings.MAX_IMP_SERVERS = 1
    imp("imp-pub")
    with pytest.raises(Refused, match="1 IM and Presence servers already"):
        imp("imp-sub")
    add_server(name="cucm", server_type="cucm", actor="tester")


def test_the_publisher_stays_while_there_are_subscribers() -> None:
    publisher = imp("imp-pub")
    imp("imp-sub")
    with pytest.raises(Refused, match="while subscribers exist"):
        delete_server(server=publisher, actor="tester")
    assert Server.objects.count() == 2


def test_a_server_of_another_type_is_no_subscriber() -> None:
    publisher = imp("imp-pub")
    add_server(name="cucm", server_type="cucm", actor="tester")
    assert publisher.group is not None
    delete_group(group=publisher.group, actor="tester")
    delete_server(server=publisher, actor="tester")
    assert list(Server.objects.values_list("name", flat=True)) == ["cucm"]


def test_a_server_leaves_its_group_first() -> None:
    publisher, subscriber = imp("imp-pub"), imp("imp-sub")
    group = publisher.group
    assert group is not None
    group = edit_group(
        group=group, name=group.name, description="", first=publisher, second=subscriber, actor=""
    )
    with pytest.raises(Refused) as refused:
        delete_server(server=subscriber, actor="tester")
    # A publisher is told to delete the group.
    assert refused.value.rule == (
        "imp-sub must leave the presence redundancy group DefaultCUPSubCluster before it is deleted."
    )
    edit_group(group=group, name=group.name, description="", first=publisher, second=None, actor="")
    delete_server(server=subscriber, actor="tester")
    assert list(Server.objects.all()) == [publisher]


def test_a_node_with_users_stays() -> None:
    imp("imp-pub")
    subscriber = imp("imp-sub")
    add_users(rows=[("ann", "Ann", "ann@example.com", subscriber)], actor="tester")
    with pytest.raises(
        Refused, match=r"has users assigned.*User Management > Assign Presence Users"
    ):
        delete_server(server=subscriber, actor="tester")
    PresenceUser.objects.update(home=None)
    with pytest.raises(Refused, match="holds sessions"):
        delete_server(server=subscriber, actor="tester")


def test_the_history_outlives_a_server() -> None:
    imp("imp-pub")
    subscriber = imp("imp-sub")
    delete_server(server=subscriber, actor="ann")
    event = HaEvent.objects.get(sentence__startswith="Server imp-sub was deleted.")
    assert (event.node, event.node_name, event.actor) == (None, "imp-sub", "ann")
    with pytest.raises(Refused, match="does not exist any more"):
        delete_server(server=Server(pk=subscriber.pk or 99, name="imp-sub"), actor="ann")


def test_adding_the_publisher_back_creates_the_default_group_again() -> None:
    publisher = imp("imp-pub")
    assert publisher.group is not None
    delete_group(group=publisher.group, actor="tester")
    delete_server(server=publisher, actor="tester")
    assert not RedundancyGroup.objects.exists()
    again = imp("imp-pub")
    assert again.group is not None
    assert again.group.name == "DefaultCUPSubCluster"


def test_an_empty_default_group_is_used_again() -> None:
    RedundancyGroup.objects.create(name="defaultcupsubcluster")
    assert imp("imp-pub").group == RedundancyGroup.objects.get()


def test_an_unassigned_publisher_can_start_another_group() -> None:
    publisher = imp("imp-pub")
    assert publisher.group is not None
    delete_group(group=publisher.group, actor="tester")
    group = add_group(name="Berlin", first=publisher, actor="tester")
    assert list(group.servers.all()) == [publisher]


def test_what_was_added_is_told_with_its_type() -> None:
    for name, server_type in (("imp-pub", "imp"), ("imp-sub", "imp"), ("cucm", "cucm")):
        add_server(name=name, server_type=server_type, actor="ann")
    told = [event.sentence for event in HaEvent.objects.order_by("pk")]
    imp, cucm = ServerType.IMP.label, ServerType.CUCM.label
    assert imp != cucm
    assert told == [
        f"Server imp-pub was added as the IM&P database publisher ({imp}).",
        f"Server imp-sub was added ({imp}).",
        f"Server cucm was added ({cucm}).",
    ]
