"""``manage.py jabber``: what it refuses before it begins, and what it says of a move."""

from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from redundancy.jabber.pace import Pace
from redundancy.jabber.waves import Wave
from redundancy.models import LoginCeiling, PresenceSession, PresenceUser, RedundancyGroup
from redundancy.operations import clients
from redundancy.operations.ceilings import KEPT, keep_ceiling
from redundancy.operations.sample import load_sample_cluster
from redundancy.selectors.ceilings import best_ceiling


@pytest.fixture
def group(db: None) -> RedundancyGroup:
    return load_sample_cluster(actor="")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "users: must be given."),
        ([0], "users: must be from 1 to 20,000, not 0."),
        ([20_001], "users: must be from 1 to 20,000, not 20001."),
        ([2000], "users: only 1,000 are assigned and not signed out."),
        ([1, "--group", "none"], "users: only 0 are assigned and not signed out in none."),
        ([1, "--connections", "0"], "--connections: must be from 1 to 24, not 0."),
        ([1, "--url", "ftp://x"], "--url: must be like http://127.0.0.1:8000"),
        (
            [1, "--url", "http://192.0.2.1"],
            "--url: 192.0.2.1 is another machine; --anywhere allows that.",
        ),
    ],
)
def test_what_cannot_be_played_is_refused(
    group: RedundancyGroup, arguments: list[Any], said: str
) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("jabber", *map(str, arguments))
    assert (str(caught.value), caught.value.returncode) == (said, 2)


def test_nobody_at_the_address_is_told(
    group: RedundancyGroup, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("jabber", "2", "--url", "http://127.0.0.1:1", "--seconds", "1")
    assert caught.value.returncode == 1
    assert "LERR_CUP_UNREACHABLE" in capsys.readouterr().out


def test_the_password_is_shown_and_the_clients_are_given_back(
    group: RedundancyGroup, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("jabber", "--show-password")
    assert capsys.readouterr().out.strip() == settings.JABBER_PASSWORD
    user = PresenceUser.objects.filter(home__isnull=False).first()
    assert user is not None
    clients.log_in(userid=user.userid, password=settings.JABBER_PASSWORD)
    call_command("jabber", "--give-back")
    assert capsys.readouterr().out.startswith("1 clients")
    assert not PresenceSession.objects.filter(by_client=True).exists()


def test_a_move_is_told_in_lab_time() -> None:
    # The lab's clock runs at 10: the wall second counts ten.
    wave = Wave(begun=100.0, rate=10.0)
    for _ in range(20):
        wave.lose(100.0, 100.5, 20, 100)
    wave.back = [102.0 + number / 4 for number in range(19)]
    assert (wave.until(50), wave.until(95), wave.until(100)) == (42.5, 65.0, None)
    wave.back.append(112.0)
    data = wave.data()
    assert data["until"] == {"50": 42.5, "95": 65.0, "100": 120.0}
    assert (data["first"], data["peak_per_second"]) == (20.0, 4)
    assert "100 % were back 120.0 s after the event" in "\n".join(wave.text())


def test_the_best_run_is_kept_and_of_the_others_the_newest(group: RedundancyGroup) -> None:
    assert best_ceiling() is None
    for number in range(KEPT):
        keep_ceiling(rate=10 + number % 7, seconds=10, clients=500, connections=4)
    best = best_ceiling()
    assert best is not None
    assert (best.rate, best.clients, best.connections, best.seconds) == (16, 500, 4, 10)
    assert best.database in {"SQLite", "PostgreSQL"}
    for _ in range(KEPT):
        keep_ceiling(rate=5, seconds=10, clients=500, connections=4)
    # What this machine was once tells nothing of it now.
    assert [each.rate for each in LoginCeiling.objects.all()] == [5] * KEPT


@pytest.mark.parametrize("rate", [None, 41.7])
def test_a_run_keeps_what_it_measured(
    group: RedundancyGroup,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rate: float | None,
) -> None:
    monkeypatch.setattr(Pace, "begin", lambda pace, now: setattr(pace, "best", rate))
    with pytest.raises(CommandError):
        call_command("jabber", "2", "--url", "http://127.0.0.1:1", "--seconds", "0")
    told = "ceiling: 41.7 logins a second over 10 s" in capsys.readouterr().out
    kept = LoginCeiling.objects.first()
    assert (told, kept.rate if kept else None) == (rate is not None, rate)
