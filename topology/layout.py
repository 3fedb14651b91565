"""Where everything of the topology stands on the map.

Pure: a topology and a width in, rectangles and texts out, in user units of the SVG (1 unit = 1 px at
natural size). Texts and icons are placed relative to the rectangle they belong to. Rules: nothing
overlaps, everything is inside the map, the boxes of a row are as high as the fullest of them, a text
that is too long is shortened and keeps its full form.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from redundancy.selectors.cluster import ClusterNode as Node
from redundancy.srm.words import say
from redundancy.svg_text import fit, fit_ends, width, wrap
from topology.model import (
    Group,
    Hearing,
    HeartbeatLink,
    Offer,
    Topology,
    label,
    role,
    shown_reason,
)

WIDTH = 976

MARGIN = 8
GAP = 16
PAD = 12
HEAD = 34
# A node is at least so high: what stands between two nodes needs it.
NODE_W, NODE_H = 188, 118
LINK_W = 72
GROUP_W = PAD + NODE_W + LINK_W + NODE_W + PAD
# The buttons below the nodes.
BUTTON_H = 22
EMPTY_H = 72
ICON = 16

TITLE_SIZE, NAME_SIZE, TEXT_SIZE = 13, 12, 11
LINE = 14
_INSET = 10
_INDENT = _INSET + ICON + 6
# The baseline of the first line of the state, and how far below it the users stand.
_FIRST, _BREAK = 60, 8
_STATE_LINES, _REASON_LINES = 5, 3
# The strip of a node that holds its peer's sessions.
GUESTS_H = 22
# Between the two directions of a link, and of an arrow's end to the box it points to.
_APART, _TIP = 18, 3
# What a link needs above its middle.
_LINK_ABOVE = 84

Cell = TypeVar("Cell")


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle: its upper left corner, width and height."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        """Return the x of the right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """Return the y of the lower edge."""
        return self.y + self.h


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text at its baseline. ``role`` names what it says, and so its style."""

    x: int
    y: int
    role: str
    words: str


@dataclass(frozen=True, slots=True)
class Icon:
    """An icon of the sprite, ``ICON`` units square."""

    x: int
    y: int
    name: str


@dataclass(frozen=True, slots=True)
class NodeBox:
    """A node as drawn.

    ``mark``: where the publisher's mark stands, None on a subscriber. ``guests_of``: the peer whose
    sessions it holds; ``guests``: where they are drawn, None when there are none.
    """

    rect: Rect
    node: Node
    texts: tuple[Text, ...]
    icon: Icon
    mark: Icon | None
    guests_of: str = ""
    guests: Rect | None = None

    @property
    def label(self) -> str:
        """Return what is said of it to those who do not see it."""
        return label(self.node, self.guests_of)


@dataclass(frozen=True, slots=True)
class Arrow:
    """Heartbeats in one direction, from ``x1`` at the speaker to ``x2`` at the listener.

    ``age``: where it stands how long ago the last one was heard.
    """

    x1: int
    x2: int
    y: int
    age: Text
    hearing: Hearing

    @property
    def middle(self) -> int:
        """Return the x of the middle."""
        return (self.x1 + self.x2) // 2

    @property
    def head(self) -> str:
        """Return the points of its head."""
        back = self.x2 - 6 if self.x2 > self.x1 else self.x2 + 6
        return f"{self.x2},{self.y} {back},{self.y - 4} {back},{self.y + 4}"


@dataclass(frozen=True, slots=True)
class LinkLine:
    """The heartbeat between two nodes as drawn: an arrow for each direction, or one plain line."""

    x1: int
    x2: int
    y: int
    link: HeartbeatLink
    icon: Icon
    caption: Text
    label: Text
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class Button:
    """What is offered below a node, or below both."""

    rect: Rect
    offer: Offer


@dataclass(frozen=True, slots=True)
class GroupBox:
    """A group as drawn. ``vacant``: the places where a server may still be assigned."""

    rect: Rect
    group: Group
    title: str
    nodes: tuple[NodeBox, ...]
    vacant: tuple[Rect, ...]
    line: LinkLine | None
    buttons: tuple[Button, ...]

    @property
    def ha_end(self) -> int:
        """Return where, from the left edge, the word on High Availability ends."""
        return self.rect.w - PAD


@dataclass(frozen=True, slots=True)
class Area:
    """The nodes without a group as drawn."""

    rect: Rect
    nodes: tuple[NodeBox, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """The whole drawing."""

    width: int
    height: int
    groups: tuple[GroupBox, ...]
    unassigned: Area | None


def draw_map(
    topology: Topology, width: int = WIDTH, offers: Mapping[int, Sequence[Offer]] | None = None
) -> Map:
    """Return the drawing of ``topology``: at most ``width`` wide, no wider than its content needs.

    Where ``width`` is too little for one group, it is as wide as one group. ``offers``: what can be
    done with the groups, by their key.
    """
    inner = max(width - 2 * MARGIN, GROUP_W)
    columns = _columns(len(topology.groups), GROUP_W, inner)
    loose = _columns(len(topology.unassigned), NODE_W, inner - 2 * PAD)
    used = max(_span(columns, GROUP_W), _span(loose, NODE_W) + 2 * PAD, GROUP_W)
    groups: list[GroupBox] = []
    bottom = MARGIN - GAP
    for row in _rows(topology.groups, columns):
        groups += _group_row(row, bottom + GAP, offers or {})
        bottom = groups[-1].rect.bottom
    area = None
    if topology.unassigned:
        area = _area(topology.unassigned, Rect(MARGIN, bottom + GAP, used, 0), loose)
        bottom = area.rect.bottom
    return Map(used + 2 * MARGIN, max(bottom + MARGIN, EMPTY_H), tuple(groups), area)


def _rows(cells: Sequence[Cell], columns: int) -> Iterator[Sequence[Cell]]:
    """Give ``cells`` row by row."""
    return (cells[start : start + columns] for start in range(0, len(cells), columns))


def _columns(count: int, w: int, room: int) -> int:
    """Return how many cells of width ``w`` stand in a row, of ``count`` cells; at least one."""
    return max(1, min(count, (room + GAP) // (w + GAP)))


def _span(columns: int, w: int) -> int:
    """Return how wide a row of cells is."""
    return columns * (w + GAP) - GAP


def _group_row(
    groups: Sequence[Group], y: int, offers: Mapping[int, Sequence[Offer]]
) -> Iterator[GroupBox]:
    """Place the groups of one row, all as high as the fullest of them."""
    high = _height(entry for group in groups for entry in group.entries)
    acts = PAD // 2 + BUTTON_H if any(offers.get(group.group_id) for group in groups) else 0
    for column, group in enumerate(groups):
        rect = Rect(MARGIN + column * (GROUP_W + GAP), y, GROUP_W, HEAD + high + acts + PAD)
        yield _group(group, rect, high, offers.get(group.group_id, ()))


def _group(group: Group, rect: Rect, high: int, offers: Sequence[Offer]) -> GroupBox:
    top = rect.y + HEAD
    places = (
        Rect(rect.x + PAD, top, NODE_W, high),
        Rect(rect.right - PAD - NODE_W, top, NODE_W, high),
    )
    taken = len(group.nodes)
    # The end of the title bar says whether High Availability is on.
    room = GROUP_W - 2 * PAD - ICON - max(60, width(str(group.ha), TEXT_SIZE))
    return GroupBox(
        rect=rect,
        group=group,
        title=fit_ends(group.name, room, TITLE_SIZE, bold=True),
        nodes=tuple(
            _node(node, spot, guests_of)
            for (node, guests_of), spot in zip(group.entries, places[:taken], strict=True)
        ),
        vacant=places[taken:],
        line=_link(group, places[0].right, places[1].x, top + max(_LINK_ABOVE, high // 2)),
        buttons=tuple(_buttons(group, places, offers)),
    )


def _buttons(group: Group, places: tuple[Rect, Rect], offers: Sequence[Offer]) -> Iterator[Button]:
    """Place what is offered below the node it is about, or below both."""
    y = places[0].bottom + PAD // 2
    for offer in offers:
        x, end = places[0].x, places[1].right
        for node, place in zip(group.nodes, places, strict=False):
            if offer.node == node.server_id:
                x, end = place.x, place.right
        yield Button(Rect(x, y, end - x, BUTTON_H), offer)


def _area(nodes: Sequence[Node], frame: Rect, columns: int) -> Area:
    """Place ``nodes`` in ``frame``, which becomes as high as they need."""
    boxes: list[NodeBox] = []
    y = frame.y + HEAD
    for row in _rows(nodes, columns):
        high = _height((node, "") for node in row)
        for column, node in enumerate(row):
            boxes.append(
                _node(node, Rect(frame.x + PAD + column * (NODE_W + GAP), y, NODE_W, high))
            )
        y += high + GAP
    height = boxes[-1].rect.bottom + PAD - frame.y
    return Area(Rect(frame.x, frame.y, frame.w, height), tuple(boxes))


def _link(group: Group, x1: int, x2: int, y: int) -> LinkLine | None:
    if group.link is None:
        return None
    middle = (x1 + x2) // 2
    # What the second node hears comes from the left: it is the upper one.
    ways = zip(reversed(group.hearings), (-1, 1), strict=False)
    arrows = tuple(
        Arrow(
            x1=x1 + _TIP if way < 0 else x2 - _TIP,
            x2=x2 - _TIP if way < 0 else x1 + _TIP,
            y=y + way * _APART // 2,
            age=Text(
                middle, y - _APART // 2 - 8 if way < 0 else y + _APART // 2 + LINE + 2, "age", ""
            ),
            hearing=hearing,
        )
        for hearing, way in ways
    )
    shown = Text(
        middle, y - _APART // 2 - 8 - LINE - 2, "link", fit(group.link.label, LINK_W, TEXT_SIZE)
    )
    caption = Text(middle, shown.y - LINE, "caption", say("Heartbeat"))
    icon = Icon(middle - ICON // 2, caption.y - LINE - ICON, group.link.tone)
    return LinkLine(x1, x2, y, group.link, icon, caption, shown, arrows)


def _height(entries: Iterable[tuple[Node, str]]) -> int:
    """Return how high nodes are that stand side by side; each with the peer whose sessions it holds."""
    return max((_needs(node, guests_of) for node, guests_of in entries), default=NODE_H)


def _needs(node: Node, guests_of: str) -> int:
    lines = len(_told(node)) + len(_users(node)) - 1
    foot = _INSET + (GUESTS_H if guests_of else 0)
    return max(NODE_H, _FIRST + lines * LINE + _BREAK + foot)


def _told(node: Node) -> list[tuple[str, str]]:
    """Return the lines of a node's state and reason, each with its role."""
    room = NODE_W - _INDENT - _INSET
    state = wrap(say(node.state), room, TEXT_SIZE, _STATE_LINES, bold=True)
    reason = wrap(say(shown_reason(node)), room, TEXT_SIZE, _REASON_LINES)
    return [*(("state", line) for line in state), *(("reason", line) for line in reason)]


