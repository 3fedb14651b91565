"""A pair with users, in a lab whose time stands still until a test moves it."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from redundancy.models import RedundancyGroup, Server
from redundancy.operations.groups import edit_group, enable_ha
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.permissions import READ_ONLY
from tests.kept import kept
from tests.labtime import stand_at
from tests.pages.conftest import admin, make_user, page
from tests.relogin.pair import BEGIN, USERS, node

__all__ = ["admin", "page"]


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The group and its users: most of the work of a test was to make them."""
    with kept(django_db_blocker):
        stand_at(BEGIN)
        pub, sub = (
            add_server(name=name, server_type="imp", actor="") for name in ("imp-pub", "imp-sub")
        )
        assert pub.group is not None
        group = edit_group(
            group=pub.group, name="pair", description="", first=pub, second=sub, actor=""
        )
        add_users(
            rows=[
                (user, "", f"{user}@example.com", home)
                for home in (node("imp-pub"), node("imp-sub"))
                for number in range(USERS)
                for user in [f"{home.name}.{number:04}"]
            ],
            actor="",
        )
        enable_ha(group=group, actor="")
        yield


@pytest.fixture
def group(made: None, db: None) -> RedundancyGroup:
    """imp-pub and imp-sub with HA on, and USERS users at home on each, logged in at BEGIN."""
    return RedundancyGroup.objects.get()


@pytest.fixture
def pub(group: RedundancyGroup) -> Server:
    return node("imp-pub")


@pytest.fixture
def sub(group: RedundancyGroup) -> Server:
    return node("imp-sub")


@pytest.fixture
def reader(db: None) -> Client:
    """A browser signed in as somebody who may only look."""
    client = Client()
    client.force_login(make_user("viewer", READ_ONLY))
    return client
