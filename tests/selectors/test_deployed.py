"""Why SRM monitors a service on the nodes of a group, and what has become of their chat rooms."""

from typing import Any

import pytest

from redundancy.clock import lab_now
from redundancy.models import NodeService, RedundancyGroup, Server
from redundancy.operations import access, power
from redundancy.operations.activation import set_activated
from redundancy.operations.functions import set_functions
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.operations.services import stop_service
from redundancy.selectors import deployed
from redundancy.selectors.services import services_of
from redundancy.srm.states import Reason, State
from tests.memory import remember_pair

pytestmark = pytest.mark.django_db
ENGINE, ARCHIVER = "Cisco Presence Engine", "Cisco XCP Message Archiver"
CHAT = "Cisco XCP Text Conference Manager"


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 4)
    return load_sample_cluster(actor="tester")


def node(name: str) -> Server:
    return Server.objects.select_related("group").get(name=name)


def why(group: RedundancyGroup, name: str) -> str:
    found = deployed.of_group(group.pk).conditional
    return next(each.sentence for each in found if each.service == name)


def rooms(group: RedundancyGroup) -> list[tuple[str, str]]:
    return [(each.sentence, each.tone) for each in deployed.of_group(group.pk).rooms]


def chat(*names: str, shared: bool) -> None:
    set_functions(configured={"persistent_chat": True, "shared_database": shared}, actor="")
    for name in names:
        set_activated(server=node(name), name=CHAT, activated=True, actor="")


def taken_over(group: RedundancyGroup) -> None:
    """Let imp-sub have taken the users of imp-pub over."""
    enable_ha(group=group, actor="")
    failed, backup = State.FAILED_OVER, State.BACKUP
    down = Reason.CRITICAL_SERVICE_DOWN
    remember_pair(node("imp-pub"), (failed, down), node("imp-sub"), (backup, down))
    RedundancyGroup.objects.update(holder=node("imp-sub"))


def test_each_sentence_says_why(group: RedundancyGroup) -> None:
    assert why(group, ENGINE) == "Monitored: activated on imp-pub and imp-sub."
    assert why(group, ARCHIVER) == "Not monitored: not configured."
    set_functions(configured={"compliance": True}, actor="")
    assert why(group, ARCHIVER) == "Not monitored: not activated on imp-pub and imp-sub."
    set_activated(server=node("imp-pub"), name=ARCHIVER, activated=True, actor="")
    assert why(group, ARCHIVER) == (
        "Monitored: configured and activated on imp-pub. "
        "Not monitored on imp-sub: not activated there."
    )
    set_activated(server=node("imp-sub"), name=ARCHIVER, activated=True, actor="")
    assert why(group, ARCHIVER) == "Monitored: configured and activated on imp-pub and imp-sub."
    set_activated(server=node("imp-sub"), name=ENGINE, activated=False, actor="")
    assert why(group, ENGINE) == (
        "Monitored: activated on imp-pub. Not monitored on imp-sub: not activated there."
    )


@pytest.mark.parametrize(
    ("configured", "activated", "said"),
    [
        (True, True, "Monitored: configured and activated"),
        (True, False, "Not monitored: not activated"),
        (False, True, "Not monitored: not configured"),
        (False, False, "Not monitored: not configured, not activated"),
    ],
)
def test_a_node_says_it_too_also_when_it_is_off(
    group: RedundancyGroup, configured: bool, activated: bool, said: str
) -> None:
    pub = node("imp-pub")
    set_functions(configured={"compliance": configured}, actor="")
    set_activated(server=pub, name=ARCHIVER, activated=activated, actor="")
    for _ in range(2):
        rows = {row.name: row.watch for row in services_of(pub)}
        assert rows[ARCHIVER] == said
        assert rows["Cisco XCP Router"] == "Monitored"
        assert rows["Cisco Sync Agent"] == "Not monitored"
        power.power_off(server=pub, actor="")


def test_a_group_without_servers_has_nothing_deployed(db: None) -> None:
    empty = RedundancyGroup.objects.create(name="Empty")
    assert deployed.of_group(empty.pk) == deployed.Deployed((), ())


