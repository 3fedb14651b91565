"""Rates as they are shown, and the vendor's table of re-login limits."""

import pytest

from redundancy.login_profiles import NODE_SIZES, Mode, row_for, rows
from redundancy.relogin import rate_in_words


@pytest.mark.parametrize(
    ("rate", "words"), [(0, "0.0"), (0.04, "less than 0.1"), (0.1, "0.1"), (6.04, "6.0")]
)
def test_rates_in_words(rate: float, words: str) -> None:
    assert rate_in_words(rate) == words


@pytest.mark.parametrize(
    ("size", "mode", "users", "row"),
    [
        (500, Mode.ACTIVE_ACTIVE, 0, (100, 187)),
        (500, Mode.ACTIVE_ACTIVE, 100, (100, 187)),
        (500, Mode.ACTIVE_ACTIVE, 101, (250, 287)),
        (500, Mode.ACTIVE_ACTIVE, 251, None),
        (500, Mode.ACTIVE_STANDBY, 251, (500, 453)),
        (1000, Mode.ACTIVE_STANDBY, 501, (750, 370)),
        (2000, Mode.ACTIVE_ACTIVE, 999, (1000, 453)),
        (5000, Mode.ACTIVE_ACTIVE, 2500, (2500, 537)),
        (5000, Mode.ACTIVE_STANDBY, 2500, (2500, 953)),
        (15000, Mode.ACTIVE_ACTIVE, 5001, (6000, 520)),
        (15000, Mode.ACTIVE_STANDBY, 14001, (15000, 2620)),
        (25000, Mode.ACTIVE_ACTIVE, 12500, (12500, 1509)),
        (25000, Mode.ACTIVE_STANDBY, 13500, (14000, 1870)),
        (25000, Mode.ACTIVE_STANDBY, 25001, None),
    ],
)
def test_users_round_up_to_the_next_row(
    size: int, mode: Mode, users: int, row: tuple[int, int] | None
) -> None:
    found = row_for(size, mode, users)
    assert (found and (found.users, found.upper)) == row


def test_the_table_is_whole_and_in_order() -> None:
    assert sum(len(rows(size, mode)) for size in NODE_SIZES for mode in Mode) == 128
    for size in NODE_SIZES:
        for mode in Mode:
            table = rows(size, mode)
            assert [row.users for row in table] == sorted({row.users for row in table})
            assert [row.upper for row in table] == sorted({row.upper for row in table})
            # A node is made for so many users: both nodes' together, or its own half.
            share = 1 if mode is Mode.ACTIVE_STANDBY else 2
            assert table[-1].users == size // share
