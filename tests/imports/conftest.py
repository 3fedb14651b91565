"""A pair without users, to import some into."""

import pytest

from redundancy.models import (
    RedundancyGroup,
)
from redundancy.operations.sample import load_sample_cluster


@pytest.fixture(autouse=True)
def cluster(db: None, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    """A pair without users."""
    monkeypatch.setattr("redundancy.operations.sample.USERS", 0)
    return load_sample_cluster(actor="x")
