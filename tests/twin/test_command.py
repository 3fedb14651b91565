"""``manage.py import_cluster --apply`` and ``--undo``: what is asked, what is done, and the exit codes."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from redundancy.models import HaEvent, Server
from redundancy.operations.sample import load_sample_cluster
from tests.cluster.inputs import HA_GUIDE, STATUS, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 4)
    load_sample_cluster(actor="tester")


def command(*words: Any) -> tuple[str, str, int]:
    """What is printed, the complaint, and the exit code."""
    out = io.StringIO()
    try:
        call_command("import_cluster", *map(str, words), stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), "", 0


def names() -> set[str]:
    return set(Server.objects.values_list("name", flat=True))


def answer(monkeypatch: pytest.MonkeyPatch, text: str | None) -> list[str]:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        if text is None:
            raise EOFError
        return text

    monkeypatch.setattr("builtins.input", ask)
    return asked


TEXT = HA_GUIDE.replace("imp-", "b-")


def test_it_says_what_the_lab_will_be_asks_and_applies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write(tmp_path, TEXT)
    asked = answer(monkeypatch, "y")
    said, complaint, code = command("--apply", path)
    assert (complaint, code) == ("", 0)
    assert asked == [
        "Replace the present lab (2 server(s), 1 group(s), 4 user(s))? It is kept, and --undo puts it "
        "back. [y/N] "
    ]
    for part in (
        "The lab would have 2 server(s), 1 group(s) and 0 user(s).",
        "  Group DefaultCUPSubCluster: High Availability on",
        "    b-pub, version 14.0.1, publisher, 19 of 19 activated services run",
        "  How it begins:",
        "told is: b-pub: Normal; b-sub: Running in Backup Mode (Peer Down). These states are not begun in.",
        "  Assumed:",
        "    - IM&P database publisher of the cluster: not told; taken as b-pub.",
        "    - Installed Version of b-sub: not told; taken as 14.0.1.",
        "    - services of b-sub: not told; taken as on a new node.",
        "Applied: 2 server(s), 1 group(s), 0 user(s).",
    ):
        assert part in said
    assert names() == {"b-pub", "b-sub"}
    assert HaEvent.objects.latest("pk").actor.endswith(" (import_cluster)")


@pytest.mark.parametrize("text", ["n", "", None])
def test_what_is_not_confirmed_is_not_done(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write(tmp_path, TEXT)
    answer(monkeypatch, text)
    _, complaint, code = command("--apply", path)
    assert (complaint, code) == ("Nothing was changed: it was not confirmed.", 2)
    assert names() == {"imp-pub", "imp-sub"}


def test_undo_puts_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("--undo", "--yes")[1:] == (
        "Nothing was changed. copy: No lab is kept that could be put back.",
        2,
    )
    assert command("--apply", "--yes", *write(tmp_path, TEXT))[2] == 0
    answer(monkeypatch, "no")
    assert command("--undo")[2] == 2
    asked = answer(monkeypatch, "yes")
    said, _, code = command("--undo")
    assert code == 0
    assert asked[0].startswith(
        "Put it back? The present lab (2 server(s), 1 group(s), 0 user(s)) is lost."
    )
    assert "Put back: 2 server(s), 1 group(s), 4 user(s)." in said
    assert names() == {"imp-pub", "imp-sub"}


def test_json_and_dry_run(tmp_path: Path) -> None:
    (path,) = write(tmp_path, TEXT)
    said, _, code = command("--apply", "--dry-run", "--json", path)
    plan = json.loads(said)["plan"]
    assert code == 0
    assert [each["name"] for each in plan["servers"]] == ["b-pub", "b-sub"]
    assert plan["groups"][0]["ha"] is True
    assert {note["kind"] for note in plan["notes"]} == {"begins", "assumed"}
    assert command("--apply", "--json", path)[2] == 2
    assert names() == {"imp-pub", "imp-sub"}
    assert command("--apply", "--json", "--yes", path)[2] == 0
    assert names() == {"b-pub", "b-sub"}


def test_what_cannot_be_applied_is_refused_with_its_code(tmp_path: Path) -> None:
    good, users, nothing, binary = write(
        tmp_path, TEXT, "userid,node\nann,b-pub\n", "hello\n", b"\x00\x01" * 50
    )
    two = tmp_path / "two.txt"
    two.write_text(
        TEXT
        + STATUS.format(date="Sun Nov 29, 2026 01:20:00")
        + "\n=~=~=~=~=~= PuTTY log 2026.11.29 05:20:00 =~=~=~=\n"
        + TEXT
        + STATUS.format(date="Sun Nov 29, 2026 05:20:00")
    )
    for words, code, complaint in (
        ([nothing], 1, "Nothing in it tells of a cluster."),
        ([good, binary], 1, "Not all of it was read."),
        ([users], 2, "No lab can be made of it."),
        ([two], 2, "There are 2 snapshots; name one with --snapshot 1 to 2."),
        ([two, "--snapshot", "3"], 2, "There are 2 snapshot(s)."),
        ([tmp_path / "none"], 2, ""),
        ([], 2, "Name at least one FILE, or a server"),
    ):
        _, said, ended = command("--apply", "--yes", *words)
        assert (ended, complaint in said) == (code, True), said
    assert command("--undo", good)[2] == 2
    assert command(good)[2] == 2
    assert names() == {"imp-pub", "imp-sub"}
    assert command("--apply", "--yes", two, "--snapshot", "2")[2] == 0
