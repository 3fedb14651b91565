from itertools import combinations, pairwise

import pytest
from django.utils import translation

from redundancy.selectors.presence import Presence
from redundancy.srm.states import NOT_RESPONDING, Reason, State
from redundancy.svg_text import ELLIPSIS, fit, width, wrap
from redundancy.templatetags.lab import named
from tests.topology.build import HEARD, SILENT, cluster, group, node, topology
from topology import layout
from topology.layout import Map, Rect, draw_map
from topology.model import HeartbeatLink, Offer

WIDTHS = [0, 320, 976, 1024, 1500, 1920]


def contains(outside: Rect, inside: Rect) -> bool:
    return (
        outside.x <= inside.x
        and outside.y <= inside.y
        and inside.right <= outside.right
        and inside.bottom <= outside.bottom
    )


def overlaps(one: Rect, other: Rect) -> bool:
    return (
        one.x < other.right
        and other.x < one.right
        and one.y < other.bottom
        and other.y < one.bottom
    )


def outer(drawing: Map) -> list[Rect]:
    area = [drawing.unassigned.rect] if drawing.unassigned else []
    return [box.rect for box in drawing.groups] + area


@pytest.mark.parametrize("map_width", WIDTHS)
@pytest.mark.parametrize(("groups", "unassigned"), [(0, 0), (1, 0), (0, 1), (3, 2), (200, 17)])
def test_boxes_stay_inside_and_apart(groups: int, unassigned: int, map_width: int) -> None:
    drawing = draw_map(cluster(groups, unassigned), map_width)
    whole = Rect(0, 0, drawing.width, drawing.height)
    assert len(drawing.groups) == groups
    assert all(contains(whole, rect) for rect in outer(drawing))
    assert not any(overlaps(a, b) for a, b in combinations(outer(drawing), 2))


@pytest.mark.parametrize("map_width", WIDTHS)
def test_nodes_stay_inside_their_box_and_apart(map_width: int) -> None:
    drawing = draw_map(cluster(3, 9), map_width)
    assert drawing.unassigned is not None
    for rect, nodes in [
        *((box.rect, box.nodes) for box in drawing.groups),
        (drawing.unassigned.rect, drawing.unassigned.nodes),
    ]:
        assert all(contains(rect, spot.rect) for spot in nodes)
        assert not any(overlaps(a.rect, b.rect) for a, b in combinations(nodes, 2))


def test_everything_keeps_its_distance() -> None:
    drawing = draw_map(cluster(5, 4), 976)
    assert drawing.unassigned is not None
    boxes, area = [box.rect for box in drawing.groups], drawing.unassigned.rect
    assert [(rect.x, rect.y) for rect in boxes[:3]] == [
        (layout.MARGIN, layout.MARGIN),
        (layout.MARGIN + layout.GROUP_W + layout.GAP, layout.MARGIN),
        (layout.MARGIN, boxes[0].bottom + layout.GAP),
    ]
    assert max(rect.right for rect in boxes) == drawing.width - layout.MARGIN
    assert (area.x, area.y) == (layout.MARGIN, boxes[-1].bottom + layout.GAP)
    assert (area.right, area.bottom) == (
        drawing.width - layout.MARGIN,
        drawing.height - layout.MARGIN,
    )
    framed = [(box.rect, box.nodes) for box in drawing.groups] + [(area, drawing.unassigned.nodes)]
    for rect, nodes in framed:
        first, last = nodes[0].rect, nodes[-1].rect
        assert (first.x - rect.x, first.y - rect.y) == (layout.PAD, layout.HEAD)
        assert rect.bottom - last.bottom == layout.PAD
    for box in drawing.groups:
        assert box.rect.right - box.nodes[1].rect.right == layout.PAD
        assert box.nodes[1].rect.x - box.nodes[0].rect.right == layout.LINK_W
    loose = drawing.unassigned.nodes
    assert loose[1].rect.x - loose[0].rect.right == layout.GAP


def test_unassigned_nodes_alone_stand_at_the_margin() -> None:
    drawing = draw_map(cluster(0, 2), 976)
    assert drawing.unassigned is not None
    assert drawing.unassigned.rect.y == layout.MARGIN
    assert draw_map(cluster(0)).height == layout.EMPTY_H


