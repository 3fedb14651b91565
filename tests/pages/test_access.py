"""Sign-in, roles, and what is refused to whom."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from redundancy.models import RedundancyGroup, Server, SignIn
from redundancy.operations.signins import KEPT, Outcome, record_sign_in
from redundancy.permissions import READ_ONLY, SUPER, can_write
from tests.pages.conftest import make_user
from tests.pages.html import soup, status, words

LOGIN = reverse("login")


def sign_in(client: Client, password: str = "correct horse") -> str:
    response = client.post(LOGIN, {"username": "ccmadmin", "password": password}, follow=True)
    return status(response)


def test_every_page_needs_a_sign_in(client: Client, db: None) -> None:
    for name in ("home", "server_list", "group_list", "about"):
        response = client.get(reverse(name))
        assert response.status_code == 302
        assert response["Location"].startswith(LOGIN)


def test_the_sign_in_page_has_its_parts(client: Client, db: None) -> None:
    page = soup(client.get(LOGIN))
    assert {label.get_text(strip=True).rstrip("*") for label in page.select("label")} == {
        "Username",
        "Password",
    }
    assert [button.text for button in page.select("form.sign-in button")] == ["Login", "Reset"]
    assert not page.select(".menu-bar")


def test_a_wrong_password_says_so(client: Client, admin: User) -> None:
    assert "correct username and password" in sign_in(client, "wrong")


def test_an_empty_sign_in_names_its_fields(client: Client, db: None) -> None:
    shown = status(client.post(LOGIN, {}))
    assert "Username is required." in shown
    assert "Password is required." in shown


def test_the_last_sign_ins_are_shown_once(client: Client, admin: User) -> None:
    first = sign_in(client)
    assert "Last successful sign-in: none" in first
    assert "Last failed sign-in: none" in first
    client.post(reverse("logout"))
    sign_in(client, "wrong")
    second = sign_in(client)
    assert "Last successful sign-in: 2" in second
    assert "Last failed sign-in: 2" in second
    assert second.count("(wall time) from 127.0.0.1") == 2
    assert "sign-in" not in status(client.get(reverse("home")))


def test_sign_ins_of_nobody_and_of_a_guesser_do_not_pile_up(client: Client, admin: User) -> None:
    client.post(LOGIN, {"username": "nobody", "password": "x"})
    assert SignIn.objects.get().username == ""
    sign_in(client)
    client.post(reverse("logout"))
    for number in range(KEPT + 5):
        for name in ("ccmadmin", f"nobody{number}"):
            record_sign_in(username=name, outcome=Outcome.FAILED, address="192.0.2.1")
    assert SignIn.objects.filter(ok=False, username="ccmadmin").count() == KEPT
    assert SignIn.objects.filter(ok=False).count() == 2 * KEPT
    # The guesser's do not push out the user's own.
    assert SignIn.objects.filter(ok=True).count() == 1


def test_the_address_after_sign_in_stays_here(client: Client, admin: User) -> None:
    response = client.post(
        LOGIN,
        {"username": "ccmadmin", "password": "correct horse", "next": "https://evil.example/"},
    )
    assert response["Location"] == reverse("home")


def test_roles_are_there_after_migrate(db: None) -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= {SUPER, READ_ONLY}


@pytest.mark.parametrize(
    ("role", "superuser", "active", "may"),
    [
        (SUPER, False, True, True),
        (READ_ONLY, False, True, False),
        (READ_ONLY, True, True, True),
        (SUPER, False, False, False),
    ],
)
def test_who_may_write(db: None, role: str, superuser: bool, active: bool, may: bool) -> None:
    user = make_user("somebody", role)
    user.is_superuser, user.is_active = superuser, active
    assert can_write(user) is may


def writing_urls(pair: RedundancyGroup) -> list[tuple[str, str]]:
    """Every address that writes, or asks before it does: method and address."""
    server = pair.servers.all()[0]
    one, two = [server.pk], [pair.pk]
    action = reverse("group_action", args=[pair.pk, server.pk, "failover"])
    return [
        ("post", reverse("load_sample")),
        ("get", reverse("server_add")),
        ("post", reverse("server_add")),
        ("post", reverse("server_edit", args=one)),
        ("get", reverse("server_delete", args=one)),
        ("post", reverse("server_delete", args=one)),
        ("post", reverse("server_delete_selected") + f"?pk={server.pk}"),
        ("get", reverse("group_add")),
        ("post", reverse("group_add")),
        ("post", reverse("group_edit", args=two)),
        ("get", reverse("group_delete", args=two)),
        ("post", reverse("group_delete", args=two)),
        ("post", reverse("group_delete_selected")),
        ("get", reverse("user_assign")),
        ("post", reverse("user_assign")),
        ("get", action),
        ("post", action),
    ]


def test_a_read_only_user_writes_nowhere(read_only: Client, pair: RedundancyGroup) -> None:
    before = list(Server.objects.values()), list(RedundancyGroup.objects.values())
    for method, url in writing_urls(pair):
        data = {"type": "imp", "name": "changed", "serial": "0", "pk": str(pair.pk)}
        response = getattr(read_only, method)(url, data)
        assert response.status_code == 403, (method, url)
        assert READ_ONLY in status(response) or SUPER in status(response)
    assert before == (list(Server.objects.values()), list(RedundancyGroup.objects.values()))


def test_a_read_only_user_sees_everything_and_no_control(
    read_only: Client, ha: RedundancyGroup, pub: Server
) -> None:
    for url in (
        reverse("home"),
        reverse("server_list"),
        reverse("server_edit", args=[pub.pk]),
        reverse("group_list"),
        reverse("user_list"),
        reverse("group_edit", args=[ha.pk]),
    ):
        response = read_only.get(url)
        assert response.status_code == 200
        main = soup(response).select_one("main")
        assert main is not None
        assert not main.select(".toolbar, .check input, a[href*=delete], a[href*=failover]"), url
        inputs = main.select("form[method=post] input:not([type=hidden]), form[method=post] select")
        assert all(tag.has_attr("disabled") for tag in inputs), url


def test_who_is_not_staff_is_told_so_in_the_chrome(read_only: Client, reader: User) -> None:
    navigation = soup(read_only.get(reverse("home"))).select_one("#navigation")
    assert "Django Administration" not in words(navigation)
    refused = read_only.get(reverse("admin:index"), follow=True)
    assert refused.status_code == 403
    assert "for users with staff status" in status(refused)
    assert soup(refused).select(".menu-bar")
    reader.is_staff = True
    reader.save()
    assert read_only.get(reverse("admin:index")).status_code == 200
    assert read_only.get(reverse("admin:login")).headers["Location"] == reverse("admin:index")


def test_a_post_without_token_changes_nothing(admin: User, pair: RedundancyGroup) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    for method, url in writing_urls(pair):
        if method == "post":
            response = client.post(url, {"name": "changed", "type": "imp", "serial": "0"})
            assert response.status_code == 403, url
            assert "could not be verified" in status(response)
    assert not Server.objects.filter(name="changed").exists()
