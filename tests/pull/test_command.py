"""``import_cluster --axl`` and ``--ssh``: arguments, the password, the report, the transcript."""

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from redundancy.cluster.lab import lab_snapshot
from redundancy.models import ClusterSnapshot
from redundancy.pull.passwords import password_of
from redundancy.pull.sources import PullFailed
from redundancy.srm.words import english
from tests.pull.cucm import HOST, PASSWORD, USER, Cucm, serving, well


def command(*words: object) -> tuple[str, str, int]:
    """Return what is printed, what is said beside or in complaint, and the exit code."""
    out, beside = io.StringIO(), io.StringIO()
    try:
        call_command("import_cluster", *map(str, words), stdout=out, stderr=beside)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), beside.getvalue(), 0


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The arguments that ask a CUCM that runs; its password is in the environment."""
    monkeypatch.setenv("CLUSTER_PASSWORD", PASSWORD)
    monkeypatch.setattr("redundancy.pull.axl.APART", 0.0)
    with serving(well(Cucm()), tmp_path / "tls") as (port, ca):
        yield ["--axl", HOST, "--user", USER, "--port", str(port), "--ca", ca]


def test_a_report_says_whom_it_asked_and_how_it_was_trusted(asked: list[str]) -> None:
    said, beside, code = command("--dry-run", *asked)
    assert (beside, code) == ("", 0)
    first, *_ = said.splitlines()
    assert first == "The certificate of 127.0.0.1 was verified by the given CA."
    assert "Group DefaultCUPSubCluster: High Availability on (127.0.0.1.axl.txt:" in said
    assert "Not told: services of imp-pub, imp-sub" in said
    said, _, code = command("--dry-run", *asked[:-2], "--no-verify")
    assert said.startswith("The certificate of 127.0.0.1 was not verified, as was chosen.")
    assert "(127.0.0.1.axl-not-verified.txt:" in said
    assert command("--dry-run", *asked[:-2])[1:] == (
        "Certificate: that of 127.0.0.1 is not trusted: self-signed certificate. "
        "Give its CA, or choose not to verify it.",
        2,
    )


def test_json_has_it_too(asked: list[str]) -> None:
    said, _, code = command("--dry-run", "--json", *asked)
    (told,) = json.loads(said)["asked"]
    assert (code, told["kind"], told["host"]) == (0, "axl", HOST)
    assert "asked" in json.loads(said)
    assert PASSWORD not in said


@pytest.mark.django_db
def test_what_was_asked_is_kept_and_applied(asked: list[str]) -> None:
    _, beside, code = command("--keep", "--name", "Lisbon", *asked)
    row = ClusterSnapshot.objects.get()
    assert (code, row.kept, row.name, row.users) == (0, True, "Lisbon", 3)
    assert beside.startswith(f"Kept as snapshot:{row.pk}")
    said, _, code = command("--apply", "--yes", *asked)
    assert (code, sorted(lab_snapshot().nodes)) == (0, ["cucm-pub", "imp-pub", "imp-sub"])
    assert said.startswith("The certificate of 127.0.0.1 was verified by the given CA.")


def test_the_transcript_is_for_its_owner_alone_and_overwrites_nothing(
    asked: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "transcript.txt"
    # That of the process must not be what keeps it to its owner.
    before = os.umask(0)
    try:
        assert command("--dry-run", "--transcript", path, *asked)[2] == 0
    finally:
        os.umask(before)
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "admin:run sql select id, name, haenabled from enterprisesubcluster" in text
    assert PASSWORD not in text
    # It is read as any other file.
    assert "High Availability on" in command("--dry-run", path)[0]
    _, complaint, code = command("--dry-run", "--transcript", path, *asked)
    assert (complaint, code) == (f"{path}: it cannot be written: File exists.", 2)
    assert path.read_text() == text


def test_where_it_fails_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    path = tmp_path / "transcript.txt"
    words = ["--dry-run", "--transcript", str(path), *asked[:-2]]
    said, complaint, code = command(*words)
    assert (said, code) == ("", 2)
    assert "is not trusted" in complaint
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--user", "x", "log.txt"], "--user goes with --axl or --ssh."),
        (["--no-verify", "log.txt"], "--no-verify goes with --axl or --ssh."),
        (["--axl", "a", "log.txt"], "Give one of FILE, --axl and --ssh."),
        (["--axl", "a", "--ssh", "b"], "Give one of FILE, --axl and --ssh."),
        (["--axl", "a", "--known-hosts", "x"], "--known-hosts goes with --ssh."),
        (["--ssh", "a", "--ca", "x"], "--ca goes with --axl."),
        (["--ssh", "a", "--no-verify"], "--no-verify goes with --axl."),
        (["--axl", "a", "--host-key", "x"], "--host-key goes with --ssh."),
        (
            ["--ssh", "a", "--known-hosts", "x", "--host-key", "y"],
            "--known-hosts is given without --host-key.",
        ),
        (["--axl", "a", "--ca", "x", "--no-verify"], "--ca is given without --no-verify."),
        (["--axl", "a"], "User: must have 1 to 128 printable characters, and no colon."),
        (["--axl", "a/b", "--user", "x"], "Host: must be a host name or an IP address"),
        (["--axl", "a", "--user", "x", "--port", "0"], "Port: must be from 1 to 65535."),
        ([], "Name at least one FILE, or a server: --axl HOST or --ssh HOST."),
    ],
)
def test_what_goes_with_what(
    words: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTER_PASSWORD", PASSWORD)
    said, told, code = command("--dry-run", *words)
    assert (said, code) == ("", 2)
    assert told.startswith(complaint)


def test_the_password_is_of_the_file_or_the_environment_or_typed(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("of the file\nmore\n")
    file.chmod(0o600)
    assert password_of("given", file, lambda: "typed") == "of the file"
    assert password_of("given", None, lambda: "typed") == "given"
    assert password_of("", None, lambda: "typed") == "typed"
    for mode in (0o640, 0o604, 0o660, 0o644):
        file.chmod(mode)
        with pytest.raises(PullFailed) as failed:
            password_of("given", file)
        assert f"has the mode {mode:o}; it must be 600" in english(failed.value.rule)
    with pytest.raises(PullFailed) as failed:
        password_of("given", tmp_path / "none")
    assert "none cannot be read: No such file or directory." in english(failed.value.rule)
    with pytest.raises(PullFailed) as failed:
        password_of("")
    assert english(failed.value.rule).startswith("Password: there is nobody to ask")


def test_without_a_terminal_nobody_is_asked(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLUSTER_PASSWORD")
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD))
    _, complaint, code = command("--dry-run", *asked)
    assert (complaint.partition(":")[0], code) == ("Password", 2)


def test_undo_asks_nobody(asked: list[str]) -> None:
    assert command("--undo", *asked)[1:] == ("--undo is given alone, or with --yes.", 2)
