"""A pair without breaches."""

import pytest

from redundancy.models import RedundancyGroup
from redundancy.operations.sample import load_sample_cluster


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 10)
    return load_sample_cluster(actor="")
