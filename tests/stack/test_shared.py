"""Settings that are kept once for all machines: who follows, who is told, and who changes them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from cucm_admin import shared
from redundancy import clock
from redundancy.models import SharedSetting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is given, and whatever is followed is undone."""
    for name in (*shared.SHARED, shared.SECRET):
        monkeypatch.delenv(name, raising=False)
    for name in (*shared.SHARED, "SWEEP_SECONDS"):
        setattr(settings, name, getattr(settings, name))
    monkeypatch.setenv("TZ", "UTC")
    yield
    shared._take("TIME_ZONE", "UTC")


def change(name: str, value: Any) -> None:
    if name == shared.RATE:
        clock.set_rate(value)
    else:
        SharedSetting.objects.update_or_create(name=name, defaults={"value": value})


OTHERS = {
    "FAULT_LAB": True,
    "HISTORY_DAYS": 3.0,
    "LAB_CLOCK_RATE": 30.0,
    "LAB_CLIENTS_GIVE_UP_MINUTES": 4.0,
    "LAB_REBOOT_SECONDS": 5.0,
    "MAX_GROUPS": 6,
    "MAX_IMPORT_MB": 7,
    "MAX_IMP_SERVERS": 8,
    "SWEEP_SHARDS": 2,
    "TIME_ZONE": "America/Sao_Paulo",
}


def test_each_is_followed_where_nothing_else_is_given(settings: Settings) -> None:
    assert set(OTHERS) == set(shared.SHARED)
    shared.keep(defaults=True)
    for name, value in OTHERS.items():
        assert getattr(settings, name) != value, name
        change(name, value)
    assert shared.follow(serves=True) == ""
    assert {name: getattr(settings, name) for name in OTHERS} == OTHERS
    assert pytest.approx(0.2) == settings.SWEEP_SECONDS
    assert str(timezone.get_default_timezone()) == "America/Sao_Paulo"


@pytest.mark.parametrize("name", OTHERS)
def test_who_was_given_another_is_told_in_one_line_and_keeps_it(
    name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.keep(defaults=True)
    change(name, OTHERS[name])
    before = getattr(settings, name)
    monkeypatch.setenv(name, "given")
    told = shared.follow(serves=False)
    assert told.startswith(f"{name} is ")
    assert "cucm_admin.stack.prepare" in told
    assert "\n" not in told
    assert getattr(settings, name) == before
    # The same as what is kept is no other.
    setattr(settings, name, OTHERS[name])
    assert shared.follow(serves=False) == ""


def test_an_installation_that_keeps_nothing_yet_stops_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAX_GROUPS", "5")
    assert shared.follow(serves=True) == ""


def test_release_changes_what_it_is_given_and_keeps_the_rest(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.keep(defaults=True)
    change("LAB_CLOCK_RATE", 60.0)
    change("MAX_GROUPS", 7)
    monkeypatch.setenv("HISTORY_DAYS", "30")
    settings.HISTORY_DAYS = 30.0
    assert shared.keep(defaults=False) == ""
    assert (clock.rate(), settings.LAB_CLOCK_RATE, settings.MAX_GROUPS) == (60, 60, 7)
    assert SharedSetting.objects.get(name="HISTORY_DAYS").value == 30
    # On one machine the environment is all there is.
    settings.LAB_CLOCK_RATE, settings.MAX_GROUPS = 1.0, 5000
    assert shared.keep(defaults=True) == ""
    assert (clock.rate(), SharedSetting.objects.get(name="MAX_GROUPS").value) == (1, 5000)


def test_the_secret_key_must_be_the_same_and_cannot_be_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.keep(defaults=True)
    assert settings.SECRET_KEY not in str(list(SharedSetting.objects.values_list("value")))
    settings.SECRET_KEY = "another one" * 5
    assert shared.follow(serves=True).startswith("SECRET_KEY is not the one of this installation")
    # Who sits at a command line signs nothing.
    assert shared.follow(serves=False) == ""
    assert shared.keep(defaults=False).startswith("SECRET_KEY is needed")
    assert shared.follow(serves=True) != ""
    monkeypatch.setenv("SECRET_KEY", settings.SECRET_KEY)
    assert shared.keep(defaults=False) == ""
    assert shared.follow(serves=True) == ""
