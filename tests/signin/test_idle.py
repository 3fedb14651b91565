"""Who asks for nothing is signed out; what pages ask by themselves is not asking."""

import time
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urljoin

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from redundancy.views import guard
from tests.everypage import every_page, furnish
from tests.pages.html import Answer, soup, status

HOME = reverse("home")
WARNING = "#session-end"
MINUTES = 60
# The wall time at which all of this happens.
NOW = time.time()


@pytest.fixture(autouse=True)
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, no second passes that a test does not let pass."""
    monkeypatch.setattr(guard, "time", SimpleNamespace(time=lambda: NOW))


def away(client: Client, seconds: float) -> None:
    """Let it be so long since the last request of the user."""
    session = client.session
    session[guard.SEEN] = NOW - seconds
    session.save()


def seen(client: Client) -> float:
    return float(client.session[guard.SEEN])


def shown_seconds(answer: Answer) -> float:
    """How long the page knows that its sign-in lasts."""
    (warning,) = soup(answer).select(WARNING)
    return float(str(warning["data-seconds"]))


def test_after_30_minutes_the_next_request_signs_in_and_comes_back(page: Client) -> None:
    away(page, 30 * MINUTES - 5)
    assert page.get(HOME).status_code == 200
    away(page, 30 * MINUTES + 1)
    asked = reverse("server_list") + "?text=imp"
    gone = page.get(asked)
    assert gone.status_code == 302
    shown = page.get(gone["Location"])
    assert "signed out after 30 minutes without activity" in status(shown)
    form = {"username": "ccmadmin", "password": "correct horse"}
    assert page.post(gone["Location"], form)["Location"] == asked


def test_what_is_posted_too_late_changes_nothing(page: Client, admin: User) -> None:
    away(page, 31 * MINUTES)
    page.post(reverse("server_add"), {"type": "imp", "name": "late"})
    assert not User.objects.filter(username="late").exists()
    assert page.get(reverse("server_add")).status_code == 302


def test_a_request_renews_and_says_how_long(page: Client) -> None:
    away(page, 20 * MINUTES)
    assert page.get(HOME)[guard.SECONDS_LEFT] == "1800"
    assert seen(page) == NOW


def test_it_is_not_written_at_each_request(page: Client) -> None:
    away(page, 30)
    before = seen(page)
    assert page.get(HOME)[guard.SECONDS_LEFT] == "1770"
    assert seen(page) == before
    assert shown_seconds(page.get(HOME)) == 1770


def test_no_poll_of_any_page_renews(db: None, settings: LazySettings) -> None:
    """As the pages themselves ask: every address that a region polls, on every page."""
    settings.FAULT_LAB = True
    made = furnish()
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    polled: set[str] = set()
    for address in every_page(made):
        if address.data is None and address.signed_in:
            page = soup(client.get(address.path))
            own = [str(tag["hx-get"]) for tag in page.select("[hx-trigger^=poll]")]
            polled |= {urljoin(address.path, each) for each in own}
    assert len({resolve(path.partition("?")[0]).func for path in polled}) >= 12
    away(client, 20 * MINUTES)
    before = seen(client)
    for path in polled:
        # Whatever version is shown, and whatever a client says of itself.
        for asked in (path, path.replace("v=", "v=x")):
            for headers in ({}, {"HX-Request": "true"}):
                answer = client.get(asked, headers=headers)
                assert answer.status_code in (200, 204), asked
                assert int(answer[guard.SECONDS_LEFT]) <= 600, asked
                assert seen(client) == before, asked


def test_a_poll_for_what_was_deleted_does_not_renew(page: Client) -> None:
    away(page, 20 * MINUTES)
    before = seen(page)
    assert page.get(reverse("group_edit", args=[10**6]) + "?fragment=1").status_code == 404
    assert seen(page) == before
    # A form that is refused was sent by somebody.
    assert page.post(reverse("server_add"), {"type": "imp", "name": ""}).status_code == 422
    assert seen(page) > before


def test_staying_signed_in_renews(page: Client) -> None:
    away(page, 29 * MINUTES)
    stay = reverse("stay_signed_in")
    assert page.get(stay).status_code == 405
    answer = page.post(stay)
    assert (answer.status_code, answer[guard.SECONDS_LEFT]) == (204, "1800")


def test_a_working_day_ends_it_however_busy(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Session.objects.get().expire_date
    now = timezone.now()
    assert timedelta(hours=9) < ends - now < timedelta(hours=10, seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(hours=2))
    away(page, 20 * MINUTES)
    assert page.get(HOME).status_code == 200
    assert abs(Session.objects.get().expire_date - ends) < timedelta(seconds=5)


def test_a_page_is_shown_while_the_database_cannot_be_written(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away(page, 20 * MINUTES)

    def full(*_: object, **__: object) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(SessionStore, "save", full)
        answer = page.get(HOME)
    assert answer.status_code == 200
    assert int(answer[guard.SECONDS_LEFT]) <= 600
    assert page.get(HOME)[guard.SECONDS_LEFT] == "1800"


def test_a_clock_that_was_set_back_does_not_prolong(page: Client) -> None:
    away(page, -10 * 60 * MINUTES)
    page.get(HOME)
    assert seen(page) == NOW


@pytest.mark.parametrize(("minutes", "left"), [(5, 300), (600, 36_000)])
def test_the_time_is_a_setting(
    page: Client, settings: LazySettings, minutes: float, left: int
) -> None:
    settings.SESSION_IDLE_MINUTES = minutes
    away(page, (minutes - 1) * MINUTES)
    assert page.get(HOME)[guard.SECONDS_LEFT] == str(left)
    away(page, (minutes + 1) * MINUTES)
    assert page.get(HOME).status_code == 302


def test_the_django_administration_warns_as_other_pages_do(db: None) -> None:
    made = furnish()
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    of_server = "admin:redundancy_server"
    for path in (
        reverse("admin:index"),
        reverse("admin:app_list", args=["auth"]),
        reverse(f"{of_server}_changelist"),
        reverse(f"{of_server}_add") + "?_popup=1",
        *(
            reverse(f"{of_server}_{page}", args=[made.pub])
            for page in ("change", "delete", "history")
        ),
        reverse("admin:auth_user_add"),
    ):
        answer = client.get(path)
        assert shown_seconds(answer) == 1800, path
        page = soup(answer)
        (poll,) = page.select("[hx-trigger^=poll]")
        away(client, 20 * MINUTES)
        told = client.get(str(poll["hx-get"]))
        assert (told.status_code, int(told[guard.SECONDS_LEFT]) <= 600) == (204, True)
        client.post(reverse("stay_signed_in"))


def test_0_is_never(page: Client, settings: LazySettings) -> None:
    settings.SESSION_IDLE_MINUTES = 0
    away(page, 9 * 60 * MINUTES)
    answer = page.get(HOME)
    assert answer.status_code == 200
    assert guard.SECONDS_LEFT not in answer
    assert soup(answer).select_one(WARNING) is None


def test_nothing_behind_the_sign_in_is_kept_by_a_browser(db: None) -> None:
    made = furnish()
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    paths = [address.path for address in every_page(made) if address.data is None]
    paths += [
        reverse("alarm_banner"),
        reverse("user_export_file"),
        reverse("event_history") + "?export=csv",
        reverse("admin:index"),
        reverse("admin:redundancy_alarmchannel_changelist"),
        reverse("healthz"),
    ]
    kept = [path for path in paths if "no-store" not in client.get(path).get("Cache-Control", "")]
    assert kept == []
