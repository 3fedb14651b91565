"""The preflight of a pair: what it finds, and where that is mended."""

from collections.abc import Callable
from typing import Any

import pytest

from redundancy import bus
from redundancy.faultlab import writes as faults
from redundancy.models import NodeRuntime, RedundancyGroup, Server
from redundancy.operations import power
from redundancy.planned.reads.check import Result, Where
from redundancy.srm.states import Reason, State
from tests.labtime import stand_at
from tests.memory import remember_pair
from tests.pages.preflight import (
    ALIKE,
    BEATS,
    DATABASE,
    ENGINE,
    PUB_SERVICES,
    ROUTER,
    SRM_PUB,
    SRM_SUB,
    SUB_SERVICES,
    effects,
    failed,
    in_turn,
    look,
    many_users,
    off,
    server,
    stop,
    stop_srm,
    upper,
)

BEGIN = 1_700_000_000.0


def test_a_sound_pair_passes_every_check(swept: None, sized: RedundancyGroup) -> None:
    found = look(sized)
    assert {check.result for check in found.checks} == {Result.PASSED}
    assert len(found.checks) == 22
    assert found.summary == "Preflight: all 22 checks passed."


def cut_one_way() -> None:
    faults.cut_link(group=RedundancyGroup.objects.get(), sender=server("imp-sub"), actor="")


def link(act: Callable[..., None], **more: float) -> Callable[[], None]:
    return lambda: act(group=RedundancyGroup.objects.get(), actor="", **more)


CASES: list[tuple[str, Callable[[], Any], dict[str, str], str]] = [
    (
        "a service down on one node",
        stop(ROUTER, "imp-sub"),
        {
            SUB_SERVICES: f"Not running: {ROUTER}.",
            "Logins at imp-sub": f"Nobody can log in at imp-sub: {ROUTER}",
        },
        "imp-sub fails over to imp-pub once a service has been down for 90 s.",
    ),
    (
        "services down on both",
        stop(ENGINE, "imp-pub", "imp-sub"),
        {PUB_SERVICES: f"Not running: {ENGINE}.", SUB_SERVICES: f"Not running: {ENGINE}."},
        "both go to Running in Failed Mode after 90 s.",
    ),
    (
        "a database down",
        stop(DATABASE, "imp-pub"),
        {
            PUB_SERVICES: f"Not running: {DATABASE}.",
            "Database": "A Cisco DB does not run on imp-pub.",
        },
        "Database Failure.",
    ),
    (
        "a service that is not monitored",
        stop("Cisco OAM Agent", "imp-pub"),
        {},
        "",
    ),
    (
        "a node without power",
        off("imp-sub"),
        {SRM_SUB: "imp-sub is powered off.", "Database": "A Cisco DB cannot be read on imp-sub."},
        "imp-pub waits 120 s for imp-sub, then takes everybody over: Running in Backup Mode",
    ),
    (
        "both without power",
        off("imp-pub", "imp-sub"),
        {
            SRM_PUB: "imp-pub is powered off.",
            SRM_SUB: "imp-sub is powered off.",
            "Database": "A Cisco DB cannot be read on imp-pub.",
        },
        "Both nodes stay as they are until one of the SRMs runs.",
    ),
    (
        "an SRM that is stopped",
        lambda: power.stop_srm(server=server("imp-pub"), actor=""),
        {SRM_PUB: "The SRM of imp-pub is stopped."},
        "imp-sub waits 120 s for imp-pub",
    ),
    (
        "other limits",
        lambda: upper("900"),
        {ALIKE: "They differ: Client Re-Login Upper Limit (537 and 900)."},
        "another pace after a failover",
    ),
    (
        "another version",
        lambda: Server.objects.filter(name="imp-sub").update(version="99.9"),
        {"Software version": "99.9"},
        "not supported by the vendor",
    ),
    (
        "too many users",
        many_users,
        {
            "Capacity of imp-pub": "It is made for 500 users; the group has 501.",
            "Capacity of imp-sub": "It is made for 500 users; the group has 501.",
        },
        "After a failover to imp-sub it carries 501 users",
    ),
    ("a cut link", link(faults.cut_link), {BEATS: "do not reach its peer"}, "Split Brain"),
    (
        "a link cut one way",
        cut_one_way,
        {BEATS: "Heartbeats from imp-sub do not reach its peer"},
        "imp-pub does not hear imp-sub, and takes everybody over after 120 s.",
    ),
    (
        "a link that is too slow",
        link(faults.delay_link, seconds=60),
        {BEATS: "arrive 60 s late"},
        "Split Brain",
    ),
    ("a link that is slow", link(faults.delay_link, seconds=20), {}, ""),
    ("a link that is just fast enough", link(faults.delay_link, seconds=59.9), {}, ""),
    ("a link that loses much", link(faults.lose_heartbeats, percent=99), {}, ""),
    (
        "a link that loses all",
        link(faults.lose_heartbeats, percent=100),
        {BEATS: "100 % of the heartbeats"},
        "Split Brain",
    ),
    (
        "a service down on the only node with power",
        in_turn(stop(ROUTER, "imp-pub"), off("imp-sub")),
        {
            SRM_SUB: "imp-sub is powered off.",
            PUB_SERVICES: f"Not running: {ROUTER}.",
            "Logins at imp-pub": f"Nobody can log in at imp-pub: {ROUTER}",
            "Database": "A Cisco DB cannot be read on imp-sub.",
        },
        "imp-pub waits for imp-sub, and serves nobody else: its own services do not run.",
    ),
    (
        "a service down beside an SRM that is stopped",
        in_turn(stop(ROUTER, "imp-pub"), stop_srm),
        {
            SRM_SUB: "The SRM of imp-sub is stopped.",
            PUB_SERVICES: f"Not running: {ROUTER}.",
            "Logins at imp-pub": f"Nobody can log in at imp-pub: {ROUTER}",
        },
        "imp-pub has nobody to fail over to.",
    ),
    (
        "a service that a login needs, and nobody monitors",
        stop("Cisco XCP Authentication Service", "imp-sub"),
        {"Logins at imp-sub": "Server Recovery Manager does not monitor that"},
        "Users who come to imp-sub wait until they run.",
    ),
    ("as many users as a node is made for", lambda: many_users(500), {}, ""),
    (
        "one cut link that loses all",
        in_turn(cut_one_way, link(faults.lose_heartbeats, percent=100)),
        {BEATS: "Heartbeats from imp-sub do not reach its peer"},
        "Split Brain",
    ),
]


