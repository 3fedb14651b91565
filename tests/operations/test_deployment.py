"""What is deployed: services that are activated on a node, functions that the cluster has configured."""

import pytest

from redundancy.catalog import (
    DATABASE,
    PRESENCE_ENGINE,
    SERVICE_BY_NAME,
    SERVICES,
    XCP_ROUTER,
    Watch,
)
from redundancy.drivers import get_driver
from redundancy.errors import Refused, Stale
from redundancy.functions import FUNCTION_BY_KEY, FUNCTION_OF_SERVICE, FUNCTIONS
from redundancy.models import (
    ConfiguredFunction,
    HaEvent,
    NodeRuntime,
    NodeService,
    RedundancyGroup,
    Server,
)
from redundancy.operations import power
from redundancy.operations.activation import caution, set_activated, set_activations
from redundancy.operations.functions import set_functions
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.operations.services import start_service, stop_service
from redundancy.selectors.functions import dangers
from redundancy.selectors.services import services_of
from tests.deeds import deeds

pytestmark = pytest.mark.django_db

WEB = "Cisco XCP Web Connection Manager"
MANAGER = "Cisco XCP Connection Manager"
PROXY = "Cisco SIP Proxy"
ARCHIVER = "Cisco XCP Message Archiver"
CHAT = "Cisco XCP Text Conference Manager"
DEFAULTS = {service.name for service in SERVICES if service.by_default}


@pytest.fixture
def node() -> Server:
    return add_server(name="imp-pub", server_type="imp", actor="tester")


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 4)
    return load_sample_cluster(actor="tester")


def running(node: Server) -> set[str]:
    return set(node.services.filter(running=True).values_list("name", flat=True))


def activated(node: Server) -> set[str]:
    return set(node.services.filter(activated=True).values_list("name", flat=True))


def monitored(node: Server) -> set[str]:
    return {row.name for row in services_of(node) if row.monitored}


def sentences(kind: str = "") -> list[str]:
    found = HaEvent.objects.filter(kind=kind) if kind else deeds()
    return list(found.values_list("sentence", flat=True))


def snapshot() -> tuple[object, ...]:
    return (
        list(NodeService.objects.order_by("pk").values_list()),
        list(ConfiguredFunction.objects.values_list("key", flat=True)),
        list(NodeRuntime.objects.order_by("pk").values_list("version", "due_at")),
        HaEvent.objects.count(),
    )


def test_what_is_monitored_depends_on_the_deployment(node: Server) -> None:
    assert monitored(node) == {DATABASE, XCP_ROUTER, PRESENCE_ENGINE}
    set_activated(server=node, name=ARCHIVER, activated=True, actor="ann")
    assert ARCHIVER not in monitored(node)
    set_functions(configured={"compliance": True}, actor="ann")
    assert ARCHIVER in monitored(node)
    set_activated(server=node, name=PRESENCE_ENGINE, activated=False, actor="ann")
    assert PRESENCE_ENGINE not in monitored(node)


def test_an_activated_service_runs_and_a_deactivated_one_is_gone(node: Server) -> None:
    NodeRuntime.objects.update(due_at=300)
    for _ in range(2):
        set_activated(server=node, name=ARCHIVER, activated=True, actor="ann")
    assert running(node) == DEFAULTS | {ARCHIVER}
    assert NodeRuntime.objects.get(server=node).due_at == 0
    NodeRuntime.objects.update(due_at=300)
    for _ in range(2):
        set_activated(server=node, name=ARCHIVER, activated=False, actor="ann")
    assert running(node) == DEFAULTS
    assert NodeRuntime.objects.get(server=node).due_at == 0
    assert sentences() == [
        f"{ARCHIVER} on imp-pub was deactivated.",
        f"{ARCHIVER} on imp-pub was activated.",
    ]


def test_an_xcp_service_is_activated_without_the_router_but_does_not_run(node: Server) -> None:
    stop_service(server=node, name=XCP_ROUTER, actor="ann")
    set_activated(server=node, name=ARCHIVER, activated=True, actor="ann")
    assert ARCHIVER not in running(node)
    start_service(server=node, name=XCP_ROUTER, actor="ann")
    start_service(server=node, name=ARCHIVER, actor="ann")
    assert ARCHIVER in running(node)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (XCP_ROUTER, "network service"),
        ("nonsense", "has no service named"),
        ("x" * 900, "no service"),
    ],
)
def test_what_cannot_be_activated_is_refused_with_all_that_came_with_it(
    node: Server, name: str, rule: str
) -> None:
    before = snapshot()
    with pytest.raises(Refused, match=rule) as caught:
        set_activations(server=node, activated={ARCHIVER: True, name: False}, actor="ann")
    assert caught.value.field == "name"
    assert snapshot() == before