@pytest.mark.parametrize(
    ("groups", "loose", "cell", "pad"),
    [(8, 0, layout.GROUP_W, 0), (0, 16, layout.NODE_W, layout.PAD)],
)
def test_a_row_is_as_long_as_the_width_allows(groups: int, loose: int, cell: int, pad: int) -> None:
    least = layout.GROUP_W + 2 * layout.MARGIN
    # More than any of the widths has room for in a row.
    many = cluster(groups, loose)
    for map_width in range(least, 2000, 3):
        drawing = draw_map(many, map_width)
        outside = 2 * (layout.MARGIN + pad)
        columns = (drawing.width - outside + layout.GAP) // (cell + layout.GAP)
        assert drawing.width <= map_width
        assert (columns + 1) * (cell + layout.GAP) - layout.GAP + outside > map_width


@pytest.mark.parametrize("on", [True, False])
def test_a_long_title_ends_before_the_word_on_high_availability(on: bool) -> None:
    box = draw_map(topology(group(1, name="i" * 128, ha_enabled=on))).groups[0]
    room = (
        box.ha_end - layout.PAD - layout.ICON - max(60, width(str(box.group.ha), layout.TEXT_SIZE))
    )
    used = width(box.title, layout.TITLE_SIZE, bold=True)
    assert room - width("i", layout.TITLE_SIZE, bold=True) < used <= room


@pytest.mark.parametrize("nodes", [0, 1, 2])
def test_a_place_of_a_group_is_either_taken_or_vacant(nodes: int) -> None:
    box = draw_map(topology(group(1, *(node(n) for n in range(nodes))))).groups[0]
    assert len(box.nodes) == nodes
    assert len(box.vacant) == 2 - nodes
    assert (box.line is not None) == (nodes == 2)


def test_heartbeats_run_from_one_node_to_the_other_and_back() -> None:
    box = draw_map(topology(group(1, node(1, ear=SILENT), node(2, ear=HEARD)))).groups[0]
    first, second = (spot.rect for spot in box.nodes)
    assert box.line is not None
    assert box.line.link is HeartbeatLink.ONE_WAY
    assert (box.line.x1, box.line.x2) == (first.right, second.x)
    there, back = box.line.arrows
    assert there.hearing.listener.server_id == 2
    assert first.right <= there.x1 < there.x2 <= second.x
    assert back.hearing.listener.server_id == 1
    assert first.right <= back.x2 < back.x1 <= second.x
    assert first.y < box.line.icon.y < there.y < back.y < first.bottom


def test_texts_of_a_link_stand_apart_and_in_order() -> None:
    line = draw_map(cluster(1)).groups[0].line
    assert line is not None
    there, back = line.arrows
    heights = [
        line.icon.y + layout.ICON,
        line.caption.y,
        line.label.y,
        there.age.y,
        there.y,
        back.y,
        back.age.y,
    ]
    assert heights == sorted(heights)
    baselines = [line.caption.y, line.label.y, there.age.y, back.age.y]
    assert all(b - a >= layout.TEXT_SIZE for a, b in pairwise(baselines))


@pytest.mark.parametrize("link", list(HeartbeatLink))
def test_label_of_a_link_fits_between_the_nodes(link: HeartbeatLink) -> None:
    assert width(link.value, layout.TEXT_SIZE, bold=True) < layout.LINK_W
    assert width("59 min 59 s", 10) < layout.LINK_W


def test_what_is_offered_stands_below_whom_it_is_about() -> None:
    def offer(node: int | None) -> Offer:
        return Offer(0, node, "", "failover", "Failover", "/")

    shown = cluster(2)
    bare, _ = draw_map(shown).groups
    pair = draw_map(shown, offers={0: [offer(1), offer(2)]}).groups[0]
    whole, beside = draw_map(shown, offers={0: [offer(None)]}).groups
    assert [(b.rect.x, b.rect.right) for b in pair.buttons] == [
        (spot.rect.x, spot.rect.right) for spot in pair.nodes
    ]
    (button,) = whole.buttons
    assert (button.rect.x, button.rect.right) == (pair.nodes[0].rect.x, pair.nodes[1].rect.right)
    for box in (pair, whole):
        for each in box.buttons:
            assert contains(box.rect, each.rect)
            assert not any(overlaps(each.rect, spot.rect) for spot in box.nodes)
    assert not beside.buttons
    assert bare.rect.h < whole.rect.h == beside.rect.h


