"""Writing in the Django administration: the same rules as everywhere, shown at their field."""

from typing import Any

import pytest
from django.test import Client

from redundancy.models import (
    ConfiguredFunction,
    HaEvent,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
)
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.operations.services import stop_service
from tests.admin.forms import errors, notes, selected, url

pytestmark = pytest.mark.django_db


def server_values(**changes: str) -> dict[str, str]:
    values = dict.fromkeys(
        ("description", "ipv4_address", "ipv6_address", "mac_address", "domain"), ""
    )
    return {"name": "imp-pub", "server_type": "imp"} | values | changes


def group_values(group: RedundancyGroup, **changes: Any) -> dict[str, Any]:
    first, second = (server.pk for server in group.servers.order_by("slot"))
    return {"name": group.name, "description": "", "first": first, "second": second} | changes


def test_add_a_server(writer: Client) -> None:
    answer = writer.post(url(Server, "add"), server_values(ipv6_address="2001:DB8:0::1"))
    assert answer.status_code == 302
    server = Server.objects.get()
    assert server.is_publisher
    assert server.group is not None
    assert server.machine.powered
    assert server.ipv6_address == "2001:db8::1"
    # Tried once and done once: one event, and who did it.
    event = HaEvent.objects.get()
    assert event.actor == "ann"


def test_renaming_while_ha_is_on_needs_a_yes(writer: Client, pair: RedundancyGroup) -> None:
    node = pair.servers.get(slot=1)
    page = url(Server, "change", node.pk)
    assert b"despite_ha" not in writer.get(page).content
    enable_ha(group=pair, actor="")
    assert b"despite_ha" in writer.get(page).content
    values = server_values(name="imp-new", version=node.version)
    told = errors(writer.post(page, values))
    assert told["name"][0] == "The vendor's guide wants it disabled before a node is renamed."
    assert "all the same" in told["despite_ha"][0]
    assert Server.objects.get(pk=node.pk).name == "imp-pub"
    assert writer.post(page, values | {"despite_ha": "on"}).status_code == 302
    assert Server.objects.get(pk=node.pk).name == "imp-new"


def test_a_mac_address_with_separators(writer: Client) -> None:
    values = server_values(server_type="cucm", mac_address="00:1b:54:aa:bb:cc")
    assert writer.post(url(Server, "add"), values).status_code == 302
    assert Server.objects.get().mac_address == "001B54AABBCC"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", "<script>"),
        ("name", "x" * 10_000),
        ("name", "IMP-SUB"),
        ("description", 'say "hi"'),
        ("mac_address", "001B54AABBCC"),
        ("ipv6_address", "nonsense"),
        ("domain", "not a domain"),
    ],
)
def test_a_refused_server_names_the_field(
    writer: Client, pair: RedundancyGroup, field: str, text: str
) -> None:
    before = HaEvent.objects.count()
    answer = writer.post(url(Server, "add"), server_values(**{"name": "imp-3", field: text}))
    assert set(errors(answer)) == {field}
    assert Server.objects.count() == 2
    assert HaEvent.objects.count() == before


def test_every_bad_field_is_named_at_once(writer: Client) -> None:
    values = server_values(name="<", description="<", domain="<")
    answer = writer.post(url(Server, "add"), values)
    assert set(errors(answer)) == {"name", "description", "domain"}


def test_edit_a_server(writer: Client, pair: RedundancyGroup) -> None:
    server = pair.servers.get(slot=2)
    values = server_values(name="imp-two", server_type="cucm")
    assert writer.post(url(Server, "change", server.pk), values).status_code == 302
    server.refresh_from_db()
    assert (server.name, server.server_type, server.group) == ("imp-two", "imp", pair)


def test_a_server_with_users_is_not_deleted(writer: Client, pair: RedundancyGroup) -> None:
    server = pair.servers.get(slot=2)
    page = url(Server, "change", server.pk)
    answer = writer.post(url(Server, "delete", server.pk), {"post": "yes"})
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert "must leave the presence redundancy group" in notes(writer, page)[0]
    assert Server.objects.count() == 2


def test_delete_one_server(writer: Client, pair: RedundancyGroup) -> None:
    server = add_server(name="imp-3", server_type="imp", actor="tester")
    assert writer.get(url(Server, "delete", server.pk)).status_code == 200
    answer = writer.post(url(Server, "delete", server.pk), {"post": "yes"})
    assert answer.status_code == 302
    assert not Server.objects.filter(name="imp-3").exists()
    assert HaEvent.objects.filter(
        actor="ann", sentence__startswith="Server imp-3 was deleted."
    ).exists()


