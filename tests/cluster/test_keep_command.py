"""``import_cluster --keep``, and ``compare_clusters`` of what is kept and of the lab."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from redundancy.cluster import writes
from redundancy.cluster.comparing import compare
from redundancy.cluster.lab import lab_snapshot
from redundancy.models import ClusterSnapshot, NodeService, PresenceUser
from redundancy.operations.sample import load_sample_cluster
from redundancy.srm.words import english
from tests.cluster.inputs import HA_GUIDE, draft_of, write

pytestmark = pytest.mark.django_db


def command(name: str, *words: object) -> tuple[str, str, int]:
    """Return what is printed, what is said beside and in complaint, and the exit code."""
    out, beside = io.StringIO(), io.StringIO()
    try:
        call_command(name, *map(str, words), stdout=out, stderr=beside)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), beside.getvalue(), 0


def test_keep_keeps_with_name_and_note(tmp_path: Path) -> None:
    (path,) = write(tmp_path, HA_GUIDE)
    said, beside, code = command(
        "import_cluster", "--keep", "--name", "Lisbon", "--note", "before", path
    )
    row = ClusterSnapshot.objects.get()
    assert (row.kept, row.name, row.note, row.actor) == (True, "Lisbon", "before", "import_cluster")
    assert code == 0
    assert "Group DefaultCUPSubCluster" in said
    assert f"Kept as snapshot:{row.pk}, Lisbon, read" in beside


def test_what_goes_with_keep(tmp_path: Path) -> None:
    good, nothing = write(tmp_path, HA_GUIDE, "hello\n")
    assert command("import_cluster", "--dry-run", "--note", "x", good)[2] == 2
    assert command("import_cluster", "--keep", "--note", "x" * 2001, good)[2] == 2
    assert command("import_cluster", "--keep", nothing)[2] == 1
    assert not ClusterSnapshot.objects.filter(kept=True).exists()


def test_a_kept_one_is_compared(tmp_path: Path) -> None:
    same, other = write(tmp_path, HA_GUIDE, HA_GUIDE.replace("Peer Down", "Peer Reboot"))
    (row,) = writes.keep(rows=draft_of(HA_GUIDE), actor="ann")
    stored = f"snapshot:{row.pk}"
    assert command("compare_clusters", stored, stored)[2] == 0
    assert command("compare_clusters", stored, same)[2] == 0
    said, _, code = command("compare_clusters", stored, other)
    assert code == 1
    assert "Reason of imp-sub: Peer Down, then Peer Reboot." in said
    assert command("compare_clusters", "snapshot:999999", same)[1:] == (
        "snapshot:999999: There is no such snapshot.",
        2,
    )
    ClusterSnapshot.objects.update(all_read=False)
    assert command("compare_clusters", stored, stored)[2] == 2


def test_the_lab_is_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 4)
    load_sample_cluster(actor="ann")
    monkeypatch.setattr("redundancy.selectors.observing.sees", lambda: True)
    lab = lab_snapshot()
    assert lab.lab
    assert lab.groups["DefaultCUPSubCluster"].nodes == ("imp-pub", "imp-sub")
    assert {user.name: user.node for user in lab.users.values()} == dict(
        PresenceUser.objects.values_list("userid", "home__name")
    )
    node = lab.nodes["imp-pub"]
    assert node.state is not None
    assert node.version is not None
    assert node.services["Cisco XCP Router"].text in {
        "STARTED",
        "STOPPED  Commanded Out of Service",
    }
    assert node.parameters["Client Re-Login Upper Limit"].text == "537"
    assert str(node.state.place) == "lab"
    assert compare(lab, lab_snapshot()).verdict == 0
    # Nobody sees the nodes: their states are not told, and so it cannot be told.
    monkeypatch.setattr("redundancy.selectors.observing.sees", lambda: False)
    unseen = lab_snapshot()
    assert unseen.nodes["imp-pub"].state is None
    found = compare(lab, unseen)
    assert found.verdict == 2
    assert {english(each.fields["what"]) for each in found.doubts} == {"State", "Reason"}


def test_the_lab_counts_its_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 4)
    load_sample_cluster(actor="ann")
    lab = lab_snapshot()
    told = {
        name: {each: value.text for each, value in node.counters.items()}
        for name, node in lab.nodes.items()
        if node.is_presence
    }
    assert told == {
        name: {"CmConnectedSockets": "2", "ActiveJsmSessions": "2"}
        for name in ("imp-pub", "imp-sub")
    }
    NodeService.objects.filter(name="Cisco Presence Engine").update(running=False)
    assert set(lab_snapshot().nodes["imp-pub"].counters) == {"CmConnectedSockets"}