def test_nothing_is_activated_on_a_node_that_is_off(node: Server) -> None:
    power.power_off(server=node, actor="ann")
    before = snapshot()
    with pytest.raises(Refused, match="powered off"):
        set_activated(server=node, name=ARCHIVER, activated=True, actor="ann")
    assert snapshot() == before


def test_several_changes_are_one_and_are_told_together(node: Server) -> None:
    NodeRuntime.objects.update(due_at=300)
    wanted = {ARCHIVER: True, CHAT: True, PROXY: True, WEB: False}
    changed = set_activations(server=node, activated=wanted, actor="ann")
    assert changed == [ARCHIVER, CHAT, WEB]
    assert activated(node) == running(node) == (DEFAULTS | {ARCHIVER, CHAT}) - {WEB}
    assert sentences() == [
        f"{WEB} on imp-pub was deactivated.",
        f"{ARCHIVER} and {CHAT} on imp-pub were activated.",
    ]
    told = deeds().filter(kind="admin", actor="ann").values_list("inputs__services", flat=True)
    assert list(told) == [[WEB], [ARCHIVER, CHAT]]
    assert NodeRuntime.objects.get(server=node).due_at == 0


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(node: Server) -> None:
    seen = {name: SERVICE_BY_NAME[name].by_default for name in (ARCHIVER, CHAT, WEB)}
    set_activated(server=node, name=CHAT, activated=True, actor="bob")
    before = snapshot()
    with pytest.raises(Stale, match=f"Somebody else .* on imp-pub: {CHAT}"):
        set_activations(server=node, activated={ARCHIVER: True}, expected=seen, actor="ann")
    assert snapshot() == before
    fresh = seen | {CHAT: True}
    set_activations(server=node, activated={ARCHIVER: True}, expected=fresh, actor="ann")
    assert ARCHIVER in activated(node)


def test_each_conditional_service_carries_one_function() -> None:
    conditional = {s.name for s in SERVICES if s.watch is Watch.IF_CONFIGURED}
    assert set(FUNCTION_OF_SERVICE) == conditional
    assert len(FUNCTION_BY_KEY) == len(FUNCTIONS)


def test_a_function_holds_for_every_node_and_for_new_ones(node: Server) -> None:
    set_functions(configured={"persistent_chat": True}, actor="ann")
    later = add_server(name="imp-sub", server_type="imp", actor="tester")
    for each in (node, later):
        assert CHAT not in monitored(each)
        set_activated(server=each, name=CHAT, activated=True, actor="ann")
        assert CHAT in monitored(each)
    set_functions(configured={"persistent_chat": False}, actor="ann")
    assert CHAT not in monitored(node) | monitored(later)
    assert CHAT in running(node) & running(later)
    assert sentences("parameter") == [
        "Persistent chat is no longer configured for the cluster.",
        "Persistent chat was configured for the cluster.",
    ]


def test_both_ways_to_ask_what_is_monitored_agree(node: Server) -> None:
    for functions in ({}, {"compliance": True, "xmpp_federation": True}):
        set_functions(configured=functions, actor="ann")
        for name in (ARCHIVER, CHAT, PRESENCE_ENGINE):
            for on in (True, False):
                set_activated(server=node, name=name, activated=on, actor="ann")
                read = {reading.name for reading in get_driver().read([node.pk])[node.pk]}
                assert read == monitored(node)
                kept = NodeService.objects.filter(server=node).monitored()
                assert set(kept.values_list("name", flat=True)) == read


