"""Keys come with requests: one that no column can hold is that of no row, and no error."""

import pytest
from django.contrib.auth.models import User
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy.models import PresenceUser, RedundancyGroup, Server
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from tests.everypage import every_page, furnish

pytestmark = pytest.mark.django_db
LARGE = 10**19


@pytest.mark.parametrize("key", [LARGE, -LARGE])
def test_no_row_has_it_and_all_others_do_not(key: int) -> None:
    group = load_sample_cluster(actor="ann")
    for found in (Q(pk=key), Q(pk__in=[key]), Q(group=key), Q(group__in=[key])):
        assert not Server.objects.filter(found).exists()
        assert Server.objects.exclude(found).count() == Server.objects.count() > 0
    both = Server.objects.filter(group__in=[key, group.pk])
    assert both.count() == Server.objects.filter(group=group).count() > 0
    assert not PresenceUser.objects.filter(home__group=key).exists()
    assert not RedundancyGroup.objects.filter(holder=key).exists()


def test_many_keys_are_one_parameter_and_find_what_few_do() -> None:
    group = load_sample_cluster(actor="ann")
    pks = list(group.servers.values_list("pk", flat=True))
    third = add_server(name="imp-third", server_type="imp", actor="ann")
    others = [*range(-1000, 0), LARGE, None]
    for found in (
        Q(pk__in=[*others, *pks]),
        Q(group__in=[*others, group.pk]),
        Q(group__in=[*(o for o in others if o), group]),
        Q(slot__in=[*others, 1, 2]),
    ):
        some = Server.objects.filter(found)
        assert len(some.query.sql_with_params()[1]) == 1
        assert set(some.values_list("pk", flat=True)) == set(pks)
        assert Server.objects.exclude(found).get() == third
    assert not Server.objects.filter(pk__in=range(-1000, 0)).exists()


def test_every_page_of_it_is_not_found(settings: Settings) -> None:
    settings.FAULT_LAB = True
    client = Client()
    pages = [page for page in every_page(furnish()) if any(isinstance(a, int) for a in page.args)]
    client.force_login(User.objects.create_superuser("ann"))
    found = {}
    for name, args in {(page.name, page.args) for page in pages}:
        address = reverse(name, args=[LARGE if isinstance(a, int) else a for a in args])
        found[address] = client.get(address).status_code
    assert len(found) > 20
    assert set(found.values()) <= {404, 405}, found
