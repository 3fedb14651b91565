"""What a node hears of its peer, by its row alone."""

import pytest

from redundancy.selectors.hearing import COLUMNS, Ear, Row, Sound, ear_of
from redundancy.srm.types import Policy


def row(**told: object) -> Row:
    """A node that heard its peer at 100; ``told``: what is otherwise."""
    usual = dict.fromkeys(Row._fields) | {"peer_at": 100.0, "peer_hears": True}
    return Row(**(usual | told))  # type: ignore[arg-type]


def test_each_field_has_its_column() -> None:
    assert len(Row._fields) == len(COLUMNS)


@pytest.mark.parametrize("sound", [Sound.DEAF, Sound.UNSEEN, Sound.WAITING])
def test_what_was_heard_before_is_not_told_of_who_hears_nothing_yet(sound: Sound) -> None:
    assert ear_of(row(), sound, Policy()) == Ear(sound)


def test_what_a_silent_peer_said_last_is_told() -> None:
    for said in ({"peer_hears": False}, {"peer_leaving": True}, {}):
        told = ear_of(row(**said), Sound.SILENT, Policy())
        assert (told.heard_at, told.holds_until) == (100, None)
        assert (told.heard_back, told.leaving) == (
            said.get("peer_hears", True),
            said.get("peer_leaving", False),
        )