def _users(node: Node) -> list[str]:
    here = node.presence
    users = [
        say("{assigned:,} assigned · {active:,} active", assigned=node.assigned, active=here.active)
    ]
    if here.waiting:
        users.append(say("{waiting:,} {why}", waiting=here.waiting, why=here.why_waiting))
    return users


def _node(node: Node, rect: Rect, guests_of: str = "") -> NodeBox:
    room = NODE_W - 2 * _INSET
    mark = Icon(NODE_W - _INSET - ICON, 24, "publisher") if node.is_publisher else None
    texts = [
        Text(_INSET, 20, "name", fit_ends(node.name, room, NAME_SIZE, bold=True)),
        Text(_INSET, 36, "role", role(node.is_publisher)),
    ]
    texts += [
        Text(_INDENT, _FIRST + LINE * number, kind, line)
        for number, (kind, line) in enumerate(_told(node))
    ]
    floor = rect.h - _INSET - (GUESTS_H if guests_of else 0)
    users = _users(node)
    texts += [
        Text(_INSET, floor - LINE * (len(users) - 1 - number), "users", fit(line, room, TEXT_SIZE))
        for number, line in enumerate(users)
    ]
    guests = None
    if guests_of:
        guests = Rect(1, rect.h - GUESTS_H - 1, NODE_W - 2, GUESTS_H)
        told = say("{sessions:,} of {peer}", sessions=node.guests.sessions, peer=guests_of)
        # Its icon stands in front.
        shown = fit_ends(told, NODE_W - _INDENT - _INSET, TEXT_SIZE, bold=True)
        texts.append(Text(_INDENT, guests.y + 15, "guests", shown))
    icon = Icon(_INSET, _FIRST - 12, node.tone)
    return NodeBox(rect, node, tuple(texts), icon, mark, guests_of, guests)
