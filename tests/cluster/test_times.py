"""Several collections in one input: each a snapshot of its own, by the clocks that the text tells."""

from pathlib import Path

from redundancy.cluster.checks import findings
from redundancy.cluster.findings import Kind
from redundancy.cluster.snapshot import Snapshot
from tests.cluster.inputs import HA_GUIDE, SERVICES, STATUS, only, told

MORNING = STATUS.format(date="Sun Nov 29, 2026 08:00:00")
EVENING = STATUS.format(date="Sun Nov 29, 2026 20:00:00")
WELL = HA_GUIDE.replace("Running in Backup Mode Reason: Peer Down", "Normal")


def states(snapshot: Snapshot) -> list[str | None]:
    return [node.state.text if node.state else None for node in snapshot.nodes.values()]


def test_a_file_of_two_collections_whichever_order_its_outputs_have(tmp_path: Path) -> None:
    for text in (
        WELL + MORNING + SERVICES + HA_GUIDE + EVENING + SERVICES,
        MORNING + WELL + SERVICES + EVENING + HA_GUIDE + SERVICES,
        WELL + SERVICES + MORNING + HA_GUIDE + SERVICES + EVENING,
    ):
        _, (before, after) = told(tmp_path, text)
        assert [str(each.taken) for each in (before, after)] == [
            "2026-11-29 08:00:00",
            "2026-11-29 20:00:00",
        ]
        assert states(before) == ["Normal", "Normal"]
        assert states(after) == ["Normal", "Running in Backup Mode"]
        assert len(before.nodes["imp-pub"].services) == len(after.nodes["imp-pub"].services) == 2
        assert (before.disputes, after.disputes) == ((), ())


def test_files_are_put_together_by_their_clocks_and_sorted(tmp_path: Path) -> None:
    _, snapshots = told(
        tmp_path,
        EVENING + HA_GUIDE,
        MORNING + WELL,
        STATUS.format(date="Sun Nov 29, 2026 08:10:00"),
    )
    assert [snapshot.taken and snapshot.taken.hour for snapshot in snapshots] == [8, 20]
    assert [len(snapshot.files) for snapshot in snapshots] == [2, 1]


def test_a_file_without_a_clock_goes_to_the_only_collection_there_is(tmp_path: Path) -> None:
    snapshot = only(tmp_path, MORNING, HA_GUIDE)
    assert states(snapshot) == ["Normal", "Running in Backup Mode"]


def test_of_several_collections_it_is_not_guessed_which(tmp_path: Path) -> None:
    _, snapshots = told(tmp_path, MORNING, EVENING, HA_GUIDE)
    assert [snapshot.taken and snapshot.taken.hour for snapshot in snapshots] == [8, 20, None]


def test_a_log_of_a_terminal_program_tells_when_it_began(tmp_path: Path) -> None:
    mark = "=~=~=~=~=~=~=~=~=~=~=~= PuTTY log 2026.11.29 {}:00:00 =~=~=~=~=~=~=~=~=~=~=~=\n"
    _, (before, after) = told(tmp_path, mark.format("08") + WELL + mark.format(20) + HA_GUIDE)
    assert str(before.taken) == "2026-11-29 08:00:00"
    assert states(after) == ["Normal", "Running in Backup Mode"]


def test_what_changes_within_a_session_is_told_and_the_last_holds(tmp_path: Path) -> None:
    snapshot = only(tmp_path, WELL + HA_GUIDE)
    assert states(snapshot) == ["Normal", "Running in Backup Mode"]
    assert [
        (each.kind, each.fields["value2"])
        for each in findings(snapshot)
        if each.kind is Kind.CHANGED
    ] == [(Kind.CHANGED, "Running in Backup Mode")]


def test_what_two_files_say_differently_is_disputed(tmp_path: Path) -> None:
    snapshot = only(tmp_path, WELL, HA_GUIDE)
    state = snapshot.nodes["imp-sub"].state
    assert state is not None
    assert state.disputed
    kinds = [each.kind for each in findings(snapshot)]
    assert Kind.DISPUTED in kinds
    assert Kind.STATE_NOT_TOLD in kinds
    # The same twice is no dispute.
    assert only(tmp_path, HA_GUIDE, HA_GUIDE).disputes == ()


def test_a_clock_that_goes_backwards_is_told(tmp_path: Path) -> None:
    earlier = STATUS.format(date="Sun Nov 29, 2026 07:50:00")
    found = findings(only(tmp_path, MORNING + earlier))
    assert [each.kind for each in found] == [Kind.CLOCK_BACKWARDS]
