import io
import re

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_password_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)


def ensure_admin() -> str:
    out = io.StringIO()
    call_command("ensure_admin", stdout=out)
    return out.getvalue()


def test_a_generated_password_is_printed_once_and_signs_in() -> None:
    shown = re.search(r"Sign in as: admin   password: (\S{12,})", ensure_admin())
    assert shown
    user = authenticate(username="admin", password=shown[1])
    assert user is not None
    assert user.is_superuser
    assert ensure_admin() == ""


def test_a_given_password_is_used_and_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", "given-by-me-now")
    assert "given-by-me-now" not in ensure_admin()
    assert authenticate(username="admin", password="given-by-me-now")
    # The same one on the next start is no news.
    assert ensure_admin() == ""


def test_a_given_password_never_replaces_one(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_superuser("admin", password="first")
    monkeypatch.setenv("ADMIN_PASSWORD", "second")
    assert "ADMIN_PASSWORD is not used" in ensure_admin()
    assert authenticate(username="admin", password="first")


def test_any_superuser_is_enough() -> None:
    User.objects.create_superuser("carla", password="x")
    assert ensure_admin() == ""
    assert not User.objects.filter(username="admin").exists()


def test_an_ordinary_user_of_that_name_is_not_promoted() -> None:
    User.objects.create_user("admin", password="x")
    assert "belongs to an ordinary user" in ensure_admin()
    assert not User.objects.filter(is_superuser=True).exists()
