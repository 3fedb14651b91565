"""Which part of the cluster a page shows, and how: the filter, the view and the page of its address.

Pure: a query and the outlines of everything in, those of a page out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from django.core.paginator import Paginator
from django.utils.http import urlencode

from redundancy.selectors.cluster import ClusterNode as Node
from redundancy.selectors.cluster import Outline
from redundancy.srm.states import NOT_RESPONDING, State
from redundancy.srm.words import say, together
from redundancy.views.paging import Pager, pager_of
from topology.model import TONE_WORDS, URGENCY, Group, Offer, Topology, tone_of

NOT_NORMAL = "not-normal"
STATES: dict[str, str] = {
    "": say("any"),
    NOT_NORMAL: say("not Normal"),
    **{state: say(state) for state in sorted([*State, NOT_RESPONDING])},
}


class View(StrEnum):
    """How the groups are shown."""

    AUTOMATIC = ""
    MAP = "map"
    GRID = "grid"


VIEWS = {
    View.AUTOMATIC: say("Automatic"),
    View.MAP: say("Map"),
    View.GRID: say("Compact grid"),
}
# Groups and unassigned nodes on one page of each view. What fits on one map is shown as a map.
MOST = {View.MAP: 12, View.GRID: 24}


@dataclass(frozen=True, slots=True)
class MapQuery:
    """What the address asks for. ``error``: what of it cannot be; the rest counts."""

    name: str = ""
    state: str = ""
    view: View = View.AUTOMATIC
    page: str = "1"
    error: str = ""

    @property
    def filtered(self) -> bool:
        """Return whether some groups may be left out."""
        return bool(self.name or self.state)

    def query(self, **changes: object) -> str:
        """Return the choice, changed, as the query of an address; what is as ever is left out."""
        asked = {"name": self.name, "state": self.state, "view": self.view.value, "page": self.page}
        usual = {"name": "", "state": "", "view": "", "page": "1"}
        shown = {key: str(value) for key, value in (asked | changes).items()}
        return urlencode({key: value for key, value in shown.items() if value != usual[key]})


@dataclass(frozen=True, slots=True)
class Tile:
    """A group in the grid, with what can be done with it."""

    group: Group
    offers: Sequence[Offer] = ()

    @property
    def entries(self) -> list[tuple[Node, str, Offer | None]]:
        """Return each node with the peer whose sessions it holds, if any, and what can be done with it."""
        of_node = {offer.node: offer for offer in self.offers}
        return [(node, peer, of_node.get(node.server_id)) for node, peer in self.group.entries]

    @property
    def of_both(self) -> Offer | None:
        """Return what can be done with the group as a whole."""
        return next((offer for offer in self.offers if offer.node is None), None)


@dataclass(frozen=True, slots=True)
class Section:
    """Groups of one tone. ``count``: how many there are on all pages."""

    tone: str
    count: int
    tiles: tuple[Tile, ...]

    @property
    def title(self) -> str:
        """Return what they have in common."""
        return TONE_WORDS[self.tone]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one page is to show.

    ``outlines``: of the groups and nodes without one on the page, in their order. ``count``: how many of
    them the filter lets through. ``tones``: how many of these groups are of each tone.
    """

    choice: MapQuery
    outlines: tuple[Outline, ...]
    view: View
    count: int
    tones: Mapping[str, int]
    pager: Pager


@dataclass(frozen=True, slots=True)
class Part:
    """What one page shows; ``count``, ``tones`` and ``pager`` as of ``Chosen``."""

    choice: MapQuery
    topology: Topology
    view: View
    count: int
    tones: Mapping[str, int]
    pager: Pager

    @property
    def ages_run(self) -> bool:
        """Return whether the age of every heartbeat is shown, of those too that come in time."""
        return self.view is View.MAP and any(group.hearings for group in self.topology.groups)

    @property
    def ages(self) -> list[float | None]:
        """Return when the heartbeats were heard whose age is shown."""
        hearings = [each for group in self.topology.groups for each in group.hearings]
        if self.view is View.GRID:
            hearings = [each for group in self.topology.groups if (each := group.missed)]
        return [each.ear.heard_at for each in hearings]


def read(query: Mapping[str, str]) -> MapQuery:
    """Return what the query of an address asks for."""
    errors = []
    state, view = query.get("state", ""), query.get("view", "")
    if state not in STATES:
        errors.append(say("there is no state {asked!r}", asked=state[:40]))
        state = ""
    if view not in VIEWS:
        errors.append(say("there is no view {asked!r}", asked=view[:40]))
        view = ""
    error = say("Filter: {errors}.", errors=together(errors, "; ")) if errors else ""
    name = query.get("name", "").strip()
    return MapQuery(name, state, View(view), query.get("page", "1"), error)


def choose(outlines: Iterable[Outline], choice: MapQuery) -> Chosen:
    """Return what of all ``outlines`` ``choice`` asks for.

    On a map groups stand by name, so that none moves when its state changes. The grid begins with
    what needs somebody. Nodes without a group come last on both.
    """
    found = [each for each in outlines if _fits(choice, each)]
    view = choice.view
    if view is View.AUTOMATIC:
        view = View.MAP if len(found) <= MOST[View.MAP] else View.GRID
    if view is View.GRID:
        found.sort(key=_rank)
    page = Paginator(found, MOST[view]).get_page(choice.page)
    return Chosen(
        choice,
        tuple(page),
        view,
        page.paginator.count,
        Counter(tone_of(each) for each in found if each.group_id is not None),
        pager_of(page, lambda number: f"?{choice.query(page=number)}"),
    )


def part_of(chosen: Chosen, topology: Topology) -> Part:
    """Return what a page shows, which has chosen what ``topology`` tells of."""
    return Part(chosen.choice, topology, chosen.view, chosen.count, chosen.tones, chosen.pager)


def _rank(outline: Outline) -> int:
    return len(URGENCY) if outline.group_id is None else URGENCY.index(tone_of(outline))


def sections(part: Part, offers: Mapping[int, Sequence[Offer]]) -> Iterator[Section]:
    """Give the groups of the page by their tone, those first that need somebody.

    ``offers``: what can be done with the groups, by their key.
    """
    for tone, groups in groupby(part.topology.groups, key=lambda group: group.tone):
        tiles = tuple(Tile(group, offers.get(group.group_id, ())) for group in groups)
        yield Section(tone, part.tones[tone], tiles)


def _fits(choice: MapQuery, outline: Outline) -> bool:
    """Return whether a group with its nodes, or a node without one, is what the filter asks for."""
    if wanted := choice.name.casefold():
        names = (outline.name, *(node.name for node in outline.nodes))
        if not any(wanted in name.casefold() for name in names):
            return False
    match choice.state:
        case "":
            return True
        case state if state == NOT_NORMAL:
            return outline.group_id is None or tone_of(outline) != "ok"
        case state:
            return any(node.state == state for node in outline.nodes)
