"""``manage.py watch_cluster``."""

import io
import os
import signal
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from cucm_admin import joining
from redundancy.management.commands import watch_cluster
from redundancy.models import ClusterSnapshot
from redundancy.pull.sources import PullFailed, Source
from redundancy.watch import watching
from tests.watch.inputs import NORMAL, OFF

pytestmark = pytest.mark.django_db
SOURCE = "axl://ann@cucm:8443"


def command(*words: str) -> tuple[str, str, int]:
    """Return what is printed, the complaint, and the exit code."""
    out = io.StringIO()
    try:
        call_command("watch_cluster", *words, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    except SystemExit as ended:
        return out.getvalue(), "", int(str(ended.code))
    return out.getvalue(), "", 0


@pytest.fixture
def named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings.WATCH_HOST, settings.WATCH_USER = "cucm", "ann"
    monkeypatch.setenv("WATCH_PASSWORD", "x")
    return settings


def answers(monkeypatch: pytest.MonkeyPatch, text: Callable[[], str]) -> None:
    def pull(_source: Source, _password: str) -> list[tuple[str, bytes]]:
        return [("ha.txt", text().encode())]

    monkeypatch.setattr(watching, "pull_texts", pull)


def test_it_looks_once(named: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, lambda: NORMAL)
    said, complaint, code = command("--once")
    kept = ClusterSnapshot.objects.get()
    assert (complaint, code) == ("", 0)
    assert said == f"{SOURCE}: seen; imp-pub is as snapshot:{kept.pk} tells\n"


def test_a_failure_is_told_with_code_1(named: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> str:
        raise PullFailed("host: it does not answer")

    answers(monkeypatch, fails)
    said, _, code = command("--once")
    assert code == 1
    assert said.startswith(f"{SOURCE}: failed, since ")
    assert said.endswith(" UTC: host: it does not answer\n")


def test_settings_that_name_nothing_are_refused(settings: Settings) -> None:
    assert command("--once")[1:] == ("WATCH_HOST: must name the cluster to be watched.", 2)
    settings.WATCH_HOST, settings.WATCH_USER = "cucm", "ann"
    said, complaint, code = command()
    assert (said, code) == ("", 2)
    assert complaint.startswith("WATCH_MINUTES: must be 1 or more")


def test_the_report_is_printed_without_a_look(
    named: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, complaint, code = command("--report")
    assert (said, complaint, code) == ("", "It was never looked at: give --once first.", 2)
    answers(monkeypatch, lambda: OFF)
    command("--once")

    def none() -> str:
        raise AssertionError("it looked")

    answers(monkeypatch, none)
    said, complaint, code = command("--report")
    assert (complaint, code) == ("", 1)
    assert "[!] High Availability of DefaultCUPSubCluster is off" in said
    assert command("--report", "--once")[2] == 2


def test_for_ever_it_says_what_is_new_and_ends_on_a_signal(
    named: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.WATCH_MINUTES = 5.0
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(watch_cluster, "LOOK", 0.0)
    # It would give back the connection, and with it the transaction of the test.
    monkeypatch.setattr(joining.Watch, "look", lambda _watch: "")
    looks: list[bool] = []
    real = watching.look

    def look(*args: object, **more: object) -> object:
        looks.append(bool(more["due_only"]))
        if len(looks) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*args, **more)  # type: ignore[arg-type]

    answers(monkeypatch, lambda: NORMAL)
    monkeypatch.setattr(watching, "look", look)
    try:
        said, complaint, code = command()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert (complaint, code) == ("", 0)
    assert len(said.splitlines()) == 1
    assert set(looks) == {True}


def test_it_ends_where_it_does_not_fit_any_more(
    named: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.WATCH_MINUTES = 5.0
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(joining.Watch, "look", lambda _watch: "The database is of another version.")
    try:
        said, complaint, code = command()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert (said, code) == ("", 1)
    assert complaint == "This process ends. The database is of another version."
