"""Where everything of the topology stands on the map.

Pure: a topology and a width in, rectangles and texts out, in user units of the SVG (1 unit = 1 px at
natural size). Texts and icons are placed relative to the rectangle they belong to. Rules: nothing
overlaps, everything is inside the map, a text that is too long is shortened and keeps its full form.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redundancy.selectors.cluster import ClusterNode as Node
from redundancy.srm.words import say
from redundancy.svg_text import fit, width, wrap
from topology.model import Group, Hearing, HeartbeatLink, Topology, label, role, shown_reason

WIDTH = 976

MARGIN = 8
GAP = 16
PAD = 12
HEAD = 34
NODE_W, NODE_H = 188, 210
LINK_W = 72
GROUP_W = PAD + NODE_W + LINK_W + NODE_W + PAD
GROUP_H = HEAD + NODE_H + PAD
EMPTY_H = 72
ICON = 16

TITLE_SIZE, NAME_SIZE, TEXT_SIZE = 13, 12, 11
LINE = 14
_INSET = 10
_STATE_LINES, _REASON_LINES = 4, 3
# The strip of a node that holds its peer's sessions.
GUESTS_H = 22
# Between the two directions of a link, and of an arrow's end to the box it points to.
_APART, _TIP = 18, 3


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
class GroupBox:
    """A group as drawn. ``vacant``: the places where a server may still be assigned."""

    rect: Rect
    group: Group
    title: str
    nodes: tuple[NodeBox, ...]
    vacant: tuple[Rect, ...]
    line: LinkLine | None

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


def draw_map(topology: Topology, width: int = WIDTH) -> Map:
    """Return the drawing of ``topology``: at most ``width`` wide, no wider than its content needs.

    Where ``width`` is too little for one group, it is as wide as one group.
    """
    inner = max(width - 2 * MARGIN, GROUP_W)
    columns = _columns(len(topology.groups), GROUP_W, inner)
    loose = _columns(len(topology.unassigned), NODE_W, inner - 2 * PAD)
    used = max(_span(columns, GROUP_W), _span(loose, NODE_W) + 2 * PAD, GROUP_W)
    corners = _grid(MARGIN, MARGIN, GROUP_W, GROUP_H, columns, len(topology.groups))
    groups = tuple(
        _group(group, Rect(x, y, GROUP_W, GROUP_H))
        for group, (x, y) in zip(topology.groups, corners, strict=True)
    )
    bottom = groups[-1].rect.bottom if groups else 0
    area = None
    if topology.unassigned:
        top = bottom + (GAP if groups else MARGIN)
        area = _area(topology.unassigned, Rect(MARGIN, top, used, 0), loose)
        bottom = area.rect.bottom
    return Map(used + 2 * MARGIN, max(bottom + MARGIN, EMPTY_H), groups, area)


def _columns(count: int, w: int, room: int) -> int:
    """Return how many cells of width ``w`` stand in a row, of ``count`` cells; at least one."""
    return max(1, min(count, (room + GAP) // (w + GAP)))


def _span(columns: int, w: int) -> int:
    """Return how wide a row of cells is."""
    return columns * (w + GAP) - GAP


def _grid(x: int, y: int, w: int, h: int, columns: int, count: int) -> Iterator[tuple[int, int]]:
    """Give the corners of ``count`` cells of ``w`` by ``h``, row by row."""
    for index in range(count):
        row, column = divmod(index, columns)
        yield x + column * (w + GAP), y + row * (h + GAP)


def _group(group: Group, rect: Rect) -> GroupBox:
    top = rect.y + HEAD
    places = (
        Rect(rect.x + PAD, top, NODE_W, NODE_H),
        Rect(rect.right - PAD - NODE_W, top, NODE_W, NODE_H),
    )
    taken = len(group.nodes)
    # The end of the title bar says whether High Availability is on.
    room = GROUP_W - 2 * PAD - ICON - max(60, width(str(group.ha), TEXT_SIZE))
    return GroupBox(
        rect=rect,
        group=group,
        title=fit(group.name, room, TITLE_SIZE, bold=True),
        nodes=tuple(
            _node(node, spot, guests_of)
            for (node, guests_of), spot in zip(group.entries, places[:taken], strict=True)
        ),
        vacant=places[taken:],
        line=_link(group, places[0].right, places[1].x, top + NODE_H // 2),
    )


def _area(nodes: Sequence[Node], frame: Rect, columns: int) -> Area:
    """Place ``nodes`` in ``frame``, which becomes as high as they need."""
    corners = _grid(frame.x + PAD, frame.y + HEAD, NODE_W, NODE_H, columns, len(nodes))
    boxes = tuple(
        _node(node, Rect(*corner, NODE_W, NODE_H))
        for node, corner in zip(nodes, corners, strict=True)
    )
    height = boxes[-1].rect.bottom + PAD - frame.y
    return Area(Rect(frame.x, frame.y, frame.w, height), boxes)


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


def _node(node: Node, rect: Rect, guests_of: str = "") -> NodeBox:
    room = NODE_W - 2 * _INSET
    mark = Icon(NODE_W - _INSET - ICON, 24, "publisher") if node.is_publisher else None
    indent = _INSET + ICON + 6
    texts = [
        Text(_INSET, 20, "name", fit(node.name, room, NAME_SIZE, bold=True)),
        Text(_INSET, 36, "role", role(node.is_publisher)),
    ]
    y = 60
    icon = Icon(_INSET, y - 12, node.tone)
    state_room = NODE_W - indent - _INSET
    for line in wrap(say(node.state), state_room, TEXT_SIZE, _STATE_LINES, bold=True):
        texts.append(Text(indent, y, "state", line))
        y += LINE
    for line in wrap(say(shown_reason(node)), state_room, TEXT_SIZE, _REASON_LINES):
        texts.append(Text(indent, y, "reason", line))
        y += LINE
    users = [
        say(
            "{assigned:,} assigned · {active:,} active",
            assigned=node.assigned,
            active=node.presence.active,
        )
    ]
    if node.presence.waiting:
        users.append(
            say("{waiting:,} {why}", waiting=node.presence.waiting, why=node.presence.why_waiting)
        )
    floor = NODE_H - GUESTS_H - _INSET
    for y, line in zip((floor, floor - LINE), reversed(users), strict=False):
        texts.append(Text(_INSET, y, "users", fit(line, room, TEXT_SIZE)))
    guests = None
    if guests_of:
        guests = Rect(1, NODE_H - GUESTS_H - 1, NODE_W - 2, GUESTS_H)
        told = say("{sessions:,} of {peer}", sessions=node.guests.sessions, peer=guests_of)
        # Its icon stands in front.
        shown = fit(told, NODE_W - indent - _INSET, TEXT_SIZE, bold=True)
        texts.append(Text(indent, guests.y + 15, "guests", shown))
    return NodeBox(rect, node, tuple(texts), icon, mark, guests_of, guests)
