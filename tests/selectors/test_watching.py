"""What whoever follows groups closely finds at each look."""

from collections.abc import Callable

import pytest

from redundancy.models import EventKind, HaEvent, NodeRuntime, RedundancyGroup, Server, SrmMessage
from redundancy.operations import events, power
from redundancy.operations.groups import add_group, disable_ha, edit_group, enable_ha
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.selectors.presence import Presence
from redundancy.selectors.watching import Watched, last_event, watch
from redundancy.srm.states import Reason, State
from tests.memory import remember_pair

pytestmark = pytest.mark.django_db

NORMAL = (State.NORMAL, Reason.NORMAL)


@pytest.fixture
def nodes() -> tuple[Server, Server]:
    """A pair that is Normal and has nothing to do before its time."""
    first, second = (
        add_server(name=name, server_type="imp", actor="") for name in ("imp-pub", "imp-sub")
    )
    assert first.group
    edit_group(group=first.group, name="pair", description="", first=first, second=second, actor="")
    group = enable_ha(group=first.group, actor="")
    first, second = group.servers.order_by("slot")
    remember_pair(first, NORMAL, second, NORMAL)
    NodeRuntime.objects.update(due_at=2_000_000_000)
    return first, second


def look(after: int = 0) -> Watched:
    group = RedundancyGroup.objects.get(name="pair")
    return watch([group.pk], after)[2][group.pk]


def poked(second: Server) -> None:
    NodeRuntime.poke(second.pk)


def told(second: Server) -> None:
    SrmMessage.objects.create(node=second, kind="failover")


def enabled_again(second: Server) -> None:
    RedundancyGroup.objects.update(ha_generation=2)


def off_and_told(second: Server) -> None:
    power.power_off(server=second, actor="")
    told(second)


def without_srm(second: Server) -> None:
    power.stop_srm(server=second, actor="")


def disabled(second: Server) -> None:
    assert second.group
    disable_ha(group=second.group, actor="")


@pytest.mark.parametrize(
    ("happens", "settled", "reports"),
    [
        (poked, False, True),
        (told, False, True),
        (enabled_again, False, True),
        (off_and_told, True, False),
        (without_srm, True, False),
        (disabled, True, True),
    ],
)
def test_a_pair_is_settled_when_who_runs_has_taken_in_what_it_was_told(
    nodes: tuple[Server, Server], happens: Callable[[Server], None], settled: bool, reports: bool
) -> None:
    first, second = nodes
    before = look()
    assert (before.ha_enabled, before.settled) == (True, True)
    assert before.reports == {first.pk: True, second.pk: True}
    happens(second)
    NodeRuntime.objects.filter(server=first).update(due_at=2_000_000_000)
    after = look()
    assert (after.settled, after.reports) == (settled, {first.pk: True, second.pk: reports})
    assert after.ha_enabled is (happens is not disabled)


def test_events_are_those_of_the_groups_since_the_look_before(
    nodes: tuple[Server, Server],
) -> None:
    before = last_event()
    assert before == HaEvent.objects.order_by("pk").last().pk  # type: ignore[union-attr]
    other = add_group(
        name="Rome", first=add_server(name="imp-3", server_type="imp", actor=""), actor=""
    )
    for kind in (EventKind.STATE, EventKind.LAB, EventKind.MOVE, EventKind.ADMIN):
        events.record(kind=kind, sentence=kind, node=nodes[0])
    last = last_event()
    events.record(kind=EventKind.ADMIN, sentence="elsewhere", group=other)
    group = RedundancyGroup.objects.get(name="pair")
    _, seen, found = watch([group.pk], before)
    assert [event.sentence for event in found[group.pk].events] == ["state", "move", "admin"]
    assert seen == last
    _, seen, found = watch([group.pk, other.pk], last)
    assert [event.sentence for event in found[other.pk].events] == ["elsewhere"]
    assert found[group.pk].events == []
    assert watch([group.pk], seen)[1] == seen


def test_sessions_are_those_on_each_node(nodes: tuple[Server, Server]) -> None:
    first, second = nodes
    add_users(rows=[("ann", "", "ann@example.com", second)], actor="")
    presence = look().presence
    assert presence.keys() == {first.pk, second.pk}
    assert (presence[first.pk].sessions, presence[second.pk].sessions) == (0, 1)
    assert presence[first.pk] == Presence()


def test_without_events_the_last_one_is_none(db: None) -> None:
    assert last_event() == 0
