"""Limits of the service parameters, alone and together."""

import pytest

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETERS, Parameter
from redundancy.errors import Refused, Stale
from redundancy.models import HaEvent, NodeRuntime, PresenceSession, Server, ServiceParameter
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server, delete_server
from redundancy.parameters.writes.parameters import (
    canonical,
    reset_parameters,
    set_parameter,
    set_parameters,
)
from redundancy.selectors.parameters import clusterwide, of_node, texts, value
from redundancy.selectors.policy import policy_of
from redundancy.srm.types import Policy

pytestmark = pytest.mark.django_db


@pytest.fixture
def node() -> Server:
    return add_server(name="imp-pub", server_type="imp", actor="tester")


def put(key: str, text: str, server: Server | None = None) -> ServiceParameter | None:
    return set_parameter(key=key, value=text, server=server, actor="ann")


def history() -> list[str]:
    return list(HaEvent.objects.filter(kind="parameter").values_list("sentence", flat=True))


def test_without_a_row_the_default_holds(node: Server) -> None:
    assert clusterwide() == {
        "service_port": 22001,
        "admin_rpc_port": 20075,
        "critical_service_delay": 90,
        "automatic_fallback": False,
        "initialization_timeout": 120,
        "heartbeat_timeout": 60,
        "heartbeat_interval": 15,
    }
    assert of_node(node) == {"relogin_lower": 120, "relogin_upper": 537}
    assert value("automatic_fallback") is False
    assert value("relogin_upper", node) == 537


@pytest.mark.parametrize(
    ("key", "text", "stored", "read"),
    [
        ("automatic_fallback", " TRUE ", "True", True),
        ("critical_service_delay", "0015", "15", 15),
        ("service_port", "65535", "65535", 65535),
    ],
)
def test_values_are_stored_in_one_form(key: str, text: str, stored: str, read: object) -> None:
    row = put(key, text)
    assert row is not None
    assert row.value == stored
    assert value(key) == clusterwide()[key] == read


@pytest.mark.parametrize(
    ("key", "text", "rule"),
    [
        ("automatic_fallback", "yes", "must be True or False"),
        ("automatic_fallback", "1", "must be True or False"),
        *[
            ("critical_service_delay", text, "whole number from 15 to 3600 seconds")
            for text in ("", "14", "3601", "-20", "2e1", "1_000", "٢٠", "20.0", "9" * 10_000)
        ],
        ("service_port", "1023", "from 1024 to 65535"),
        ("service_port", "20075", r"Admin RPC Port \(20075\) must not be the Service Port"),
        ("admin_rpc_port", "22001", "must not be the Service Port"),
        ("initialization_timeout", "59", "must not be below the Keep Alive"),
        ("heartbeat_timeout", "121", "must not be below the Keep Alive"),
        ("heartbeat_timeout", "29", "must be at least twice"),
        ("heartbeat_interval", "31", "must be at least twice"),
    ],
)
def test_limits(key: str, text: str, rule: str) -> None:
    before = clusterwide()
    with pytest.raises(Refused, match=rule) as caught:
        put(key, text)
    assert caught.value.field == "value"
    assert clusterwide() == before
    assert history() == []


def test_edges_of_the_limits_together(node: Server) -> None:
    put("heartbeat_interval", "30")
    put("heartbeat_timeout", "120")
    put("relogin_upper", "120", node)
    with pytest.raises(Refused, match="must not be above the Client Re-Login Upper") as caught:
        put("relogin_lower", "121", node)
    assert caught.value.field == "value"
    put("relogin_lower", "0", node)


def test_each_node_has_its_own(node: Server) -> None:
    other = add_server(name="imp-sub", server_type="imp", actor="tester")
    put("relogin_upper", "900", node)
    assert (value("relogin_upper", node), value("relogin_upper", other)) == (900, 537)
    # A limit of one node is not judged by the other's.
    put("relogin_lower", "800", node)
    with pytest.raises(Refused):
        put("relogin_lower", "800", other)
    assert history()[-1] == ("Client Re-Login Upper Limit on imp-pub was changed from 537 to 900.")
    delete_server(server=other, actor="tester")


def test_the_scope_of_a_parameter_is_kept(node: Server) -> None:
    cucm = add_server(name="cucm", server_type="cucm", actor="tester")
    for key, server, field, rule in (
        ("service_port", node, "server", "clusterwide"),
        ("relogin_lower", None, "server", "choose one"),
        ("relogin_lower", cucm, "server", "is not a server of type"),
        ("password", None, "key", "no parameter"),
    ):
        for change in (
            lambda key=key, server=server: put(key, "5000", server),
            lambda key=key, server=server: reset_parameters(keys=[key], server=server, actor="ann"),
        ):
            with pytest.raises(Refused, match=rule) as caught:
                change()
            assert caught.value.field == field


def test_a_change_is_kept_with_old_and_new_value() -> None:
    for _ in range(2):
        put("heartbeat_timeout", "90")
    event = HaEvent.objects.get(kind="parameter")
    assert event.actor == "ann"
    assert event.sentence == "Keep Alive (Heartbeat) Timeout was changed from 60 to 90."


def test_the_default_needs_no_row() -> None:
    put("heartbeat_timeout", "90")
    assert put("heartbeat_timeout", "60") is None
    put("automatic_fallback", "true")
    reset_parameters(keys=["automatic_fallback"], actor="ann")
    reset_parameters(keys=["automatic_fallback"], actor="ann")
    assert not ServiceParameter.objects.exists()
    assert len(history()) == 4


