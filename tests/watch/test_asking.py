"""A CUCM that really answers, by TLS: asked by ``watch_cluster``, kept where it differs, shown with its age."""

import contextlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy.models import ClusterSnapshot, ClusterWatch
from redundancy.srm.words import english
from tests.alarms.conftest import admin, page
from tests.pages.html import soup, words
from tests.pull.cucm import HOST, PASSWORD, USER, Cucm, serving, well

__all__ = ["admin", "page"]

pytestmark = pytest.mark.django_db
FAILED_OVER, BACKUP = "8", "4"


def once() -> str:
    """Look once, and return what is printed."""
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command("watch_cluster", "--once", stdout=out)
    return out.getvalue()


@pytest.fixture
def cucm(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cucm]:
    """A CUCM that runs, and is watched with a password in a file."""
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    monkeypatch.setattr("redundancy.pull.axl.APART", 0.0)
    made = Cucm()
    with serving(well(made), tmp_path / "tls") as (port, ca):
        settings.WATCH_HOST, settings.WATCH_USER, settings.WATCH_PORT = HOST, USER, port
        settings.WATCH_CA, settings.WATCH_PASSWORD_FILE, settings.WATCH_NAME = ca, secret, "Lisbon"
        yield made


def test_it_is_asked_kept_once_and_shown(cucm: Cucm, page: Client) -> None:
    first = once()
    kept = ClusterSnapshot.objects.get()
    assert first.endswith(f": seen; Lisbon is as snapshot:{kept.pk} tells\n")
    # Another moment, the same cluster.
    assert once() == first
    assert ClusterSnapshot.objects.count() == 1
    shown = words(soup(page.get(reverse("cluster_watch"))).select_one("#live"))
    assert "Lisbon: real, read only seen " in shown
    assert "imp-sub Normal" in shown
    states = {"imp-pub": FAILED_OVER, "imp-sub": BACKUP}
    nodes = [
        row | {"tkhaserverstate": states[row["name"]]} for row in cucm.tables["enterprisenode"]
    ]
    cucm.tables["enterprisenode"] = nodes
    once()
    assert ClusterSnapshot.objects.count() == 2
    shown = words(soup(page.get(reverse("cluster_watch"))).select_one("#live"))
    assert "imp-sub Running in Backup Mode" in shown


def test_a_failure_is_told_without_the_password(
    cucm: Cucm, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    once()
    settings.WATCH_CA = ""
    with caplog.at_level(logging.DEBUG):
        said = once()
    row = ClusterWatch.objects.get()
    assert "is not trusted" in english(row.failure)
    assert row.failing_since is not None
    assert (row.seen_at, row.snapshot_id) != (None, None)
    for text in (said, caplog.text, row.failure):
        assert PASSWORD not in text
