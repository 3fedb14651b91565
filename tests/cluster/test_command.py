"""``manage.py import_cluster``: what it prints, and its exit codes."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from redundancy.cluster.renaming import Names
from tests.cluster.inputs import HA_GUIDE, SERVICES, STATUS, table, write


def command(*words: object) -> tuple[str, str, int]:
    """Return what is printed, the complaint, and the exit code."""
    out = io.StringIO()
    try:
        call_command("import_cluster", *map(str, words), stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), "", 0


def test_a_report_names_values_findings_and_what_is_not_told(tmp_path: Path) -> None:
    paths = write(
        tmp_path, HA_GUIDE + STATUS.format(date="Sun Nov 29, 2026 01:20:00") + SERVICES + "hello\n"
    )
    said, complaint, code = command("--dry-run", *paths)
    assert (complaint, code) == ("", 0)
    for part in (
        "1 not.",
        "Snapshot 1 of 1, taken 2026-11-29 01:20:00",
        "Group DefaultCUPSubCluster: High Availability on",
        "imp-pub, Normal, version 14.0.1.12900-161, 1 of 2 services started",
        "Not told: version of imp-sub; services of imp-sub; users; parameters",
        f"Cisco XCP Router on imp-pub: STOPPED  Commanded Out of Service. Nobody can log in there. ({paths[0]}:19)",
        f"{paths[0]}:20: hello",
    ):
        assert part in said


def test_json_has_each_value_with_its_place(tmp_path: Path) -> None:
    (path,) = write(tmp_path, HA_GUIDE)
    said, _, code = command("--dry-run", "--json", path)
    document = json.loads(said)
    (snapshot,) = document["snapshots"]
    assert code == 0
    assert snapshot["nodes"][1]["state"] == {
        "value": "Running in Backup Mode",
        "file": str(path),
        "line": 4,
    }
    assert {"kind", "risk", "fields", "sentence", "advice", "places"} == set(
        snapshot["findings"][0]
    )


def test_exit_codes(tmp_path: Path) -> None:
    good, nothing, binary = write(tmp_path, HA_GUIDE, "hello\n", b"\x00\x01" * 50)
    assert command("--dry-run", good)[2] == 0
    assert command("--dry-run", nothing)[1:] == ("Nothing in it tells of a cluster.", 1)
    said, complaint, code = command("--dry-run", good, binary)
    assert (complaint, code) == ("Not all of it was read.", 1)
    assert f"Not read, or not to its end: {binary}" in said
    assert command("--dry-run", tmp_path / "none")[2] == 2
    assert command(good)[2] == 2


@pytest.mark.parametrize("cut", range(0, 700, 13))
def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path, cut: int) -> None:
    text = HA_GUIDE + SERVICES + STATUS.format(date="Sun Nov 29, 2026 01:20:00")
    said, _, code = command("--dry-run", "--json", *write(tmp_path, text[:cut]))
    assert code in {0, 1}
    nodes = [node for snapshot in json.loads(said)["snapshots"] for node in snapshot["nodes"]]
    states = {node["state"]["value"] for node in nodes if node["state"]}
    assert states <= {"Normal", "Running in Backup Mode"}


def test_a_copy_with_other_names_is_written_or_nothing_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, binary = write(tmp_path, HA_GUIDE + "hello\n", b"\x00\x01" * 50)
    out = tmp_path / "out.zip"
    said, complaint, code = command("--replace-names", out, good)
    assert (complaint, code) == ("", 0)
    assert "Lines that were not understood are left out: 1." in said
    assert command("--dry-run", out)[2] == 0
    assert "imp-pub" not in command("--dry-run", out)[0]
    assert command("--replace-names", out, good)[1:] == (
        f"{out}: it cannot be written: File exists.",
        2,
    )
    other = tmp_path / "other.zip"
    assert command("--replace-names", other, good, binary)[1:] == ("Not all of it was read.", 1)
    assert command("--replace-names", other, "--dry-run", good)[2] == 2
    monkeypatch.setattr(Names, "node", lambda _self, name: str(name))
    monkeypatch.setattr(Names, "originals", ["imp-pub"])
    complaint, code = command("--replace-names", other, good)[1:]
    assert complaint.startswith("The copy would still hold 1 name(s)")
    assert code == 2
    assert not other.exists()


def test_what_is_told_in_two_ways_is_not_printed_as_certain(tmp_path: Path) -> None:
    tables = [table("id|name|haenabled", f"7|G|{flag}") for flag in "tf"]
    said, _, _ = command("--dry-run", *write(tmp_path, *tables))
    assert "Group G: High Availability off (told in two ways) (" in said