def test_a_default_that_contradicts_another_value_is_refused() -> None:
    put("heartbeat_interval", "5")
    put("heartbeat_timeout", "20")
    with pytest.raises(Refused, match="must be at least twice"):
        reset_parameters(keys=["heartbeat_interval"], actor="ann")
    assert value("heartbeat_interval") == 5


def test_the_defaults_obey_their_own_limits(node: Server) -> None:
    for parameter in PARAMETERS:
        put(parameter.key, parameter.default, node if parameter.per_node else None)
    assert history() == []


def test_srm_decides_by_the_parameters_of_the_catalogue() -> None:
    assert Policy().parameters.keys() <= PARAMETER_BY_KEY.keys()
    assert policy_of(texts()) == Policy(), "the defaults are the same"
    put("automatic_fallback", "True")
    put("critical_service_delay", "91")
    assert policy_of(texts()) == Policy(automatic_fallback=True, critical_service_delay=91)


@pytest.mark.parametrize(
    "parameter", [p for p in PARAMETERS if p.unit != "bool"], ids=lambda p: p.key
)
def test_a_value_at_its_limit_is_taken_and_none_beyond(parameter: Parameter) -> None:
    for text in (str(parameter.low), str(parameter.high)):
        assert canonical(parameter, text) == text
    for number in (parameter.low - 1, parameter.high + 1):
        with pytest.raises(Refused, match="must be a whole number from"):
            canonical(parameter, str(number))


def test_limits_are_kept_for_who_logged_in_at_the_moment_they_changed() -> None:
    load_sample_cluster(actor="tester")
    node = Server.objects.get(name="imp-pub")
    PresenceSession.objects.exclude(pk=PresenceSession.objects.all()[0].pk).delete()
    put("relogin_upper", "600", node)
    first = node.relogin_limits.latest("pk")
    PresenceSession.objects.update(relogin_at=first.at, limits_at=first.at)
    put("relogin_upper", "700", node)
    second = node.relogin_limits.latest("pk")
    PresenceSession.objects.update(relogin_at=second.at, limits_at=second.at)
    put("relogin_upper", "800", node)
    assert list(node.relogin_limits.order_by("pk").values_list("upper", flat=True)) == [700, 800]


def test_sleeping_nodes_reckon_again_with_new_values() -> None:
    group = load_sample_cluster(actor="tester")
    other = add_server(name="imp-3", server_type="imp", actor="tester")
    enable_ha(group=group, actor="tester")
    NodeRuntime.objects.update(due_at=300, version=1)
    put("heartbeat_interval", "15")
    put("relogin_upper", "600", other)
    assert set(NodeRuntime.objects.values_list("due_at", "version")) == {(300, 1)}
    put("heartbeat_interval", "1")
    rows = NodeRuntime.objects.values_list("server__group__name", "due_at", "version")
    assert set(rows) == {(group.name, 0, 2), (None, 300, 1)}


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"heartbeat_interval": "31"}, ["heartbeat_interval"]),
        ({"heartbeat_timeout": "29"}, ["heartbeat_timeout"]),
        ({"heartbeat_timeout": "150", "heartbeat_interval": "100"}, ["heartbeat_timeout"] * 2),
        ({"service_port": "20075"}, ["service_port"]),
        ({"service_port": "1", "heartbeat_interval": "0"}, ["service_port", "heartbeat_interval"]),
        # One that is no value is not judged together with others.
        ({"heartbeat_timeout": "x", "heartbeat_interval": "300"}, ["heartbeat_timeout"]),
        ({"relogin_upper": "100", "critical_service_delay": "5"},
         ["critical_service_delay", "relogin_upper"]),
    ],
)  # fmt: skip
def test_every_rule_is_named_with_its_field(
    node: Server, values: dict[str, str], fields: list[str]
) -> None:
    with pytest.raises(Refused) as caught:
        set_parameters(values=values, server=node, actor="ann")
    assert sorted(field or "" for _, field in caught.value.rules) == sorted(fields)
    assert history() == []


def test_what_is_not_as_it_was_seen_is_not_overwritten(node: Server) -> None:
    put("heartbeat_timeout", "90")
    put("relogin_lower", "60", node)
    seen = {"heartbeat_timeout": "60", "relogin_lower": "120", "service_port": "22001"}
    with pytest.raises(Stale) as caught:
        set_parameters(values={"service_port": "5000"}, server=node, expected=seen, actor="ann")
    assert caught.value.rules == (
        (
            "Keep Alive (Heartbeat) Timeout was changed meanwhile: it was 60, and is 90 now.",
            "heartbeat_timeout",
        ),
        (
            "Client Re-Login Lower Limit on imp-pub was changed meanwhile: it was 120, and is 60 now.",
            "relogin_lower",
        ),
    )
    assert value("service_port") == 22001


def test_a_node_that_was_deleted_meanwhile(node: Server) -> None:
    other = add_server(name="imp-sub", server_type="imp", actor="tester")
    gone = Server.objects.get(pk=other.pk)
    delete_server(server=other, actor="tester")
    with pytest.raises(Refused, match="does not exist any more"):
        set_parameters(values={"relogin_upper": "600"}, server=gone, actor="ann")
