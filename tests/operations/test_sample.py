"""The sample cluster in each of its deployments."""

import pytest

from redundancy.catalog import DATABASE, PRESENCE_ENGINE, XCP_ROUTER
from redundancy.models import HaEvent, NodeService, PresenceSession, PresenceUser, Server
from redundancy.monitor.audit import audit
from redundancy.operations.functions import set_functions
from redundancy.operations.sample import (
    DEPLOYMENT_BY_KEY,
    DEPLOYMENTS,
    Deployment,
    load_sample_cluster,
)
from redundancy.selectors.functions import configured

pytestmark = pytest.mark.django_db
ALWAYS = {DATABASE, XCP_ROUTER}
# What SRM monitors on both nodes, and the functions that are configured.
EXPECTED: dict[str, tuple[set[str], set[str]]] = {
    "im-presence": (ALWAYS | {PRESENCE_ENGINE}, set()),
    "im-only": (ALWAYS, set()),
    "federation": (
        ALWAYS
        | {
            PRESENCE_ENGINE,
            "Cisco XCP SIP Federation Connection Manager",
            "Cisco XCP XMPP Federation Connection Manager",
        },
        {"sip_federation", "xmpp_federation"},
    ),
    "compliance": (ALWAYS | {PRESENCE_ENGINE, "Cisco XCP Message Archiver"}, {"compliance"}),
    "persistent-chat": (
        ALWAYS | {PRESENCE_ENGINE, "Cisco XCP Text Conference Manager"},
        {"persistent_chat", "shared_database"},
    ),
    "rcc": (ALWAYS | {PRESENCE_ENGINE}, set()),
}


@pytest.fixture(autouse=True)
def few_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 4)


def activated(server: Server, name: str) -> bool:
    return NodeService.objects.get(server=server, name=name).activated


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each.key)
def test_both_nodes_are_deployed_alike(deployment: Deployment) -> None:
    monitored, functions = EXPECTED[deployment.key]
    group = load_sample_cluster(actor="ann", deployment=deployment)
    nodes = list(group.servers.order_by("slot"))
    assert [node.name for node in nodes] == ["imp-pub", "imp-sub"]
    for node in nodes:
        rows = NodeService.objects.filter(server=node).monitored()
        assert {row.name for row in rows} == monitored
        assert all(row.running for row in rows)
    assert configured() == functions
    assert PresenceUser.objects.count() == 4
    assert PresenceSession.objects.count() == (4 if deployment.logs_in else 0)
    assert audit() == []
    # Each node's own event, in the history of its group.
    if deployment.activated:
        told = HaEvent.objects.filter(sentence__contains="activated", group=group)
        assert set(told.values_list("node__name", flat=True)) == {"imp-pub", "imp-sub"}


def test_functions_of_before_are_configured_no_longer() -> None:
    set_functions(configured={"compliance": True}, actor="ann")
    load_sample_cluster(actor="ann", deployment=DEPLOYMENT_BY_KEY["federation"])
    assert configured() == {"sip_federation", "xmpp_federation"}


def test_im_only_is_without_presence_and_remote_call_control_without_clients() -> None:
    load_sample_cluster(actor="ann", deployment=DEPLOYMENT_BY_KEY["im-only"])
    pub = Server.objects.get(name="imp-pub")
    assert not activated(pub, "Cisco SIP Proxy")
    assert activated(pub, "Cisco XCP Connection Manager")
    rcc = DEPLOYMENT_BY_KEY["rcc"]
    assert "Cisco SIP Proxy" not in rcc.deactivated
    assert set(rcc.deactivated) == {
        "Cisco XCP Connection Manager",
        "Cisco XCP Authentication Service",
        "Cisco XCP Web Connection Manager",
    }
