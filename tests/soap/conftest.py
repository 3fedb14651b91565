"""A program that asks by AXL, and the sample cluster."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User

from redundancy.models import RedundancyGroup
from redundancy.operations.sample import load_sample_cluster
from redundancy.permissions import SUPER
from redundancy.soap import signin
from tests.soap.asking import Asking

PASSWORD = "Correct-horse-9"


@pytest.fixture(autouse=True)
def nobody_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a process that has compared no password yet: keys of users are used again."""
    monkeypatch.setattr(signin, "_known", {})


@pytest.fixture
def group(db: None) -> RedundancyGroup:
    """The sample cluster's group."""
    return load_sample_cluster(actor="")


@pytest.fixture
def user(db: None) -> Callable[..., User]:
    """Make a user in a group."""

    def make(name: str = "program", group: str = SUPER) -> User:
        made = User.objects.create_user(name, password=PASSWORD)
        made.groups.set(Group.objects.filter(name=group))
        return made

    return make


@pytest.fixture
def axl(user: Callable[..., User]) -> Asking:
    """A program that may write."""
    return Asking("/axl/", user().username, PASSWORD)
