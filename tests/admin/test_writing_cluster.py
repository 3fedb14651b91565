"""Parameters, users, services and functions in the Django administration: rules as everywhere."""

import pytest
from django.test import Client

from redundancy.models import (
    ConfiguredFunction,
    HaEvent,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)
from redundancy.operations.activation import set_activated
from redundancy.operations.functions import set_functions
from redundancy.operations.groups import enable_ha
from redundancy.operations.servers import add_server
from redundancy.operations.services import stop_service
from redundancy.selectors.parameters import value
from tests.admin.forms import errors, notes, selected, url
from tests.memory import fail_over

pytestmark = pytest.mark.django_db


def test_enable_automatic_fallback(writer: Client) -> None:
    values = {"key": "automatic_fallback", "server": "", "value": "true"}
    body = writer.get(url(ServiceParameter, "add")).content.decode()
    assert "Enable Automatic Fallback: True or False (default False)" in body
    assert writer.post(url(ServiceParameter, "add"), values).status_code == 302
    row = ServiceParameter.objects.get()
    assert row.value == "True"
    assert value("automatic_fallback") is True
    again = errors(writer.post(url(ServiceParameter, "add"), values | {"value": "False"}))
    assert set(again) == {"key"}
    assert "set already, to True. Go back to the list and change that row." in again["key"][0]
    page = url(ServiceParameter, "change", row.pk)
    assert writer.post(page, {"value": "FALSE"}).status_code == 302
    assert not ServiceParameter.objects.exists()
    assert value("automatic_fallback") is False


@pytest.mark.parametrize(
    ("key", "server", "text", "field"),
    [
        ("automatic_fallback", False, "maybe", "value"),
        ("automatic_fallback", False, "False", "value"),
        ("automatic_fallback", True, "True", "server"),
        ("heartbeat_timeout", False, "16", "value"),
        ("relogin_lower", False, "60", "server"),
        ("relogin_lower", True, "600", "value"),
        ("password", False, "1", "key"),
    ],
)
def test_a_refused_parameter_names_the_field(
    writer: Client, pair: RedundancyGroup, key: str, server: bool, text: str, field: str
) -> None:
    node = pair.servers.get(slot=1).pk if server else ""
    answer = writer.post(url(ServiceParameter, "add"), {"key": key, "server": node, "value": text})
    assert set(errors(answer)) == {field}
    assert not ServiceParameter.objects.exists()


def test_automatic_fallback_that_moves_users_needs_a_yes(
    writer: Client, pair: RedundancyGroup
) -> None:
    enable_ha(group=pair, actor="")
    fail_over(pair, healthy_for=2400)
    values = {"key": "automatic_fallback", "server": "", "value": "True"}
    told = errors(writer.post(url(ServiceParameter, "add"), values))
    assert told["value"][0] == "imp-pub takes its users back at once."
    assert "2 sessions move to imp-pub." in told["value"]
    assert "all the same" in told["despite_fallback"][0]
    assert value("automatic_fallback") is False
    values["despite_fallback"] = "on"
    assert writer.post(url(ServiceParameter, "add"), values).status_code == 302
    assert value("automatic_fallback") is True


def test_a_deleted_parameter_has_its_default_where_the_others_allow_it(writer: Client) -> None:
    for key, text in (("heartbeat_interval", "5"), ("heartbeat_timeout", "20")):
        values = {"key": key, "server": "", "value": text}
        assert writer.post(url(ServiceParameter, "add"), values).status_code == 302
    rows = {row.key: row for row in ServiceParameter.objects.all()}
    writer.post(url(ServiceParameter, "delete", rows["heartbeat_interval"].pk), {"post": "yes"})
    assert value("heartbeat_interval") == 5
    # Together their defaults agree.
    selected(writer, ServiceParameter, rows.values())
    assert not ServiceParameter.objects.exists()


def test_users(writer: Client, pair: RedundancyGroup) -> None:
    first, second = pair.servers.order_by("slot")
    values = {"userid": "ann", "display_name": "Ann", "im_address": "ann@example.com"}
    answer = writer.post(url(PresenceUser, "add"), values | {"home": first.pk})
    assert answer.status_code == 302
    user = PresenceUser.objects.get(userid="ann")
    assert user.session.node == first
    page = url(PresenceUser, "change", user.pk)
    assert writer.post(page, values | {"home": second.pk}).status_code == 302
    assert PresenceSession.objects.get(user=user).node == second
    NodeRuntime.objects.filter(server=first).update(state="Idle")
    assert "failed over" in errors(writer.post(page, values | {"home": first.pk}))["home"][0]
    taken = values | {"userid": "bob", "im_address": "bob@example.com", "home": ""}
    assert "failed over" in errors(writer.post(url(PresenceUser, "add"), taken))["home"][0]
    writer.post(url(PresenceUser, "delete", user.pk), {"post": "yes"})
    assert not PresenceUser.objects.filter(userid="ann").exists()


