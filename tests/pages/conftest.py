"""People and a cluster for the page tests."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from redundancy import bus
from redundancy.models import RedundancyGroup, Server
from redundancy.operations.groups import edit_group, enable_ha
from redundancy.operations.servers import add_server
from redundancy.parameters.writes.pair import set_node_sizes
from redundancy.permissions import READ_ONLY, SUPER


def make_user(username: str, role: str) -> User:
    user = User.objects.create_user(username, password="correct horse")
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def admin(db: None) -> User:
    return make_user("ccmadmin", SUPER)


@pytest.fixture
def reader(db: None) -> User:
    return make_user("viewer", READ_ONLY)


@pytest.fixture
def page(admin: User) -> Client:
    """A browser signed in as a super user."""
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def read_only(reader: User) -> Client:
    """A browser signed in as a read-only user."""
    client = Client()
    client.force_login(reader)
    return client


@pytest.fixture
def pub(db: None) -> Server:
    return add_server(name="imp-pub", server_type="imp", actor="")


@pytest.fixture
def sub(pub: Server) -> Server:
    return add_server(name="imp-sub", server_type="imp", actor="")


@pytest.fixture
def group(pub: Server) -> RedundancyGroup:
    """DefaultCUPSubCluster with the publisher alone."""
    assert pub.group is not None
    return pub.group


@pytest.fixture
def pair(group: RedundancyGroup, pub: Server, sub: Server) -> RedundancyGroup:
    """Two servers, HA off."""
    return edit_group(group=group, name=group.name, description="", first=pub, second=sub, actor="")


@pytest.fixture
def sized(pair: RedundancyGroup) -> RedundancyGroup:
    """A pair whose nodes are made for 500 users each."""
    sizes = dict.fromkeys(pair.servers.values_list("pk", flat=True), 500)
    set_node_sizes(group=pair, sizes=sizes, actor="")
    return pair


@pytest.fixture
def ha(pair: RedundancyGroup) -> RedundancyGroup:
    """Two servers, HA just switched on."""
    return enable_ha(group=pair, actor="")


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps run."""
    monkeypatch.setattr(bus, "sweep_age", lambda: 0.4)
