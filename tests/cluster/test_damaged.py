"""Input that is cut off, mixed, doubled or spoilt: nothing is told that is not so."""

import random
import tracemalloc
from pathlib import Path

import pytest

from redundancy.cluster.assembling import assemble
from redundancy.cluster.checks import findings
from redundancy.cluster.reader.reading import Reading, read, read_source
from redundancy.cluster.reader.sources import Source
from redundancy.cluster.snapshot import Snapshot
from tests.cluster.inputs import HA_GUIDE, SERVICES, STATUS, only, table, told

OTHER = (
    HA_GUIDE.replace("DefaultCUPSubCluster", "Rome")
    .replace("imp-pub", "rome-1")
    .replace("imp-sub", "rome-2")
).replace("Running in Backup Mode Reason: Peer Down", "Normal")
NODES = table("id|name|subclusterid|tkhaserverstate", "1|imp-pub|7|3", "2|imp-sub|7|4")
GROUPS = table("id|name|haenabled", "7|DefaultCUPSubCluster|t")
STATUS_1 = STATUS.format(date="Sun Nov 29, 2026 01:20:00")
WHOLE = HA_GUIDE + GROUPS + "\n" + NODES + "\n" + SERVICES + STATUS_1


def facts(snapshot: Snapshot) -> dict[str, tuple[str | None, str | None]]:
    return {
        node.name: (
            node.state.text if node.state else None,
            node.group.text if node.group else None,
        )
        for node in snapshot.nodes.values()
    }


def test_the_same_twice_tells_the_same(tmp_path: Path) -> None:
    once, twice = only(tmp_path, WHOLE), only(tmp_path, WHOLE + WHOLE)
    assert facts(once) == facts(twice)
    assert twice.disputes == ()


def test_two_sessions_mixed_line_by_line_give_no_node_to_the_wrong_group(tmp_path: Path) -> None:
    mixed = "".join(
        f"{one}\n{two}\n"
        for one, two in zip(HA_GUIDE.splitlines(), OTHER.splitlines(), strict=True)
    )
    reading, snapshots = told(tmp_path, mixed)
    for snapshot in snapshots:
        for name, (_, group) in facts(snapshot).items():
            assert group in {None, "Rome" if name.startswith("rome") else "DefaultCUPSubCluster"}
    assert reading.missed_lines > 0


@pytest.mark.parametrize("seed", range(60))
def test_lines_that_are_lost_doubled_or_spoilt_name_nobody_who_is_not_there(
    tmp_path: Path, seed: int
) -> None:
    """States may be missing; a name or a state that the whole text has not, never comes up."""
    chance = random.Random(seed)
    lines = WHOLE.splitlines()
    for _ in range(6):
        place = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, lines[place])
            case 2:
                lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
            case _:
                lines.insert(place, "\x00\x1b[2J" + "".join(chance.choices("=[]: ,.;aZ9\t", k=30)))
    (tmp_path / "x").write_text("\n".join(lines))
    reading = read([tmp_path / "x"])
    for snapshot in assemble(reading):
        findings(snapshot)
        for name, (state, group) in facts(snapshot).items():
            assert any(whole.startswith(name) for whole in ("imp-pub", "imp-sub"))
            assert state in {None, "Normal", "Running in Backup Mode"}
            assert group in {None, "", *("DefaultCUPSubCluster"[:n] for n in range(1, 21))}


class Endless:
    """A stream that is damaged after a while."""

    def __init__(self) -> None:
        self.left = 100

    def read(self, size: int, /) -> bytes:
        self.left -= 1
        return b"" if self.left < 0 else b"hello there\n" * (size // 12)


def test_memory_does_not_grow_with_the_length_of_a_file() -> None:
    tracemalloc.start()
    reading = Reading()
    read_source(Source("long", Endless()), reading)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reading.lines == reading.missed_lines == 546_100
    assert peak < 3_000_000


def test_a_second_first_node_is_of_another_session(tmp_path: Path) -> None:
    node = "Node {} Name : {} State: Normal\n"
    text = "Subcluster Name: G\n" + node.format(1, "a") + node.format(1, "x") + node.format(2, "y")
    reading, (snapshot,) = told(tmp_path, text)
    assert set(snapshot.nodes) == {"a"}
    assert [each.place.line for each in reading.missed] == [3, 4]


def test_two_sessions_mixed_line_by_line_give_no_status_to_the_wrong_node(tmp_path: Path) -> None:
    one = STATUS.format(date="Sun Nov 29, 2026 01:20:00")
    two = one.replace("imp-pub", "other").replace("14.0.1", "15.0.1")
    mixed = "".join(
        f"{line}\n{other}\n" for line, other in zip(one.splitlines(), two.splitlines(), strict=True)
    )
    _, (snapshot,) = told(tmp_path, mixed + "admin:utils ha status\nSubcluster Name: G\n")
    assert {node.version for node in snapshot.nodes.values()} == {None}
    assert {node.clock for node in snapshot.nodes.values()} == {None}
    # One behind the other they are of two nodes.
    versions = {
        n.name: n.version and n.version.text for n in only(tmp_path, one + two).nodes.values()
    }
    assert len(set(versions.values())) == 2