def test_delete_selected_is_all_or_nothing(writer: Client, pair: RedundancyGroup) -> None:
    free = add_server(name="imp-3", server_type="imp", actor="tester")
    selected(writer, Server, [free, pair.servers.get(slot=2)])
    assert Server.objects.count() == 3
    texts = notes(writer, url(Server, "changelist"))
    assert len(texts) == 1
    assert "must leave the presence redundancy group" in texts[0]
    selected(writer, Server, [free])
    assert Server.objects.count() == 2


def test_delete_selected_groups_then_all_servers(writer: Client, pair: RedundancyGroup) -> None:
    selected(writer, RedundancyGroup, [pair])
    assert "users are assigned" in notes(writer, url(RedundancyGroup, "changelist"))[0]
    selected(writer, PresenceUser, PresenceUser.objects.all())
    assert not PresenceSession.objects.exists()
    selected(writer, RedundancyGroup, [pair])
    # The publisher goes after its subscribers, whatever the order of the list.
    selected(writer, Server, Server.objects.all())
    assert not Server.objects.exists()


def test_the_sample_cluster_can_be_undone(writer: Client, db: None) -> None:
    group = load_sample_cluster(actor="tester")
    assert PresenceUser.objects.count() == 1000
    selected(writer, PresenceUser, PresenceUser.objects.all())
    selected(writer, RedundancyGroup, [group])
    selected(writer, Server, Server.objects.all())
    assert not Server.objects.exists()


def test_add_a_group(writer: Client, pair: RedundancyGroup) -> None:
    nodes = [add_server(name=name, server_type="imp", actor="") for name in ("imp-3", "imp-4")]
    values = {"name": "Berlin", "description": "", "first": nodes[0].pk, "second": nodes[1].pk}
    values |= {"ha_enabled": "on", "despite_preflight": "on"}
    assert writer.post(url(RedundancyGroup, "add"), values).status_code == 302
    group = RedundancyGroup.objects.get(name="Berlin")
    assert (group.ha_enabled, group.servers.count()) == (True, 2)


def test_switch_ha_in_the_group_form(writer: Client, pair: RedundancyGroup) -> None:
    page = url(RedundancyGroup, "change", pair.pk)
    stop_service(server=pair.servers.get(slot=2), name="Cisco XCP Router", actor="")
    told = errors(writer.post(page, group_values(pair, ha_enabled="on")))
    assert any("imp-sub fails over" in rule for rule in told["ha_enabled"])
    assert "all the same" in told["despite_preflight"][0]
    pair.refresh_from_db()
    assert not pair.ha_enabled
    values = group_values(pair, ha_enabled="on", despite_preflight="on")
    assert writer.post(page, values).status_code == 302
    pair.refresh_from_db()
    assert (pair.ha_enabled, pair.ha_generation) == (True, 1)
    assert writer.post(page, group_values(pair)).status_code == 302
    pair.refresh_from_db()
    assert not pair.ha_enabled


def test_a_refused_group_names_the_field(writer: Client, pair: RedundancyGroup) -> None:
    free = add_server(name="imp-3", server_type="imp", actor="tester")
    values = group_values(pair)
    page = url(RedundancyGroup, "change", pair.pk)
    for field, changes in (
        ("name", {"name": "a b"}),
        ("description", {"description": "<b>"}),
        ("second", {"second": values["first"]}),
        ("second", {"second": ""}),
        ("second", {"second": "999999"}),
        ("first", {"first": free.pk}),
    ):
        assert set(errors(writer.post(page, values | changes))) == {field}, changes
    enable_ha(group=pair, actor="tester")
    changes = {"second": free.pk, "ha_enabled": "on"}
    assert (
        "while High Availability is on" in errors(writer.post(page, values | changes))["second"][0]
    )
    values = {"name": "Berlin", "description": "", "first": free.pk, "ha_enabled": "on"}
    answer = writer.post(url(RedundancyGroup, "add"), values)
    assert "two different servers" in errors(answer)["ha_enabled"][0]
    assert RedundancyGroup.objects.count() == 1


def test_a_reader_writes_nothing(reader: Client, pair: RedundancyGroup) -> None:
    server = pair.servers.get(slot=2)
    before = HaEvent.objects.count()
    for path, data in (
        (url(Server, "add"), server_values(name="imp-3")),
        (url(Server, "change", server.pk), server_values(name="imp-3")),
        (url(Server, "delete", server.pk), {"post": "yes"}),
        (url(RedundancyGroup, "change", pair.pk), group_values(pair, ha_enabled="on")),
        (url(NodeService, "change", server.services.all()[0].pk), {}),
        (url(ConfiguredFunction, "add"), {"key": "compliance"}),
    ):
        assert reader.post(path, data).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [server.pk], "post": "yes"}
    reader.post(url(Server, "changelist"), data)
    assert Server.objects.count() == 2
    assert HaEvent.objects.count() == before
