"""How far apart clients should log in again: the vendor's recommended re-login limits.

Facts of the vendor's guide to high availability of IM and Presence, by the size of a node, the mode
of the pair and the number of users. Pure data and its look-up: imported by selectors and operations.

Rules of the guide: users are rounded up to the next row; Active/Active counts the users of the
fuller node, Active/Standby those of both; both nodes get the same limits; single-cluster
deployments only; when the Critical Service Delay changes, the Lower Limit must change, too. On the
Lower Limit the guide contradicts itself: it is to be as long as the Critical Service Delay, whose
default is 90 s, and the 120 s of every row assume a delay of 120 s.
"""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """How a pair shares its users: between both nodes, or all on the first one."""

    ACTIVE_ACTIVE = "Active/Active"
    ACTIVE_STANDBY = "Active/Standby"


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """Up to how many users an Upper Limit (seconds) is meant for."""

    users: int
    upper: int


# The same in every row, in seconds.
LOWER_LIMIT = 120
# The Critical Service Delay that the guide says the Lower Limit assumes, in seconds; not its default.
ASSUMED_DELAY = 120
# Users a node is made for, and the hardware that takes.
NODE_SIZES: dict[int, str] = {
    500: "1 vCPU 700 MHz, 2 GB",
    1000: "1 vCPU 1500 MHz, 2 GB",
    2000: "1 vCPU 1500 MHz, 4 GB",
    5000: "2 vCPU, 4 GB",
    15000: "4 vCPU, 8 GB",
    25000: "6 vCPU, 16 GB",
}

_AA, _AS = Mode.ACTIVE_ACTIVE, Mode.ACTIVE_STANDBY
# Users up to, Upper Limit.
_UPPER: dict[tuple[int, Mode], tuple[tuple[int, int], ...]] = {
    (500, _AA): (
        (100, 187), (250, 287),
    ),
    (500, _AS): (
        (100, 187), (250, 287), (500, 453),
    ),
    (1000, _AA): (
        (100, 153), (250, 203), (500, 287),
    ),
    (1000, _AS): (
        (100, 153), (250, 203), (500, 287), (750, 370), (1000, 453),
    ),
    (2000, _AA): (
        (100, 153), (500, 287), (1000, 453),
    ),
    (2000, _AS): (
        (100, 153), (250, 203), (500, 287), (750, 370), (1000, 453), (1250, 537),
        (1500, 620), (1750, 703), (2000, 787),
    ),
    (5000, _AA): (
        (100, 137), (500, 203), (1000, 287), (1500, 370), (2000, 453), (2500, 537),
    ),
    (5000, _AS): (
        (100, 154), (500, 287), (1000, 453), (1500, 620), (2000, 787), (2500, 953),
        (3000, 1120), (3500, 1287), (4000, 1453), (4500, 1620), (5000, 1787),
    ),
    (15000, _AA): (
        (100, 127), (500, 153), (1000, 187), (1500, 220), (2000, 253), (2500, 287),
        (3000, 320), (3500, 353), (4000, 387), (4500, 420), (5000, 453), (6000, 520),
        (7000, 587), (7500, 620),
    ),
    (15000, _AS): (
        (100, 137), (500, 203), (1000, 287), (1500, 370), (2000, 453), (2500, 537),
        (3000, 620), (3500, 703), (4000, 787), (4500, 870), (5000, 953), (6000, 1120),
        (7000, 1287), (8000, 1453), (9000, 1620), (10000, 1787), (11000, 1953), (12000, 2120),
        (13000, 2287), (14000, 2453), (15000, 2620),
    ),
    (25000, _AA): (
        (100, 131), (500, 176), (1000, 231), (1500, 287), (2000, 342), (2500, 398),
        (3000, 453), (3500, 509), (4000, 564), (4500, 620), (5000, 676), (6000, 787),
        (7000, 898), (7500, 953), (8000, 1009), (9000, 1120), (10000, 1231), (11000, 1342),
        (12000, 1453), (12500, 1509),
    ),
    (25000, _AS): (
        (100, 133), (500, 183), (1000, 245), (1500, 308), (2000, 370), (2500, 433),
        (3000, 495), (3500, 558), (4000, 620), (4500, 683), (5000, 745), (6000, 870),
        (7000, 995), (8000, 1058), (9000, 1120), (10000, 1245), (11000, 1370), (12000, 1495),
        (13000, 1620), (14000, 1870), (15000, 1995), (16000, 2120), (17000, 2245), (18000, 2370),
        (19000, 2495), (20000, 2620), (21000, 2745), (22000, 2870), (23000, 2995), (24000, 3120),
        (25000, 3245),
    ),
}  # fmt: skip


def rows(size: int, mode: Mode) -> tuple[ProfileRow, ...]:
    """Return the rows for nodes of this size, a key of NODE_SIZES, the fewest users first."""
    return tuple(ProfileRow(users, upper) for users, upper in _UPPER[size, mode])


def row_for(size: int, mode: Mode, users: int) -> ProfileRow | None:
    """Return the row that ``users`` round up to; None when they are above the last one."""
    return next((row for row in rows(size, mode) if users <= row.users), None)
