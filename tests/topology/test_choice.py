import pytest

from redundancy.srm.states import NOT_RESPONDING, State
from tests.topology.build import LATE, Whole, group, many, node
from topology.choice import MOST, STATES, MapQuery, Part, View, read, sections


def names(part: Part) -> list[str]:
    """The names of what is shown: groups, then nodes without one."""
    return [g.name for g in part.topology.groups] + [n.name for n in part.topology.unassigned]


MIXED = Whole(
    (
        group(1, node(1), node(2), name="Berlin"),
        group(2, node(3, state="Idle", tone="warn"), node(4), name="Bern"),
        group(3, node(5, state=NOT_RESPONDING, tone="bad"), node(6), name="Oslo"),
        group(4, node(7, ear=LATE), node(8), name="Rome"),
        group(5, name="Empty"),
    ),
    (node(9, state="Unknown", tone="off", ear=None, name="spare"),),
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Berlin", "Bern", "Oslo", "Rome", "Empty", "spare"]),
        ({"name": "BER"}, ["Berlin", "Bern"]),
        ({"name": " imp-5."}, ["Oslo"]),
        ({"name": "spa"}, ["spare"]),
        ({"name": "nowhere"}, []),
        ({"state": "Idle"}, ["Bern"]),
        ({"state": NOT_RESPONDING}, ["Oslo"]),
        ({"state": "Unknown"}, ["spare"]),
        ({"state": "not-normal"}, ["Bern", "Oslo", "Rome", "Empty", "spare"]),
        ({"state": "Normal", "name": "e"}, ["Berlin", "Bern", "Oslo", "Rome"]),
    ],
)
def test_filter_by_name_and_state(query: dict[str, str], found: list[str]) -> None:
    part = MIXED.choose(read(query))
    assert names(part) == found
    assert part.count == len(found)
    assert part.view is View.MAP
    assert part.topology.totals == MIXED.shown(()).totals


def test_every_state_can_be_asked_for() -> None:
    assert {*State, NOT_RESPONDING} < {*STATES}
    assert all(not read({"state": state}).error for state in STATES)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"state": "Fine"}, "Filter: there is no state 'Fine'."),
        ({"view": "list"}, "Filter: there is no view 'list'."),
        ({"state": "x", "view": "y"}, "Filter: there is no state 'x'; there is no view 'y'."),
    ],
)
def test_what_cannot_be_asked_for_is_said_and_left_out(query: dict[str, str], error: str) -> None:
    choice = read({"name": "ber", **query})
    assert choice == MapQuery(name="ber", error=error)


@pytest.mark.parametrize(
    ("groups", "loose", "asked", "view"),
    [
        (3, 0, "", View.MAP),
        (MOST[View.MAP], 0, "", View.MAP),
        (MOST[View.MAP], 1, "", View.GRID),
        (200, 0, "", View.GRID),
        (3, 0, "grid", View.GRID),
        (200, 0, "map", View.MAP),
    ],
)
def test_few_are_a_map_and_many_a_grid(groups: int, loose: int, asked: str, view: View) -> None:
    part = many(groups, loose).choose(read({"view": asked}))
    assert part.view is view
    assert len(part.topology.groups) <= MOST[view]


def test_the_grid_begins_with_what_needs_somebody() -> None:
    part = MIXED.choose(read({"view": "grid"}))
    assert names(part) == ["Oslo", "Bern", "Rome", "Empty", "Berlin", "spare"]
    assert [(section.title, section.count) for section in sections(part, {})] == [
        ("Failed", 1),
        ("Needs attention", 2),
        ("High Availability off", 1),
        ("Normal", 1),
    ]


def test_pages_of_many_groups_lead_to_each_other() -> None:
    whole = many(2 * MOST[View.GRID] + 10, 3)
    first = whole.choose(read({"name": "imp"}))
    assert len(first.topology.groups) == MOST[View.GRID]
    assert first.pager.links == (("Next", "?name=imp&page=2"), ("Last", "?name=imp&page=3"))
    last = whole.choose(read({"name": "imp", "page": "3"}))
    assert (len(last.topology.groups), len(last.topology.unassigned)) == (10, 3)
    assert last.pager.links == (("First", "?name=imp"), ("Previous", "?name=imp&page=2"))
    (section,) = sections(last, {})
    assert (section.count, len(section.tiles)) == (2 * MOST[View.GRID] + 10, 10)


@pytest.mark.parametrize("page", ["0", "99", "x", ""])
def test_a_page_that_is_not_there_is_one_that_is(page: str) -> None:
    assert many(3).choose(read({"page": page})).pager.number == 1


def test_ages_count_where_they_are_shown() -> None:
    heard_later = Whole(
        tuple(group(n, node(2 * n, ear=None), node(2 * n + 1, ear=LATE)) for n in range(3))
    )
    assert many(3).choose(MapQuery()).ages != heard_later.choose(MapQuery()).ages
    grid = MapQuery(view=View.GRID)
    assert many(3).choose(grid).ages == many(0).choose(grid).ages
    assert heard_later.choose(grid).ages != many(3).choose(grid).ages
