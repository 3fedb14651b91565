"""Members of staff, and a small cluster to administer."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from redundancy.models import RedundancyGroup
from redundancy.operations.sample import load_sample_cluster
from redundancy.permissions import READ_ONLY, SUPER


def signed_in(role: str) -> Client:
    user = get_user_model().objects.create_user("ann", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def writer(db: None) -> Client:
    return signed_in(SUPER)


@pytest.fixture
def reader(db: None) -> Client:
    return signed_in(READ_ONLY)


@pytest.fixture
def pair(db: None, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 4)
    return load_sample_cluster(actor="tester")