@pytest.mark.parametrize(
    ("act", "found", "effect"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_fails_and_what_will_come_of_it(
    swept: None,
    sized: RedundancyGroup,
    settings: Any,
    act: Callable[[], Any],
    found: dict[str, str],
    effect: str,
) -> None:
    settings.FAULT_LAB = True
    act()
    seen = failed(sized)
    assert seen.keys() == found.keys()
    for label, sentence in found.items():
        assert sentence in seen[label]
    assert effect in effects(sized)


def test_what_nobody_knows_is_no_failure(swept: None, pair: RedundancyGroup) -> None:
    Server.objects.update(version="")
    unknown = {check.label for check in look(pair).checks if check.result is Result.UNKNOWN}
    assert unknown == {"Capacity of imp-pub", "Capacity of imp-sub", "Software version"}
    assert failed(pair) == {}


def test_only_faults_of_the_link_concern_the_heartbeats(
    swept: None, pair: RedundancyGroup, settings: Any
) -> None:
    settings.FAULT_LAB = True
    faults.fail_next_start(node=server("imp-pub"), actor="")
    beats = next(check for check in look(pair).checks if check.label == BEATS)
    assert beats.result is Result.PASSED
    faults.delay_link(group=pair, seconds=20, actor="")
    beats = next(check for check in look(pair).checks if check.label == BEATS)
    assert (beats.result, beats.where) == (Result.UNKNOWN, Where.FAULT_LAB)
    assert "start" not in beats.sentence


@pytest.mark.parametrize(
    ("act", "why"),
    [(off("imp-sub"), "imp-sub is powered off"), (stop_srm, "The SRM of imp-sub is stopped")],
)
@pytest.mark.parametrize("on", [False, True])
def test_heartbeats_of_a_silent_node_are_not_passed(
    swept: None, pair: RedundancyGroup, act: Callable[[], None], why: str, on: bool
) -> None:
    if on:
        remember_pair(
            server("imp-pub"),
            (State.NORMAL, Reason.NORMAL),
            server("imp-sub"),
            (State.NORMAL, Reason.NORMAL),
        )
        RedundancyGroup.objects.update(ha_enabled=True, ha_generation=1)
    act()
    beats = next(
        check for check in look(RedundancyGroup.objects.get()).checks if check.label == BEATS
    )
    assert beats.result is Result.UNKNOWN
    assert beats.sentence == f"It cannot be seen whether the nodes hear each other: {why}."


@pytest.mark.parametrize("node", ["imp-pub", "imp-sub"])
def test_the_node_whose_version_nobody_knows_is_the_one_to_mend(
    swept: None, pair: RedundancyGroup, node: str
) -> None:
    Server.objects.filter(name=node).update(version="")
    (check,) = [check for check in look(pair).checks if check.label == "Software version"]
    assert check.sentence == f"The software version of {node} is not set."
    assert (check.where, check.server_id) == (Where.SERVER, server(node).pk)


@pytest.mark.parametrize(
    ("names", "where"),
    [
        ([ENGINE], Where.FEATURE_SERVICES),
        ([DATABASE], Where.NETWORK_SERVICES),
        ([ENGINE, DATABASE], Where.NETWORK_SERVICES),
    ],
)
def test_services_are_mended_where_they_are_listed(
    swept: None, pair: RedundancyGroup, names: list[str], where: Where
) -> None:
    for name in names:
        stop(name, "imp-sub")()
    (check,) = [check for check in look(pair).failed if check.label == SUB_SERVICES]
    assert (check.where, check.server_id) == (where, server("imp-sub").pk)


@pytest.mark.parametrize(("age", "heard"), [(59.9, True), (60.0, False)])
def test_a_peer_is_not_heard_from_its_limit_on(
    swept: None, ha: RedundancyGroup, age: float, heard: bool
) -> None:
    first, second = ha.servers.order_by("slot")
    stand_at(BEGIN)
    remember_pair(first, (State.NORMAL, Reason.NORMAL), second, (State.NORMAL, Reason.NORMAL))
    peer_at = NodeRuntime.objects.get(server=first).memory["peer_at"]
    for runtime in NodeRuntime.objects.all():
        runtime.memory["peer_at"] = peer_at
        runtime.save()
    stand_at(peer_at + age)
    assert (BEATS not in failed(ha)) == heard


@pytest.mark.parametrize("age", [None, 60.0])
def test_without_sweeps_nothing_will_happen(
    monkeypatch: pytest.MonkeyPatch, pair: RedundancyGroup, age: float | None
) -> None:
    monkeypatch.setattr(bus, "sweep_age", lambda: age)
    assert list(failed(pair)) == [BEATS]
    assert "Nothing happens until sweeps run again" in effects(pair)


def test_a_bus_that_does_not_answer(pair: RedundancyGroup, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    assert "the heartbeat bus cannot be reached" in failed(pair)[BEATS]


def test_with_high_availability_on_the_heartbeats_age_is_measured(
    swept: None, ha: RedundancyGroup
) -> None:
    first, second = ha.servers.order_by("slot")
    beats = next(check for check in look(ha).checks if check.label == BEATS)
    assert beats.result is Result.FAILED
    assert "not heard by imp-pub and imp-sub" in beats.sentence
    remember_pair(first, (State.NORMAL, Reason.NORMAL), second, (State.NORMAL, Reason.NORMAL))
    beats = next(check for check in look(ha).checks if check.label == BEATS)
    assert beats.result is Result.PASSED
    assert "imp-pub heard imp-sub 0 s ago." in beats.figure
    memory = NodeRuntime.objects.get(server=first).memory

    def heard_before(seconds: int) -> None:
        peer_at = memory["peer_at"] - seconds
        NodeRuntime.objects.filter(server=first).update(memory=memory | {"peer_at": peer_at})

    heard_before(40)
    beats = next(check for check in look(ha).checks if check.label == BEATS)
    assert (beats.result, beats.sentence) == (
        Result.UNKNOWN,
        "A heartbeat is overdue at imp-pub.",
    )
    heard_before(100)
    assert "not heard by imp-pub." in failed(ha)[BEATS]
