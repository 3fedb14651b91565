"""What no browser sends: values that are no keys, and keys of nothing, in the Django administration."""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from redundancy.models import HaEvent, PresenceUser, RedundancyGroup, Server, ServiceParameter
from redundancy.permissions import READ_ONLY
from tests.pages.html import status

HUGE = "9" * 30
NO_KEYS = ("abc", HUGE, "-1", "1.5", "a\0b", "٩٩٩٩٩٩", "[]", "999999")


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("value", NO_KEYS)
def test_a_row_of_another_table_that_is_not_there_is_an_error_at_its_field(
    root: Client, rows: None, value: str
) -> None:
    parameter, user = ServiceParameter.objects.earliest("pk"), PresenceUser.objects.earliest("pk")
    before = HaEvent.objects.count()
    forms: list[tuple[str, list[Any], dict[str, str]]] = [
        ("serviceparameter_add", [], {"key": "relogin_lower", "server": value, "value": "7"}),
        ("presenceuser_add", [], {"userid": "new", "im_address": "new@x", "home": value}),
        ("presenceuser_change", [user.pk], {"im_address": "new@x", "home": value}),
        ("redundancygroup_add", [], {"name": "new", "first": value, "second": value}),
    ]
    for name, args, data in forms:
        answer = root.post(reverse(f"admin:redundancy_{name}", args=args), data)
        assert answer.status_code == 200, name
        errors = answer.context["adminform"].form.errors
        assert {"server", "home", "first"} & errors.keys(), (name, errors)
    # Which parameter it is was chosen once: what is sent for that does not count.
    change = reverse("admin:redundancy_serviceparameter_change", args=[parameter.pk])
    sent = {"key": parameter.key, "server": value, "value": parameter.value}
    assert root.post(change, sent).status_code == 302
    assert HaEvent.objects.count() == before


@pytest.mark.parametrize("value", NO_KEYS)
def test_groups_and_permissions_that_are_not_there_are_an_error_at_their_field(
    root: Client, value: str
) -> None:
    group = Group.objects.get(name=READ_ONLY)
    answer = root.post(
        reverse("admin:auth_group_change", args=[group.pk]),
        {"name": group.name, "permissions": [value, str(Permission.objects.earliest("pk").pk)]},
    )
    assert answer.status_code == 200
    assert "permissions" in answer.context["adminform"].form.errors
    assert not group.permissions.exists()
    user = get_user_model().objects.get()
    answer = root.post(
        reverse("admin:auth_user_change", args=[user.pk]),
        {"username": "root", "groups": value, "user_permissions": value},
    )
    assert answer.status_code == 200
    assert {"groups", "user_permissions"} <= answer.context["adminform"].form.errors.keys()


@pytest.mark.parametrize("table", ["redundancy_server", "redundancy_presenceuser", "auth_user"])
@pytest.mark.parametrize("value", ["abc", HUGE, "1.5", "a\0b", "٣", ""])
def test_selected_rows_are_named_by_their_keys(
    root: Client, rows: None, table: str, value: str
) -> None:
    before = Server.objects.count(), PresenceUser.objects.count(), RedundancyGroup.objects.count()
    answer = root.post(
        reverse(f"admin:{table}_changelist"),
        {"action": "delete_selected", "_selected_action": ["1", value], "post": "yes"},
    )
    assert answer.status_code == 400
    assert "_selected_action: must be the number of a row." in status(answer)
    after = Server.objects.count(), PresenceUser.objects.count(), RedundancyGroup.objects.count()
    assert after == before
    assert get_user_model().objects.filter(username="root").exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_field_without_a_name_is_refused(root: Client, rows: None, method: str) -> None:
    change = reverse("admin:redundancy_server_change", args=[Server.objects.earliest("pk").pk])
    sent = change + "?_to_field=" if method == "get" else change
    answer = getattr(root, method)(sent, {"_to_field": ""})
    assert answer.status_code == 400
    assert "_to_field: must be the name of a field." in status(answer)


def test_a_number_that_no_column_holds_is_in_no_row(rows: None) -> None:
    found = Server.objects.filter(pk__in=[Server.objects.earliest("pk").pk, 10**30, -(10**30)])
    assert found.count() == 1
    assert not Server.objects.filter(pk__in=[HUGE]).exists()
    assert Server.objects.filter(pk__in=Server.objects.values("pk")).count() == 2


@pytest.mark.parametrize("table", ["redundancy_server", "redundancy_machine", "auth_user"])
@pytest.mark.parametrize("value", NO_KEYS)
def test_a_row_that_is_not_there_leads_to_the_index(
    root: Client, rows: None, table: str, value: str
) -> None:
    for page in ("change", "history", "delete"):
        address = reverse(f"admin:{table}_{page}", args=["1"]).replace("/1/", f"/{quote(value)}/")
        for answer in (root.get(address), root.post(address)):
            # To the index, with a message; an event is deleted by nobody.
            assert answer.status_code in {302, 403}, (address, answer.status_code)
