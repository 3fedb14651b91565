"""What is left of a test that commits: nothing, and all that every database has."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import TransactionTestCase

from tests.emptied import emptied_by_rows, never_empty

pytestmark = pytest.mark.django_db(transaction=True)


class OneTest(TransactionTestCase):
    """What pytest-django does before and after a test that commits."""

    def __enter__(self) -> None:
        self._fixture_setup()  # type: ignore[attr-defined]

    def __exit__(self, *_: object) -> None:
        self._fixture_teardown()  # type: ignore[attr-defined]


def test_what_was_written_is_gone_and_the_rest_is_not_made_anew() -> None:
    before = never_empty()
    with emptied_by_rows(), OneTest():
        User.objects.create_user("ann").groups.add(*Group.objects.all())
    assert not User.objects.exists()
    assert never_empty() == before


def test_a_role_that_was_removed_and_a_permission_that_was_renamed_come_back() -> None:
    roles = set(Group.objects.values_list("name", flat=True))
    renamed = Permission.objects.all()[:1].get()
    assert roles
    with emptied_by_rows():
        with OneTest():
            Group.objects.all().delete()
            Permission.objects.filter(pk=renamed.pk).update(name="renamed")
        assert set(Group.objects.values_list("name", flat=True)) == roles
        assert not Permission.objects.filter(name="renamed").exists()
        begun = never_empty()
        # What has come back is what the next test begins with.
        with OneTest():
            User.objects.create_user("ann")
        assert never_empty() == begun
