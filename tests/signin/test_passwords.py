"""Every password keeps the rules, whichever way it is set."""

import io

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from redundancy.errors import Refused
from redundancy.models import HaEvent
from redundancy.operations.accounts import change_own_password
from redundancy.operations.throttle import PER_PAIR
from tests.pages.html import error_at, soup, status

OWN = reverse("password_change")
OLD, NEW = "correct horse", "tidy-fjord-41-lamp"
WEAK = {
    "eleven-char": "12 to 1,000 characters",
    "x1" * 501: "12 to 1,000 characters",
    "password12345": "too common",
    "829347102938": "entirely numeric",
    "ccmadmin-ccm": "too similar",
}


def typed(new: str, old: str = OLD) -> dict[str, str]:
    return {"old_password": old, "new_password1": new, "new_password2": new}


def test_the_name_of_the_user_leads_to_the_page(page: Client, read_only: Client) -> None:
    for client in (page, read_only):
        assert soup(client.get(reverse("home"))).select(f'.account a[href="{OWN}"]')
    assert page.get(reverse("admin:password_change")).status_code == 302


def test_a_new_password_ends_other_sessions_and_not_this_one(page: Client, admin: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(admin)
    done = page.post(OWN, typed(NEW), follow=True)
    assert "Update successful. You are signed out everywhere else." in status(done)
    assert page.get(reverse("home")).status_code == 200
    assert elsewhere.get(reverse("home")).status_code == 302
    assert authenticate(username="ccmadmin", password=NEW) == admin
    event = HaEvent.objects.latest("pk")
    assert (event.actor, event.address) == ("ccmadmin", "127.0.0.1")
    assert event.sentence == "ccmadmin changed their password."


def test_a_weak_password_is_refused_by_its_rule(page: Client, admin: User) -> None:
    for new, rule in WEAK.items():
        refused = page.post(OWN, typed(new))
        assert refused.status_code == 422
        assert rule in status(refused)
    assert authenticate(username="ccmadmin", password=OLD) == admin


def test_the_field_of_a_weak_password_is_named(admin: User) -> None:
    with pytest.raises(Refused) as refused:
        change_own_password(user=admin, password="short")
    assert refused.value.field == "new_password1"


def test_the_old_password_cannot_be_guessed_here_either(page: Client, admin: User) -> None:
    for _ in range(PER_PAIR):
        refused = page.post(OWN, typed(NEW, old="wrong"))
        assert refused.status_code == 422
        assert "Current Password is not right." in error_at(refused, "old_password")
    refused = page.post(OWN, typed(NEW))
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    admin.refresh_from_db()
    assert admin.check_password(OLD)


@pytest.mark.parametrize(
    ("password", "rule"), [("short", "12 to 1,000"), ("829347102938", "numeric")]
)
def test_admin_password_keeps_the_rules(
    db: None, monkeypatch: pytest.MonkeyPatch, password: str, rule: str
) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", password)
    with pytest.raises(CommandError, match=rule) as refused:
        call_command("ensure_admin")
    assert str(refused.value).startswith("ADMIN_PASSWORD: ")
    assert "\n" not in str(refused.value)
    assert password not in str(refused.value)
    assert not User.objects.exists()


def test_createsuperuser_keeps_the_rules(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(password: str) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
        call_command(
            "createsuperuser",
            "--noinput",
            username="eve",
            email="e@example.com",
            stdout=io.StringIO(),
        )

    with pytest.raises(CommandError, match="12 to 1,000"):
        create("short")
    assert not User.objects.exists()
    create(NEW)
    assert User.objects.get().check_password(NEW)


def test_createsuperuser_lets_nobody_pass_the_rules_by(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    module = "django.contrib.auth.management.commands.createsuperuser"
    monkeypatch.setattr(f"{module}.getpass.getpass", lambda *_: "short")
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with pytest.raises(CommandError, match="12 to 1,000"):
        call_command(
            "createsuperuser", username="eve", email="e@example.com",
            stdin=Terminal(), stdout=io.StringIO(), stderr=io.StringIO(),
        )  # fmt: skip
    assert not User.objects.exists()


def test_the_django_administration_keeps_the_rules(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    form = {"username": "eve", "password1": "short-one", "password2": "short-one"}
    form["usable_password"] = "true"
    assert b"12 to 1,000" in client.post(reverse("admin:auth_user_add"), form).content
    eve = User.objects.create_user("eve", password=OLD)
    change = reverse("admin:auth_user_password_change", args=[eve.pk])
    assert b"12 to 1,000" in client.post(change, form).content
    eve.refresh_from_db()
    assert eve.check_password(OLD)