def test_every_srm_looks_around_when_a_function_is_switched(pair: RedundancyGroup) -> None:
    enable_ha(group=pair, actor="ann")
    for on in (True, False):
        NodeRuntime.objects.update(due_at=300)
        set_functions(configured={"sip_federation": on}, actor="ann")
        assert set(NodeRuntime.objects.values_list("due_at", flat=True)) == {0}
        # Done twice it is done once.
        before = snapshot()
        assert set_functions(configured={"sip_federation": on}, actor="ann") == []
        assert snapshot() == before
    # What carries no service wakes nobody.
    NodeRuntime.objects.update(due_at=300)
    set_functions(configured={"shared_database": True}, actor="ann")
    assert set(NodeRuntime.objects.values_list("due_at", flat=True)) == {300}


def test_a_function_that_does_not_exist_or_was_switched_meanwhile_is_refused(node: Server) -> None:
    before = snapshot()
    with pytest.raises(Refused, match="no function 'nonsense'"):
        set_functions(configured={"compliance": True, "nonsense": True}, actor="ann")
    with pytest.raises(Stale, match="Somebody else switched meanwhile: SIP federation"):
        set_functions(
            configured={"compliance": True}, expected={"sip_federation": True}, actor="ann"
        )
    assert snapshot() == before


def test_what_changes_the_list_of_srm_is_cautioned_while_ha_is_on(pair: RedundancyGroup) -> None:
    pub = Server.objects.select_related("group").get(name="imp-pub")
    set_functions(configured={"compliance": True}, actor="ann")
    engine, archiver = {PRESENCE_ENGINE: False}, {ARCHIVER: True}
    assert caution(pub, engine) is None
    enable_ha(group=pair, actor="ann")
    pub = Server.objects.select_related("group").get(name="imp-pub")
    before = snapshot()
    off = caution(pub, engine)
    assert off is not None
    assert off.group == "DefaultCUPSubCluster"
    assert (
        "no longer monitored by SRM: Cisco Presence Engine. imp-pub does not fail" in off.effects[0]
    )
    assert "Logged in on imp-pub now: 2 users." in off.effects[-1]
    on = caution(pub, archiver)
    assert on is not None
    assert f"Monitored by SRM from now on: {ARCHIVER}." in on.effects[0]
    assert "imp-pub fails over to imp-sub" in on.effects[0]
    stop_service(server=pub, name=XCP_ROUTER, actor="ann")
    mute = caution(pub, archiver)
    assert mute is not None
    assert any(f"does not run on imp-pub: {ARCHIVER}" in effect for effect in mute.effects)
    # With the router what clients need was stopped, too: it takes nothing more away.
    assert caution(pub, {MANAGER: False}) is None
    start_service(server=pub, name=XCP_ROUTER, actor="ann")
    start_service(server=pub, name=MANAGER, actor="ann")
    cut = caution(pub, {MANAGER: False})
    assert cut is not None
    assert cut.unseen
    assert cut.effects[0] == "Everybody who is logged in at imp-pub is disconnected."
    both = caution(pub, {MANAGER: False, **engine})
    assert both is not None
    assert not both.unseen
    assert cut.effects[0] in both.effects
    # What SRM does not watch, what is so already, and what there is not.
    for needless in (
        {PROXY: False},
        {CHAT: True},
        {PRESENCE_ENGINE: True},
        {"nonsense": True},
        {XCP_ROUTER: False},
    ):
        assert caution(pub, needless) is None, needless
    assert snapshot()[1:2] == before[1:2]


def test_a_function_is_dangerous_where_its_service_stands_still(pair: RedundancyGroup) -> None:
    pub = Server.objects.get(name="imp-pub")
    wanted = {"compliance": True, "persistent_chat": True}
    set_activated(server=pub, name=ARCHIVER, activated=True, actor="ann")
    stop_service(server=pub, name=ARCHIVER, actor="ann")
    assert dangers(wanted) == []
    enable_ha(group=pair, actor="ann")
    (danger,) = dangers(wanted)
    assert danger.startswith(
        f"{ARCHIVER} does not run on imp-pub: once SRM watches it, imp-pub fails"
    )
    assert dangers({"compliance": False, "persistent_chat": True}) == []
    # Of a node that is off, nothing new is missed.
    power.power_off(server=pub, actor="ann")
    assert dangers(wanted) == []
    power.power_on(server=pub, actor="ann")
    stop_service(server=pub, name=ARCHIVER, actor="ann")
    assert len(dangers(wanted)) == 1
    set_functions(configured=wanted, actor="ann")
    assert dangers(wanted) == []