def test_more_users_than_the_vendor_supports_are_told(
    writer: Client, pair: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redundancy.selectors.capacity.GROUP_USERS", 4)
    first, second = pair.servers.order_by("slot")
    loose = add_server(name="imp-3", server_type="imp", actor="")
    values = {"userid": "ann", "display_name": "Ann", "im_address": "ann@example.com"}

    def told(page: str, home: Server) -> list[str]:
        assert writer.post(page, values | {"home": home.pk}).status_code == 302
        return [each for each in notes(writer, url(PresenceUser, "changelist")) if "vendor" in each]

    beyond = (
        "DefaultCUPSubCluster has 5 users then; the vendor supports at most 4 in a group with "
        "High Availability."
    )
    assert told(url(PresenceUser, "add"), loose) == []
    page = url(PresenceUser, "change", PresenceUser.objects.get(userid="ann").pk)
    assert told(page, first) == [beyond]
    # Within the group nobody is more.
    assert told(page, second) == []
    assert told(page, second) == []


def test_a_service_is_activated_as_on_its_page(writer: Client, pair: RedundancyGroup) -> None:
    set_functions(configured={"compliance": True}, actor="")
    enable_ha(group=pair, actor="")
    archiver = NodeService.objects.get(server__name="imp-pub", name="Cisco XCP Message Archiver")
    page = url(NodeService, "change", archiver.pk)
    before = HaEvent.objects.count()
    told = errors(writer.post(page, {"activated": "on"}))
    assert any("Monitored by SRM from now on" in rule for rule in told["activated"])
    assert "all the same" in told["despite_ha"][0]
    assert HaEvent.objects.count() == before
    assert writer.post(page, {"activated": "on", "despite_ha": "on"}).status_code == 302
    archiver.refresh_from_db()
    assert (archiver.activated, archiver.running) == (True, True)
    event = HaEvent.objects.latest("pk")
    assert event.inputs is not None
    assert (event.actor, event.inputs["services"]) == ("ann", [archiver.name])
    # What SRM does not watch needs no second word; a network service is always activated.
    proxy = NodeService.objects.get(server__name="imp-pub", name="Cisco SIP Proxy")
    assert writer.post(url(NodeService, "change", proxy.pk), {}).status_code == 302
    proxy.refresh_from_db()
    assert not proxy.activated
    # What clients need to log in does.
    manager = NodeService.objects.get(server__name="imp-pub", name="Cisco XCP Connection Manager")
    told = errors(writer.post(url(NodeService, "change", manager.pk), {}))
    assert told["activated"][0] == "Everybody who is logged in at imp-pub is disconnected."
    router = NodeService.objects.get(server__name="imp-pub", name="Cisco XCP Router")
    told = errors(writer.post(url(NodeService, "change", router.pk), {}))
    assert "always activated" in str(told)


def test_a_function_is_configured_as_on_its_page(writer: Client, pair: RedundancyGroup) -> None:
    chat = "Cisco XCP Text Conference Manager"
    pub = Server.objects.get(name="imp-pub")
    set_activated(server=pub, name=chat, activated=True, actor="")
    stop_service(server=pub, name=chat, actor="")
    enable_ha(group=pair, actor="")
    page = url(ConfiguredFunction, "add")
    told = errors(writer.post(page, {"key": "persistent_chat"}))
    assert any("does not run on imp-pub" in rule for rule in told["key"])
    assert not ConfiguredFunction.objects.exists()
    yes = {"key": "persistent_chat", "despite_ha": "on"}
    assert writer.post(page, yes).status_code == 302
    assert HaEvent.objects.latest("pk").actor == "ann"
    assert "already" in str(errors(writer.post(page, yes)))
    row = ConfiguredFunction.objects.get()
    assert (
        writer.post(url(ConfiguredFunction, "delete", row.pk), {"post": "yes"}).status_code == 302
    )
    assert not ConfiguredFunction.objects.exists()
    sentence = "Persistent chat is no longer configured for the cluster."
    assert HaEvent.objects.latest("pk").sentence == sentence