def test_rooms_are_there_only_with_persistent_chat(group: RedundancyGroup) -> None:
    assert rooms(group) == []
    set_activated(server=node("imp-pub"), name=CHAT, activated=True, actor="")
    assert rooms(group) == []
    chat("imp-sub", shared=False)
    assert rooms(group) == [
        ("Chat rooms of imp-pub: served by imp-pub.", "ok"),
        ("Chat rooms of imp-sub: served by imp-sub.", "ok"),
    ]
    set_activated(server=node("imp-sub"), name=CHAT, activated=False, actor="")
    assert rooms(group)[1] == (f"imp-sub has no chat rooms: {CHAT} is not activated on it.", "warn")


def test_with_a_shared_database_the_rooms_move_to_the_peer(group: RedundancyGroup) -> None:
    chat("imp-pub", "imp-sub", shared=True)
    taken_over(group)
    assert rooms(group) == [
        ("Chat rooms of imp-pub: served by imp-sub.", "warn"),
        ("Chat rooms of imp-sub: served by imp-sub.", "ok"),
    ]
    stop_service(server=node("imp-sub"), name=CHAT, actor="")
    assert rooms(group)[0] == (
        f"Chat rooms of imp-pub: unavailable. {CHAT} does not run on imp-sub.",
        "bad",
    )
    set_activated(server=node("imp-sub"), name=CHAT, activated=False, actor="")
    assert rooms(group)[0][0].endswith(f"{CHAT} is not activated on imp-sub.")


def test_without_one_they_are_unavailable_until_their_node_returns(group: RedundancyGroup) -> None:
    chat("imp-pub", "imp-sub", shared=False)
    taken_over(group)
    assert rooms(group) == [
        ("Chat rooms of imp-pub: unavailable until imp-pub returns.", "bad"),
        ("Chat rooms of imp-sub: served by imp-sub.", "ok"),
    ]
    RedundancyGroup.objects.update(holder=None)
    remember_pair(
        node("imp-pub"),
        (State.NORMAL, Reason.NORMAL),
        node("imp-sub"),
        (State.NORMAL, Reason.NORMAL),
    )
    assert [tone for _, tone in rooms(group)] == ["ok", "ok"]


def test_rooms_are_never_said_to_be_served_where_nobody_serves(group: RedundancyGroup) -> None:
    chat("imp-pub", "imp-sub", shared=True)
    power.power_off(server=node("imp-pub"), actor="")
    assert rooms(group)[0] == ("Chat rooms of imp-pub: unavailable. imp-pub is powered off.", "bad")
    enable_ha(group=group, actor="")
    failed = (State.FAILED, Reason.CRITICAL_SERVICE_DOWN)
    remember_pair(node("imp-pub"), failed, node("imp-sub"), failed)
    access.follow_all(lab_now())
    assert NodeService.objects.get(server=node("imp-sub"), name=CHAT).running
    assert rooms(group)[1] == (
        "Chat rooms of imp-sub: unavailable. imp-sub serves nobody now.",
        "bad",
    )


def test_a_failover_and_a_fallback_say_what_they_do_to_the_rooms(group: RedundancyGroup) -> None:
    pub = node("imp-pub")
    assert deployed.rooms_after_failover(pub, "imp-sub") == []
    assert deployed.rooms_after_fallback(pub) == []
    chat("imp-pub", shared=True)
    assert deployed.rooms_after_failover(pub, "imp-sub") == [
        "Chat rooms of imp-pub move to imp-sub."
    ]
    assert deployed.rooms_after_fallback(pub) == ["Chat rooms of imp-pub return to it."]
    chat(shared=False)
    assert "unavailable until it returns" in deployed.rooms_after_failover(pub, "imp-sub")[0]
    assert deployed.rooms_after_failover(node("imp-sub"), "imp-pub") == []


def test_what_is_deployed_is_asked_as_often_for_two_nodes_as_for_one(
    group: RedundancyGroup, django_assert_max_num_queries: Any
) -> None:
    chat("imp-pub", "imp-sub", shared=True)
    add_server(name="imp-3", server_type="imp", actor="")
    with django_assert_max_num_queries(4):
        deployed.of_group(group.pk)
