"""What is shown of the nodes, and whether they are being looked at."""

import pytest

from redundancy import bus
from redundancy.models import EventKind, RedundancyGroup, Server, SrmMessage
from redundancy.operations import events
from redundancy.operations.groups import add_group, edit_group, enable_ha
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.selectors import live, observing
from redundancy.srm.states import Reason, State
from tests.labtime import stand_at
from tests.memory import remember_pair

NOW = 1_800_000_000.0
NORMAL = (State.NORMAL, Reason.NORMAL)


@pytest.mark.parametrize(
    ("age", "ok", "words", "unseen"),
    [
        (0.5, True, "", None),
        # A sweep a second: three of them and five seconds more.
        (8, True, "", None),
        (8.5, False, "since 2027-01-15 07:58:35 UTC: no sweep has run", NOW - 85),
        (None, False, "no sweep has run yet", None),
        (bus.BusError("away"), False, "the heartbeat bus cannot be reached", None),
    ],
)
def test_whether_the_nodes_are_seen(
    monkeypatch: pytest.MonkeyPatch,
    age: float | bus.BusError | None,
    ok: bool,
    words: str,
    unseen: float | None,
) -> None:
    def sweep_age() -> float | None:
        if isinstance(age, bus.BusError):
            raise age
        return age

    monkeypatch.setattr(bus, "sweep_age", sweep_age)
    monkeypatch.setattr("redundancy.clock.look", lambda: ((lambda: NOW), 10.0))
    found = observing.observer()
    assert (found.ok, found.unseen_since) == (ok, unseen)
    assert (found.lab_now, found.rate) == (NOW, 10)
    assert words in found.sentence
    assert bool(found.sentence) is not ok


@pytest.fixture
def nodes(db: None) -> list[Server]:
    """A pair that is Normal, a node of another group, and one of none."""
    stand_at(NOW)
    added = [
        add_server(name=name, server_type="imp", actor="")
        for name in ("imp-pub", "imp-sub", "imp-3", "imp-4")
    ]
    first, second, third, _ = added
    assert first.group
    edit_group(group=first.group, name="pair", description="", first=first, second=second, actor="")
    add_group(name="Alone", first=third, actor="")
    enable_ha(group=RedundancyGroup.objects.get(name="pair"), actor="")
    found = list(Server.objects.select_related("group").order_by("pk"))
    remember_pair(found[0], NORMAL, found[1], NORMAL)
    add_users(
        rows=[
            (f"u{number}", "", f"u{number}@example.com", home)
            for number, home in enumerate([found[0], found[0], found[2], found[3]])
        ],
        actor="",
    )
    return found


def test_groups_are_shown_by_name_with_their_own_nodes(nodes: list[Server]) -> None:
    found = live.all_live()
    assert [(group.name, group.ha_enabled) for group in found] == [("Alone", False), ("pair", True)]
    rows = [[(row.name, row.assigned, row.active) for row in group.rows] for group in found]
    assert rows == [[("imp-3", 1, 1)], [("imp-pub", 2, 2), ("imp-sub", 0, 0)]]
    assert [group.events for group in found] == [(), ()]
    assert live.live_of([found[1].group_id]) == {found[1].group_id: found[1]}
    assert live.live_of([]) == {}


def test_a_request_takes_the_buttons_of_its_own_group_only(nodes: list[Server]) -> None:
    def labels() -> list[str]:
        (_, pair) = live.all_live()
        return [row.action_label for row in pair.rows]

    assert labels() == ["Failover", "Failover"]
    SrmMessage.objects.create(node=nodes[2], kind="failover")
    assert labels() == ["Failover", "Failover"]
    SrmMessage.objects.create(node=nodes[1], kind="started")
    assert labels() == ["Failover", "Failover"]
    SrmMessage.objects.create(node=nodes[1], kind="failover")
    assert labels() == ["", ""]


def test_a_group_is_shown_with_its_last_events(nodes: list[Server]) -> None:
    group = RedundancyGroup.objects.get(name="pair")
    for number in range(10):
        events.record(kind=EventKind.LAB, sentence=str(number), group=group)
    events.record(kind=EventKind.LAB, sentence="elsewhere", group=nodes[2].group)
    found = live.group_live(group.pk).events
    assert [event.sentence for event in found] == ["9", "8", "7", "6", "5", "4", "3", "2"]
    with pytest.raises(RedundancyGroup.DoesNotExist):
        live.group_live(999_999)


def test_a_node_is_shown_alone_as_in_its_group(nodes: list[Server]) -> None:
    _, pair = live.all_live()
    assert [live.node_live(server) for server in nodes[:2]] == list(pair.rows)
    alone = live.node_live(nodes[3])
    assert (alone.name, alone.assigned, alone.active, alone.tone) == ("imp-4", 1, 1, "off")
    assert (alone.state, alone.action, alone.action_label, alone.sentence) == (
        State.UNKNOWN,
        None,
        "",
        "",
    )
