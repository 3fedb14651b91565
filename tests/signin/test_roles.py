"""Who is in no group sees nothing."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from redundancy.permissions import READ_ONLY, can_write, has_role, with_roles
from tests.pages.html import soup, status


@pytest.fixture
def nobody(db: None) -> User:
    return User.objects.create_user("carl", password="correct horse", is_staff=True)


@pytest.fixture
def outside(nobody: User) -> Client:
    client = Client()
    client.force_login(nobody)
    return client


def test_without_a_role_every_page_says_so(outside: Client, nobody: User) -> None:
    for name in ("home", "group_list", "alarm_banner", "admin:index", "user_export_file"):
        refused = outside.get(reverse(name))
        assert refused.status_code == 403, name
        assert "You have no role here" in status(refused)
        assert not soup(refused).select(".menu-bar, .go, .alarm-line, #alarms, main a[href]")
    assert outside.post(reverse("load_sample")).status_code == 403
    nobody.groups.add(Group.objects.get(name=READ_ONLY))
    assert outside.get(reverse("home")).status_code == 200


def test_without_a_role_one_can_leave_and_change_the_password(outside: Client) -> None:
    page = outside.get(reverse("password_change"))
    assert page.status_code == 200
    assert not soup(page).select(".menu-bar, .go")
    assert outside.post(reverse("set_language"), {"language": "en"}).status_code == 302
    assert outside.post(reverse("stay_signed_in")).status_code == 204
    assert outside.post(reverse("logout")).status_code == 302
    assert outside.get(reverse("home")).status_code == 302


@pytest.mark.parametrize("superuser", [True, False])
@pytest.mark.parametrize("group", ["", "Standard CCM Super Users", READ_ONLY, "Another"])
def test_roles_that_are_read_with_the_user_are_those_asked_for(
    db: None, superuser: bool, group: str
) -> None:
    user = User.objects.create_user("carl", is_superuser=superuser)
    if group:
        user.groups.add(Group.objects.get_or_create(name=group)[0])
    read = with_roles(User.objects.all()).get()
    assert (can_write(read), has_role(read)) == (can_write(user), has_role(user))
    assert has_role(user) == (superuser or group.startswith("Standard"))
