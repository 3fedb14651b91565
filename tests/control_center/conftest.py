import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from redundancy.models import RedundancyGroup, Server
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.permissions import READ_ONLY, SUPER


def _signed_in(role: str) -> Client:
    user = User.objects.create_user(role.replace(" ", ""), password="x")
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def users() -> int:
    """How many users there are: few, as each test makes its own."""
    return 10


@pytest.fixture
def group(db: None, users: int, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", users)
    return load_sample_cluster(actor="test")


@pytest.fixture
def pub(group: RedundancyGroup) -> Server:
    return group.servers.get(slot=1)


@pytest.fixture
def protected(group: RedundancyGroup) -> RedundancyGroup:
    """The group with High Availability on."""
    return enable_ha(group=group, actor="test")


@pytest.fixture
def client(db: None) -> Client:
    return _signed_in(SUPER)


@pytest.fixture
def reader(db: None) -> Client:
    return _signed_in(READ_ONLY)
