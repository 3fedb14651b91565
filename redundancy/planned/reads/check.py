"""One thing that was looked at before High Availability is enabled."""

from dataclasses import dataclass, field
from enum import StrEnum

from redundancy.fingerprint import PASSING
from redundancy.srm.words import mark


class Result(StrEnum):
    """How a check ended; the value is what pages show."""

    PASSED = mark("Passed")
    FAILED = mark("Failed")
    UNKNOWN = mark("Not known")


class Where(StrEnum):
    """Where a failed check is mended."""

    NETWORK_SERVICES = "network"
    FEATURE_SERVICES = "feature"
    ACTIVATION = "activation"
    SERVER = "server"
    MUST_MATCH = "must match"
    LOGIN_PROFILE = "login profile"
    BEAT_MONITOR = "beat monitor"
    FAULT_LAB = "fault lab"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    ``figure``: what was measured, which may differ at the next look. ``effect``: what will happen
    when HA is enabled all the same. ``where``: where it is mended, at the server ``server_id``.
    """

    label: str
    result: Result
    sentence: str
    effect: str = ""
    where: Where | None = None
    server_id: int = 0
    figure: str = field(default="", metadata=PASSING)
