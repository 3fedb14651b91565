"""Settings of a watched cluster, and where its password comes from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from cucm_admin import env
from cucm_admin.stack.run import BASE_DIR
from redundancy.pull.sources import PullFailed
from redundancy.watch import configured

TEXTS = {"WATCH_HOST": "cucm.example.com", "WATCH_USER": "ann", "WATCH_NAME": ""}


def secret(folder: Path, text: str = "correct horse\n", mode: int = 0o600) -> Path:
    path = folder / "password"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("change", "minutes", "given", "complaint"),
    [
        ({"WATCH_HOST": "", "WATCH_USER": ""}, 0, {}, ""),
        ({}, 0, {"WATCH_PASSWORD": "x"}, ""),
        ({"WATCH_HOST": "2001:db8::1"}, 5, {"WATCH_PASSWORD_FILE": "x"}, ""),
        ({"WATCH_HOST": ""}, 5, {}, "WATCH_HOST: must be given with WATCH_MINUTES"),
        ({"WATCH_HOST": "https://cucm:8443"}, 0, {}, "WATCH_HOST: must be a name or an address"),
        ({"WATCH_USER": ""}, 0, {}, "WATCH_USER: must be given"),
        ({}, 0, {}, "WATCH_PASSWORD_FILE: must name a file"),
        ({}, 0, {"WATCH_PASSWORD": "x", "WATCH_PASSWORD_FILE": "x"}, "one of the two"),
        ({}, 0.5, {"WATCH_PASSWORD": "x"}, "WATCH_MINUTES: must be 0"),
        ({"WATCH_NAME": "x" * 101}, 0, {"WATCH_PASSWORD": "x"}, "WATCH_NAME: must have at most"),
        ({"WATCH_NAME": "a\nb"}, 0, {"WATCH_PASSWORD": "x"}, "WATCH_NAME: must have at most"),
    ],
)
def test_settings_fit_together(
    change: dict[str, str], minutes: float, given: dict[str, str], complaint: str
) -> None:
    if not complaint:
        env.check_watch(TEXTS | change, minutes, False, given)
        return
    with pytest.raises(env.BadSetting) as caught:
        env.check_watch(TEXTS | change, minutes, False, given)
    assert complaint in str(caught.value)


def test_a_report_needs_looks() -> None:
    given = {"WATCH_PASSWORD": "x"}
    env.check_watch(TEXTS, 5, True, given)
    with pytest.raises(env.BadSetting, match="WATCH_MINUTES: must be given with WATCH_REPORT_DAY"):
        env.check_watch(TEXTS, 0, True, given)
    with pytest.raises(env.BadSetting, match="WATCH_HOST: must be given with WATCH_REPORT_DAY"):
        env.check_watch(TEXTS | {"WATCH_HOST": ""}, 0, True, given)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_password_that_others_may_read_is_refused(
    settings: Settings, tmp_path: Path, mode: int
) -> None:
    path = secret(tmp_path, mode=mode)
    with pytest.raises(env.BadSetting) as caught:
        env.secret_file("WATCH_PASSWORD_FILE", {"WATCH_PASSWORD_FILE": str(path)})
    assert str(caught.value) == (
        f"WATCH_PASSWORD_FILE: {path} must be for its owner alone (chmod 600), not of mode {mode:o}"
    )
    # It may have been opened for others since the start.
    settings.WATCH_HOST, settings.WATCH_PASSWORD_FILE = "cucm", path
    at = configured.watched()
    assert at is not None
    with pytest.raises(PullFailed, match="must be 600"):
        at.password()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for name, path in (("gone", tmp_path / "gone"), ("a folder", tmp_path)):
        with pytest.raises(env.BadSetting, match=str(path)):
            env.secret_file("WATCH_PASSWORD_FILE", {"WATCH_PASSWORD_FILE": str(path)})
        with pytest.raises(env.BadSetting, match="WATCH_CA: must name a file"):
            env.named_file("WATCH_CA", {"WATCH_CA": str(path)})
        assert name
    assert env.secret_file("WATCH_PASSWORD_FILE", {}) is None
    assert env.named_file("WATCH_CA", {}) == ""


def test_the_password_is_read_when_it_is_needed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = secret(tmp_path)
    settings.WATCH_HOST, settings.WATCH_PASSWORD_FILE = "cucm", path
    at = configured.watched()
    assert at is not None
    assert at.password() == "correct horse"
    path.write_text("another one")
    assert at.password() == "another one"
    settings.WATCH_PASSWORD_FILE = None
    monkeypatch.setenv("WATCH_PASSWORD", "third")
    assert at.password() == "third"


def test_what_is_watched_is_what_the_settings_say(settings: Settings) -> None:
    assert configured.watched() is None
    settings.WATCH_HOST, settings.WATCH_USER, settings.WATCH_VERIFY = "cucm", "ann", False
    axl = configured.watched()
    assert axl is not None
    assert (axl.label, axl.verified) == ("axl://ann@cucm:8443", False)
    settings.WATCH_KIND, settings.WATCH_PORT = "ssh", 2222
    ssh = configured.watched()
    assert ssh is not None
    assert (ssh.label, ssh.verified) == ("ssh://ann@cucm:2222", True)


def settings_of(tmp_path: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WATCH_")}
    code = (
        "from cucm_admin import settings as s; "
        "print(sorted(s.CELERY_BEAT_SCHEDULE), s.CELERY_TASK_ROUTES['redundancy.tasks.watch']['queue'])"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=BASE_DIR,
        env=kept | {"VAR_DIR": str(tmp_path / "var")} | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.process
def test_beat_asks_only_where_a_cluster_is_watched(tmp_path: Path) -> None:
    assert settings_of(tmp_path).stdout == "['sweep'] moves\n"
    named = {"WATCH_HOST": "cucm", "WATCH_USER": "ann", "WATCH_PASSWORD": "x"}
    assert settings_of(tmp_path, **named).stdout == "['sweep'] moves\n"
    assert settings_of(tmp_path, **named, WATCH_MINUTES="5").stdout == "['sweep', 'watch'] moves\n"
    refused = settings_of(tmp_path, **named, WATCH_MINUTES="1441")
    assert (refused.returncode, refused.stderr) == (
        1,
        "WATCH_MINUTES: must be between 0 and 1440, not 1441\n",
    )
