from itertools import combinations

import pytest

from redundancy.srm.states import NOT_RESPONDING, Reason, State
from tests.topology.build import cluster, group, node
from topology import layout
from topology.layout import Map, Rect, place
from topology.model import Topology
from topology.text import ELLIPSIS, fit, width, wrap

WIDTHS = [0, 320, 976, 1024, 1500, 1920]


def outer(drawing: Map) -> list[Rect]:
    area = [drawing.unassigned.rect] if drawing.unassigned else []
    return [box.rect for box in drawing.groups] + area


@pytest.mark.parametrize("map_width", WIDTHS)
@pytest.mark.parametrize(("groups", "unassigned"), [(0, 0), (1, 0), (0, 1), (3, 2), (200, 17)])
def test_boxes_stay_inside_and_apart(groups: int, unassigned: int, map_width: int) -> None:
    drawing = place(cluster(groups, unassigned), map_width)
    whole = Rect(0, 0, drawing.width, drawing.height)
    assert len(drawing.groups) == groups
    assert all(whole.contains(rect) for rect in outer(drawing))
    assert not any(a.overlaps(b) for a, b in combinations(outer(drawing), 2))


@pytest.mark.parametrize("map_width", WIDTHS)
def test_nodes_stay_inside_their_box_and_apart(map_width: int) -> None:
    drawing = place(cluster(3, 9), map_width)
    assert drawing.unassigned is not None
    for rect, nodes in [
        *((box.rect, box.nodes) for box in drawing.groups),
        (drawing.unassigned.rect, drawing.unassigned.nodes),
    ]:
        assert all(rect.contains(spot.rect) for spot in nodes)
        assert not any(a.rect.overlaps(b.rect) for a, b in combinations(nodes, 2))


@pytest.mark.parametrize("nodes", [0, 1, 2])
def test_a_place_of_a_group_is_either_taken_or_vacant(nodes: int) -> None:
    box = place(Topology((group(1, *(node(n) for n in range(nodes))),))).groups[0]
    assert len(box.nodes) == nodes
    assert len(box.vacant) == 2 - nodes
    assert (box.line is not None) == (nodes == 2)


def test_heartbeat_line_runs_from_one_node_to_the_other() -> None:
    box = place(cluster(1)).groups[0]
    first, second = (spot.rect for spot in box.nodes)
    assert box.line is not None
    assert (box.line.x1, box.line.x2) == (first.right, second.x)
    assert first.y < box.line.y < first.bottom


def test_width_is_used_for_as_many_columns_as_fit() -> None:
    columns = {
        map_width: len({box.rect.x for box in place(cluster(12), map_width).groups})
        for map_width in WIDTHS
    }
    assert columns == {0: 1, 320: 1, 976: 2, 1024: 2, 1500: 3, 1920: 3}


@pytest.mark.parametrize(
    ("groups", "unassigned", "columns"), [(0, 0, 1), (1, 0, 1), (1, 2, 1), (1, 9, 2), (2, 0, 2)]
)
def test_map_is_no_wider_than_it_needs(groups: int, unassigned: int, columns: int) -> None:
    needed = columns * layout.GROUP_W + (columns - 1) * layout.GAP + 2 * layout.MARGIN
    drawing = place(cluster(groups, unassigned))
    assert needed - layout.NODE_W < drawing.width <= needed


@pytest.mark.parametrize("state", [*State, NOT_RESPONDING])
@pytest.mark.parametrize("reason", list(Reason))
def test_every_state_and_reason_is_shown_in_full(state: str, reason: str) -> None:
    box = place(Topology((), (node(1, state=str(state), reason=str(reason)),))).unassigned
    assert box is not None
    texts = box.nodes[0].texts

    def joined(role: str) -> str:
        return " ".join(text.shown for text in texts if text.role == role)

    assert joined("state") == state
    assert joined("reason") == ("" if reason == state else reason)
    baselines = [text.y for text in texts]
    assert baselines == sorted(set(baselines))
    assert max(baselines) < layout.NODE_H


@pytest.mark.parametrize("letter", ["i", "n", "W", "\u6f22"])
def test_long_names_are_shortened_and_keep_their_full_form(letter: str) -> None:
    host, title = letter * 63, letter * 128
    box = place(Topology((group(1, node(1, name=host), name=title),))).groups[0]
    shown = box.nodes[0].texts[0].shown
    assert box.group.name == title
    assert box.nodes[0].node.name == host
    for text, room, size in [
        (shown, layout.NODE_W, layout.NAME_SIZE),
        (box.title, layout.GROUP_W, layout.TITLE_SIZE),
    ]:
        assert width(text, size, bold=True) < room
        assert text.endswith(ELLIPSIS) or letter == "i"


@pytest.mark.parametrize(
    ("text", "room", "lines", "expected"),
    [
        ("", 100, 3, ()),
        ("Normal", 100, 3, ("Normal",)),
        ("one two three", 40, 3, ("one two", "three")),
        ("one two three", 40, 1, ("one t…",)),
        ("averyveryverylongword next", 40, 2, ("avery…", "next")),
    ],
)
def test_wrap(text: str, room: int, lines: int, expected: tuple[str, ...]) -> None:
    assert wrap(text, room, 10, lines) == expected


def test_fit_leaves_a_text_that_fits_and_survives_no_room_at_all() -> None:
    assert fit("imp-pub", 100, 12) == "imp-pub"
    assert fit("imp-pub", 0, 12) == ELLIPSIS
