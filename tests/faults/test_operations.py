"""The rules of putting faults into the lab and taking them out."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from redundancy.errors import Refused
from redundancy.faultlab import writes as faults
from redundancy.models import Fault, HaEvent, RedundancyGroup, Server
from redundancy.operations.faults import take_moves, take_start
from redundancy.operations.groups import add_group
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.selectors import faults as selectors

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fault_lab(settings: Settings) -> None:
    settings.FAULT_LAB = True


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 2)
    return load_sample_cluster(actor="tester")


@pytest.fixture
def pub(group: RedundancyGroup) -> Server:
    return group.servers.get(slot=1)


@pytest.fixture
def sub(group: RedundancyGroup) -> Server:
    return group.servers.get(slot=2)


def told() -> list[str]:
    return [fault.sentence for fault in selectors.active()]


def test_each_fault_is_told_with_its_measure(group: RedundancyGroup, pub: Server) -> None:
    faults.cut_link(group=group, sender=pub, actor="ann")
    faults.delay_link(group=group, seconds=2.5, actor="ann")
    faults.lose_heartbeats(group=group, percent=30, actor="ann")
    faults.fail_next_move(group=group, actor="ann")
    faults.fail_next_start(node=pub, actor="ann")
    faults.pause_observer(seconds=600, actor="ann")
    *others, pause = told()
    assert others == [
        "Heartbeats from imp-pub do not reach its peer.",
        "Heartbeats within DefaultCUPSubCluster arrive 2.5 s late; between sites the vendor supports at "
        "most 80 ms there and back.",
        "30 % of the heartbeats within DefaultCUPSubCluster are lost.",
        "The next session move of DefaultCUPSubCluster fails.",
        "The next start of critical services on imp-pub fails.",
    ]
    assert pause.startswith("Nobody looks at the nodes until ")
    assert (
        HaEvent.objects.filter(actor="ann", kind="lab", sentence__startswith="Fault: ").count() == 6
    )
    assert HaEvent.objects.filter(group=group, sentence__startswith="Fault: ").count() == 5


def test_a_link_is_restored_whole_and_the_rest_stays(group: RedundancyGroup, pub: Server) -> None:
    faults.cut_link(group=group, actor="")
    faults.delay_link(group=group, seconds=5, actor="")
    faults.lose_heartbeats(group=group, percent=5, actor="")
    faults.fail_next_move(group=group, actor="")
    assert len(told()) == 5
    for _ in range(2):
        faults.restore_link(group=group, actor="")
    assert told() == ["The next session move of DefaultCUPSubCluster fails."]
    faults.pause_observer(seconds=5, actor="")
    faults.fail_next_start(node=pub, actor="")
    faults.clear(group=group, actor="")
    assert [f.kind for f in selectors.active()] == ["pause"]
    faults.clear(group=None, actor="")
    assert told() == []


def test_the_same_fault_again_is_one_and_another_measure_replaces_it(
    group: RedundancyGroup,
) -> None:
    for seconds in (5, 5, 7):
        faults.delay_link(group=group, seconds=seconds, actor="")
    [late] = told()
    assert late.startswith("Heartbeats within DefaultCUPSubCluster arrive 7 s late;")
    assert HaEvent.objects.filter(sentence__startswith="Fault: ").count() == 2
    faults.pause_observer(seconds=5, actor="")
    faults.pause_observer(seconds=9, actor="")
    (fault,) = Fault.objects.filter(kind="pause")
    faults.lift(fault_id=fault.pk, actor="")
    faults.lift(fault_id=fault.pk, actor="")
    assert Fault.objects.count() == 1


def test_a_fault_of_a_group_goes_with_it_and_touches_no_other(group: RedundancyGroup) -> None:
    lone = add_server(name="imp-3", server_type="imp", actor="")
    other = add_server(name="imp-4", server_type="imp", actor="")
    second = add_group(name="second", first=lone, second=other, actor="")
    faults.cut_link(group=group, actor="")
    faults.cut_link(group=second, actor="")
    faults.restore_link(group=group, actor="")
    assert {fault.pair_id for fault in selectors.active()} == {second.pk}


Ask = Callable[[RedundancyGroup, Server, Server], Any]

REFUSED: dict[str, tuple[Ask, str, str]] = {
    "no delay": (
        lambda g, p, s: faults.delay_link(group=g, seconds=0, actor=""),
        "seconds",
        "more than 0 and at most 3600",
    ),
    "a delay without end": (
        lambda g, p, s: faults.delay_link(group=g, seconds=float("nan"), actor=""),
        "seconds",
        "more than 0",
    ),
    "more than all": (
        lambda g, p, s: faults.lose_heartbeats(group=g, percent=101, actor=""),
        "percent",
        "at most 100 percent",
    ),
    "an endless pause": (
        lambda g, p, s: faults.pause_observer(seconds=float("inf"), actor=""),
        "seconds",
        "at most 86400",
    ),
    "a link to itself": (
        lambda g, p, s: faults.cut_link(group=g, sender=p, receiver=p, actor=""),
        "receiver",
        "two different ends",
    ),
    "a stranger": (
        lambda g, p, s: faults.cut_link(
            group=g, sender=add_server(name="imp-9", server_type="imp", actor=""), actor=""
        ),
        "sender",
        "imp-9 is not a node of DefaultCUPSubCluster",
    ),
    "no node": (
        lambda g, p, s: faults.fail_next_start(
            node=add_server(name="cucm-1", server_type="cucm", actor=""), actor=""
        ),
        "node",
        "CUCM IM and Presence",
    ),
    "no pair": (
        lambda g, p, s: faults.fail_next_move(
            group=add_group(
                name="one", first=add_server(name="imp-5", server_type="imp", actor=""), actor=""
            ),
            actor="",
        ),
        "group",
        "one has no two nodes",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused(
    case: str, group: RedundancyGroup, pub: Server, sub: Server
) -> None:
    ask, field, rule = REFUSED[case]
    with pytest.raises(Refused, match=rule) as refused:
        ask(group, pub, sub)
    assert refused.value.field == field
    assert not Fault.objects.exists()


def test_without_the_fault_lab_nothing_is_broken_and_nobody_asked(
    group: RedundancyGroup,
    pub: Server,
    settings: Settings,
    django_assert_num_queries: Callable,
) -> None:
    faults.cut_link(group=group, actor="")
    faults.fail_next_move(group=group, actor="")
    settings.FAULT_LAB = False
    with pytest.raises(Refused, match="FAULT_LAB=1"):
        faults.cut_link(group=group, actor="")
    with django_assert_num_queries(0):
        assert selectors.active() == []
        assert selectors.in_force() == selectors.NONE
        assert not take_moves([group.pk])
        assert not take_start(pub)
