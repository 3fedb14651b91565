"""What the cluster looks like from outside, compared with what the nodes have heard and the group's page says."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from redundancy.faultlab import writes as faults
from redundancy.models import NodeRuntime, RedundancyGroup
from redundancy.operations import actions, groups, power, services
from redundancy.selectors import cluster, live
from redundancy.selectors.cluster import Cluster, ClusterNode
from redundancy.selectors.hearing import Ear, Sound
from redundancy.selectors.presence import Presence
from redundancy.srm import facts
from redundancy.srm.codec import node_from_json
from tests.bench.population import add_pairs
from tests.live.pair import ROUTER, Pair, server

HEARD, LATE, SILENT = Sound.HEARD, Sound.LATE, Sound.SILENT
WAITING, DEAF = Sound.WAITING, Sound.DEAF


@pytest.fixture(autouse=True)
def fault_lab(settings: Settings) -> None:
    settings.FAULT_LAB = True


def group() -> RedundancyGroup:
    return RedundancyGroup.objects.get()


def look(*, seeing: bool = True) -> Cluster:
    """Everything, as it is shown."""
    seen = cluster.survey(seeing=seeing)
    return seen.show(seen.outlines)


def nodes(found: Cluster | None = None) -> tuple[ClusterNode, ...]:
    return (found or look()).groups[0].nodes


def ears() -> tuple[Ear, ...]:
    return tuple(ear for node in nodes() if (ear := node.ear))


def sounds() -> tuple[Sound, ...]:
    return tuple(ear.sound for ear in ears())


def test_each_node_hears_the_other_and_when(pair: Pair) -> None:
    pair.run(20)
    heard = dict(NodeRuntime.objects.values_list("server__name", "memory__peer_at"))
    first, second = ears()
    assert (first.sound, second.sound) == (HEARD, HEARD)
    assert (first.heard_at, second.heard_at) == (heard["imp-pub"], heard["imp-sub"])
    assert first.heard_back
    assert not first.leaving


def test_a_cut_link_is_late_and_then_silent(pair: Pair) -> None:
    faults.cut_link(group=group(), actor="")
    pair.run(32)
    assert sounds() == (LATE, LATE)
    pair.run(35)
    assert sounds() == (SILENT, SILENT)


def test_a_link_cut_one_way_is_heard_one_way(pair: Pair) -> None:
    faults.cut_link(group=group(), sender=server("imp-pub"), actor="")
    pair.run(45)
    assert sounds() == (HEARD, LATE)
    pair.run(30)
    first, second = ears()
    assert (first.sound, second.sound) == (HEARD, SILENT)
    # What the deaf node says of itself arrives.
    assert not first.heard_back


def test_a_stopped_srm_is_deaf(pair: Pair) -> None:
    power.stop_srm(server=server("imp-sub"), actor="")
    pair.run(70)
    assert sounds() == (SILENT, DEAF)
    assert nodes()[1].tone == "bad"


@pytest.mark.parametrize(
    ("sound", "words"), [(WAITING, "not yet"), (SILENT, "not yet"), (DEAF, "–")]
)
def test_who_cannot_hear_has_not_just_heard_nothing_yet(sound: Sound, words: str) -> None:
    assert Ear(sound).never == words


def test_a_node_that_goes_down_says_so(pair: Pair) -> None:
    power.shut_down(server=server("imp-sub"), actor="")
    pair.run(2)
    ear = ears()[0]
    assert (ear.sound, ear.leaving) == (SILENT, True)


def test_ha_off_means_no_heartbeats_and_on_again_none_heard_yet(pair: Pair) -> None:
    groups.disable_ha(group=group(), actor="")
    assert [node.ear for node in nodes()] == [None, None]
    assert {node.tone for node in nodes()} == {"off"}
    pair.run(1)
    groups.enable_ha(group=group(), actor="")
    assert ears() == (Ear(WAITING), Ear(WAITING))
    faults.cut_link(group=group(), actor="")
    pair.run(100)
    assert sounds() == (WAITING, WAITING)
    pair.run(30)
    assert sounds() == (SILENT, SILENT)


def test_while_nobody_sweeps_silence_says_nothing(pair: Pair) -> None:
    pair.run(5)
    pair.clock.now += 3600
    assert sounds() == (SILENT, SILENT)
    unseen = nodes(look(seeing=False))
    assert [node.ear for node in unseen] == [Ear(Sound.UNSEEN)] * 2
    assert [(node.state, node.reason, node.tone) for node in unseen] == [
        ("Normal", "as last seen", "unseen")
    ] * 2
    # Who has no power is known to say nothing.
    power.power_off(server=server("imp-sub"), actor="")
    assert [node.tone for node in nodes(look(seeing=False))] == ["unseen", "bad"]


def test_an_age_counts_no_further_than_what_stands_beside_it_is_true(pair: Pair) -> None:
    pair.run(5)
    ears = [node.ear for node in nodes() if node.ear]
    assert [ear.holds_until and ear.holds_until - (ear.heard_at or 0) for ear in ears] == [30, 30]
    pair.clock.now += 40
    ears = [node.ear for node in nodes() if node.ear]
    assert [ear.holds_until and ear.holds_until - (ear.heard_at or 0) for ear in ears] == [60, 60]
    pair.clock.now += 40
    assert [node.ear and node.ear.holds_until for node in nodes()] == [None, None]


def test_a_node_is_not_green_where_nobody_can_log_in(pair: Pair) -> None:
    services.stop_service(
        server=server("imp-sub"), name="Cisco XCP Authentication Service", actor=""
    )
    pair.run(2)
    assert [(node.state, node.tone) for node in nodes()] == [("Normal", "ok"), ("Normal", "warn")]


def test_sessions_of_the_failed_node_are_guests_of_its_peer(pair: Pair) -> None:
    pair.run(15)
    assert [node.guests.sessions for node in nodes()] == [0, 0]
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(5)
    failed, serving = nodes()
    assert failed.guests == Presence()
    assert (serving.guests.active, serving.guests.waiting) == (0, 500)
    assert (serving.presence.active, serving.presence.waiting) == (500, 500)
    pair.run(600)
    assert nodes()[1].guests == Presence(500)
    power.power_off(server=server("imp-sub"), actor="")
    assert nodes()[1].guests == Presence(0, 500, serves=False)


def router_stops(pair: Pair) -> None:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    pair.run(10)


def router_stays_down(pair: Pair) -> None:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    pair.run(100)


def fails_over(pair: Pair) -> None:
    pair.run(15)
    actions.request_failover(node=server("imp-sub"), serial=None, actor="")
    pair.run(3)


def goes_off(pair: Pair) -> None:
    groups.disable_ha(group=group(), actor="")


def has_just_come_on(pair: Pair) -> None:
    groups.disable_ha(group=group(), actor="")
    pair.run(1)
    groups.enable_ha(group=group(), actor="")


def loses_a_node(pair: Pair) -> None:
    power.power_off(server=server("imp-pub"), actor="")
    pair.run(70)


@pytest.mark.parametrize(
    "happens",
    [router_stops, router_stays_down, fails_over, goes_off, has_just_come_on, loses_a_node],
)
def test_nodes_look_as_on_the_page_of_their_group(
    pair: Pair, happens: Callable[[Pair], None]
) -> None:
    happens(pair)
    (of_page,) = live.all_live()
    for node, row in zip(nodes(), of_page.rows, strict=True):
        for name in ("server_id", "name", "is_publisher", "assigned", "presence"):
            assert getattr(node, name) == getattr(row, name)
        assert (node.state, node.reason, node.tone) == (row.state, row.reason, row.tone)


def goes_down(pair: Pair) -> None:
    power.shut_down(server=server("imp-sub"), actor="")
    pair.run(2)


@pytest.mark.parametrize(
    "happens",
    [
        router_stops,
        router_stays_down,
        fails_over,
        goes_off,
        has_just_come_on,
        loses_a_node,
        goes_down,
    ],
)
def test_the_columns_beside_a_memory_say_the_same(
    pair: Pair, happens: Callable[[Pair], None]
) -> None:
    happens(pair)
    for runtime in NodeRuntime.objects.all():
        columns = (
            runtime.generation,
            runtime.peer_at,
            runtime.listening_since,
            runtime.peer_hears,
            runtime.peer_leaving,
            runtime.service_down,
        )
        if not runtime.memory:
            assert columns == (None, None, None, None, None, False)
            continue
        node = node_from_json(runtime.memory)
        said = (node.peer.hears, node.peer.leaving) if node.peer else (None, None)
        down = bool(facts.down(node))
        assert columns == (node.generation, node.peer_at, node.listening_since, *said, down)


def test_queries_do_not_grow_with_the_cluster(pair: Pair) -> None:
    actions.request_failover(node=server("imp-pub"), serial=None, actor="")
    pair.run(20)

    def queries() -> int:
        # Once for what a process asks at its first look only; then all is counted again.
        look()
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            look()
        return len(captured)

    before = queries()
    add_pairs(40)
    assert queries() == before
    assert len(look().groups) == 41
