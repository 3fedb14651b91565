"""Power of lab nodes, their SRM, and what waits for it."""

from collections.abc import Callable
from typing import Any

import pytest

from redundancy.catalog import SERVICES, SRM
from redundancy.clock import lab_now
from redundancy.drivers import get_driver
from redundancy.errors import Refused
from redundancy.models import EventKind, Machine, NodeRuntime, RedundancyGroup, Server, SrmMessage
from redundancy.operations import power
from redundancy.operations.groups import disable_ha, enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from tests.deeds import deeds

pytestmark = pytest.mark.django_db

DEFAULTS = {service.name for service in SERVICES if service.by_default}


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 2)
    return load_sample_cluster(actor="tester")


@pytest.fixture
def node(pair: RedundancyGroup) -> Server:
    return pair.servers.get(slot=1)


def machine(node: Server) -> Machine:
    return Machine.objects.get(server=node)


def running(node: Server) -> set[str]:
    return set(node.services.filter(running=True).values_list("name", flat=True))


def messages(node: Server) -> list[tuple[str, dict[str, Any]]]:
    return list(SrmMessage.objects.filter(node=node).values_list("kind", "payload"))


def sentences() -> list[str]:
    return list(deeds().values_list("sentence", flat=True))


def test_sudden_power_off_tells_nobody(node: Server, pair: RedundancyGroup) -> None:
    enable_ha(group=pair, actor="tester")
    for _ in range(2):
        power.power_off(server=node, actor="ann")
    off = machine(node)
    assert (off.powered, off.srm_running, off.up_since, off.boots_at) == (False, False, None, None)
    assert running(node) == set()
    assert messages(node) == []
    assert sentences() == ["imp-pub lost its power."]
    event = deeds().get()
    assert (event.node, event.group, event.actor) == (node, pair, "ann")
    assert event.kind == EventKind.ADMIN


def test_what_nobody_did_is_no_administrator_s_action(node: Server) -> None:
    power.reboot(server=node, actor="ann")
    power.boot_due_nodes(now=lab_now() + 1000)
    kinds = list(deeds().order_by("pk").values_list("kind", "actor"))
    assert kinds == [(EventKind.ADMIN, "ann"), (EventKind.LAB, "")]


def test_power_on_starts_what_is_activated(node: Server) -> None:
    before = node.services.get(name=SRM).since
    power.power_off(server=node, actor="ann")
    for _ in range(2):
        power.power_on(server=node, actor="ann")
    on = machine(node)
    assert (on.powered, on.srm_running, on.incarnation) == (True, True, 2)
    assert running(node) == DEFAULTS
    assert on.up_since == node.services.get(name=SRM).since > before
    assert messages(node) == [("started", {"incarnation": 2})]
    assert sentences() == ["imp-pub was powered on.", "imp-pub lost its power."]


@pytest.mark.parametrize(("ask", "back"), [(power.shut_down, False), (power.reboot, True)])
def test_an_announced_shutdown_waits_for_srm(
    node: Server, pair: RedundancyGroup, ask: Callable[..., None], back: bool
) -> None:
    enable_ha(group=pair, actor="tester")
    for _ in range(2):
        ask(server=node, actor="ann")
    assert machine(node).powered
    assert messages(node) == [("shutdown", {"reboot": back})]
    for _ in range(2):
        power.finish_shutdown(server=node, reboot=back)
    off = machine(node)
    assert (off.powered, off.boots_at is not None) == (False, back)
    assert messages(node) == []


@pytest.mark.parametrize("why", ["ha off", "srm stopped", "no group"])
@pytest.mark.parametrize(("ask", "back"), [(power.shut_down, False), (power.reboot, True)])
def test_without_anybody_to_tell_it_goes_at_once(
    node: Server, pair: RedundancyGroup, ask: Callable[..., None], back: bool, why: str
) -> None:
    if why == "srm stopped":
        enable_ha(group=pair, actor="tester")
        power.stop_srm(server=node, actor="tester")
    if why == "no group":
        node = add_server(name="imp-3", server_type="imp", actor="tester")
    ask(server=node, actor="ann")
    off = machine(node)
    assert (off.powered, off.boots_at is not None) == (False, back)
    assert messages(node) == []


def test_switching_ha_off_does_not_lose_a_shutdown(node: Server, pair: RedundancyGroup) -> None:
    enable_ha(group=pair, actor="tester")
    power.reboot(server=node, actor="ann")
    disable_ha(group=pair, actor="ann")
    assert not machine(node).powered
    assert machine(node).boots_at is not None


def test_a_shutdown_does_not_meet_the_node_after_its_next_start(
    node: Server, pair: RedundancyGroup
) -> None:
    enable_ha(group=pair, actor="tester")
    power.shut_down(server=node, actor="ann")
    power.power_off(server=node, actor="ann")
    power.power_on(server=node, actor="ann")
    assert [kind for kind, _ in messages(node)] == ["started"]