def test_without_heartbeats_a_plain_line_joins_the_nodes() -> None:
    nodes = (node(1, ear=None), node(2, ear=None))
    line = draw_map(topology(group(1, *nodes, ha_enabled=False))).groups[0].line
    assert line is not None
    assert (line.link, line.arrows) == (HeartbeatLink.OFF, ())


def test_sessions_of_a_failed_node_are_drawn_on_its_peer() -> None:
    holder = node(2, name="b" * 63, presence=Presence(800, 200), guests=Presence(300, 200))
    pair = group(1, node(1, name="imp-one", presence=Presence(0)), holder)
    failed, serving = draw_map(topology(pair)).groups[0].nodes
    assert (failed.guests, failed.guests_of) == (None, "")
    assert serving.guests_of == "imp-one"
    strip = serving.guests
    assert strip is not None
    assert contains(Rect(0, 0, serving.rect.w, serving.rect.h), strip)
    # The boxes of a row are as high as the fullest of them.
    assert layout.NODE_H < serving.rect.h == failed.rect.h
    (told,) = [text for text in serving.texts if text.role == "guests"]
    assert told.words == "500 of imp-one"
    assert strip.y < told.y < strip.bottom
    assert all(text.y < strip.y for text in serving.texts if text is not told)
    assert "300 (200 waiting to log in) active users of imp-one among them" in serving.label


def test_width_is_used_for_as_many_columns_as_fit() -> None:
    columns = {
        map_width: len({box.rect.x for box in draw_map(cluster(12), map_width).groups})
        for map_width in WIDTHS
    }
    assert columns == {0: 1, 320: 1, 976: 2, 1024: 2, 1500: 3, 1920: 3}


@pytest.mark.parametrize(
    ("groups", "unassigned", "columns"), [(0, 0, 1), (1, 0, 1), (1, 2, 1), (1, 9, 2), (2, 0, 2)]
)
def test_map_is_no_wider_than_it_needs(groups: int, unassigned: int, columns: int) -> None:
    needed = columns * layout.GROUP_W + (columns - 1) * layout.GAP + 2 * layout.MARGIN
    drawing = draw_map(cluster(groups, unassigned))
    assert needed - layout.NODE_W < drawing.width <= needed


@pytest.mark.parametrize("language", ["en", "pt-br"])
@pytest.mark.parametrize("state", [*State, NOT_RESPONDING])
def test_every_state_and_reason_is_shown_in_full(state: str, language: str) -> None:
    with translation.override(language):
        for reason in Reason:
            box = draw_map(
                topology(loose=(node(1, state=str(state), reason=str(reason)),))
            ).unassigned
            assert box is not None
            texts = box.nodes[0].texts
            shown = {
                role: " ".join(text.words for text in texts if text.role == role)
                for role in ("state", "reason")
            }
            assert shown["state"] == named(state)
            assert shown["reason"] == ("" if reason == state else named(reason))
            baselines = [text.y for text in texts]
            assert baselines == sorted(set(baselines))
            assert max(baselines) < box.nodes[0].rect.h


@pytest.mark.parametrize("letter", ["i", "n", "W", "\u6f22"])
def test_long_names_are_shortened_and_keep_their_full_form(letter: str) -> None:
    host, title = letter * 63, letter * 128
    box = draw_map(topology(group(1, node(1, name=host), name=title))).groups[0]
    shown = box.nodes[0].texts[0].words
    assert box.group.name == title
    assert box.nodes[0].node.name == host
    for text, room, size in [
        (shown, layout.NODE_W, layout.NAME_SIZE),
        (box.title, layout.GROUP_W, layout.TITLE_SIZE),
    ]:
        assert width(text, size, bold=True) < room
        assert ELLIPSIS in text or letter == "i"
        # Names differ at their ends.
        assert text[0] == text[-1] == letter


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