def test_a_restarting_node_comes_back_once(
    node: Server, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.LAB_REBOOT_SECONDS = 120
    power.reboot(server=node, actor="ann")
    asked = lab_now()
    with django_assert_num_queries(1):
        assert power.boot_due_nodes(now=asked + 100) == 0
    assert power.boot_due_nodes(now=asked + 121) == 1
    assert power.boot_due_nodes(now=asked + 121) == 0
    on = machine(node)
    assert (on.powered, on.boots_at, on.incarnation) == (True, None, 2)
    assert running(node) == DEFAULTS
    assert messages(node) == [("started", {"incarnation": 2})]


@pytest.mark.parametrize("faster", [power.power_on, power.power_off])
def test_whoever_is_faster_than_the_end_of_a_restart_is_not_undone(
    node: Server, monkeypatch: pytest.MonkeyPatch, faster: Callable[..., None]
) -> None:
    power.reboot(server=node, actor="ann")
    poke, waiting = NodeRuntime.poke, [faster]

    def somebody_is_faster(server_id: int) -> None:
        # Between the look at who is due and the lock on the machine.
        if waiting:
            waiting.pop()(server=node, actor="bob")
        poke(server_id)

    monkeypatch.setattr(NodeRuntime, "poke", somebody_is_faster)
    assert power.boot_due_nodes(now=lab_now() + 9999) == 0
    assert machine(node).powered is (faster.__name__ == "power_on")
    assert "imp-pub is back after its restart." not in sentences()


def test_a_restart_can_be_cut_short_or_cut_off(node: Server) -> None:
    for ask, powered in ((power.power_on, True), (power.power_off, False)):
        if not machine(node).powered:
            power.power_on(server=node, actor="ann")
        power.reboot(server=node, actor="ann")
        ask(server=node, actor="ann")
        assert machine(node).powered == powered
        assert power.boot_due_nodes(now=lab_now() + 9999) == 0


def test_srm_stops_starts_and_restarts(node: Server) -> None:
    for _ in range(2):
        power.stop_srm(server=node, actor="ann")
    assert not machine(node).srm_running
    assert running(node) == DEFAULTS - {SRM}
    for _ in range(2):
        power.start_srm(server=node, actor="ann")
    assert running(node) == DEFAULTS
    power.restart_srm(server=node, actor="ann")
    assert machine(node).incarnation == 3
    assert messages(node) == [("started", {"incarnation": 2}), ("started", {"incarnation": 3})]
    assert sentences() == [
        f"{SRM} on imp-pub was restarted.",
        f"{SRM} on imp-pub was started.",
        f"{SRM} on imp-pub was stopped.",
    ]


def test_a_shutdown_waits_for_no_srm_that_is_stopped(node: Server, pair: RedundancyGroup) -> None:
    enable_ha(group=pair, actor="tester")
    power.shut_down(server=node, actor="ann")
    assert machine(node).powered
    power.stop_srm(server=node, actor="bob")
    assert not machine(node).powered
    assert sentences()[0] == "imp-pub was shut down."
    assert messages(node) == []


@pytest.mark.parametrize(
    ("end", "asked"),
    [(power.stop_srm, []), (power.power_off, []), (power.power_off, ["shutdown"])],
)
def test_what_was_asked_of_an_srm_ends_with_it(
    node: Server, pair: RedundancyGroup, end: Callable[..., None], asked: list[str]
) -> None:
    other = pair.servers.get(slot=2)
    for kind in ("failover", "fallback", "moved", *asked):
        SrmMessage.objects.bulk_create(SrmMessage(node=told, kind=kind) for told in (node, other))
    end(server=node, actor="")
    assert [kind for kind, _ in messages(node)] == ["moved"]
    assert len(messages(other)) == 3 + len(asked)


@pytest.mark.parametrize(
    "ask", [power.shut_down, power.reboot, power.restart_srm, power.start_srm, power.stop_srm]
)
def test_a_node_without_power_is_refused(node: Server, ask: Callable[..., None]) -> None:
    power.power_off(server=node, actor="ann")
    with pytest.raises(Refused, match="imp-pub is powered off"):
        ask(server=node, actor="ann")
    assert messages(node) == []


def test_a_cucm_server_has_no_power_button() -> None:
    cucm = add_server(name="cucm", server_type="cucm", actor="tester")
    with pytest.raises(Refused, match="no machine"):
        power.power_off(server=cucm, actor="ann")


def test_the_driver_starts_nothing_on_a_node_without_power(node: Server) -> None:
    power.power_off(server=node, actor="ann")
    get_driver().start({node.pk: DEFAULTS})
    assert running(node) == set()


@pytest.mark.parametrize("ask", [power.power_off, power.shut_down, power.restart_srm])
def test_srm_looks_around_after_each_change(node: Server, ask: Callable[..., None]) -> None:
    NodeRuntime.objects.update(due_at=300)
    ask(server=node, actor="ann")
    assert NodeRuntime.objects.get(server=node).due_at == 0
