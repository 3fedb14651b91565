"""Before and after: what changed, and whether it is back; and that nobody is told so who cannot know."""

import dataclasses
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redundancy.cli.grammar import Style
from redundancy.cluster.comparing import SENTENCES, Change, Comparison, Verdict, compare
from redundancy.models import ServiceStatus
from tests.cluster.inputs import HA_GUIDE, SERVICES, STATUS, only, table
from tests.cluster.test_round_trip import Made, clusters, printed, read_text

WELL = HA_GUIDE.replace("Running in Backup Mode Reason: Peer Down", "Normal")
PROMPT = "admin:utils service list\n"
USERS = "User ID,Display Name,Assigned Node\n"
STARTED = SERVICES.replace("[STOPPED]  Commanded Out of Service", "[STARTED]")
COUNT = "\nadmin:run sql select count(*) from enduser\n(count(*))\n==========\n300       \n"
GROUP_ALONE = "\nadmin:run sql select id,name from enterprisesubcluster\n" + table("id|name", "8|H")


def compared(folder: Path, before: str, after: str) -> Comparison:
    return compare(only(folder, before), only(folder, after))


def kinds(comparison: Comparison) -> tuple[Verdict, list[Change], list[Change], list[Change]]:
    parts = (comparison.differences, comparison.doubts, comparison.beside)
    changes = ([each.change for each in part] for part in parts)
    return (comparison.verdict, *changes)  # type: ignore[return-value]


def of(node: str, text: str) -> str:
    return f"admin:\nNode Name : {node}\n{text.removeprefix(PROMPT)}\n"


@pytest.mark.parametrize(
    ("before", "after", "verdict", "differences", "doubts", "beside"),
    [
        (WELL, WELL, Verdict.BACK, [], [], []),
        # Names with a domain, and the other dialect.
        (WELL, WELL.replace("imp-pub", "imp-pub.example.com"), Verdict.BACK, [], [], []),
        (WELL, HA_GUIDE, Verdict.NOT_BACK, [Change.VALUE, Change.VALUE], [], []),
        # What it was is what counts, good or not.
        (HA_GUIDE, HA_GUIDE, Verdict.BACK, [], [], []),
        (WELL, WELL.rpartition("Node 2")[0], Verdict.UNKNOWN, [], [Change.NOT_TOLD] * 3, []),
        (WELL.rpartition("Node 2")[0], WELL, Verdict.UNKNOWN, [], [Change.APPEARED], []),
        (WELL, WELL + "\nSubcluster Name: H\nNode 1 Name : x State: Normal\n", Verdict.UNKNOWN, [], [Change.APPEARED] * 2, []),
        (WELL + of("imp-pub", STARTED), WELL + of("imp-pub", SERVICES), Verdict.NOT_BACK, [Change.SERVICE], [], []),
        (WELL + of("imp-pub", STARTED), WELL, Verdict.UNKNOWN, [], [Change.NOT_TOLD], []),
        (WELL + of("imp-pub", STARTED), WELL + of("imp-pub", STARTED + "Cisco SIP Proxy[STARTED]"), Verdict.UNKNOWN, [], [Change.NOT_TOLD_BEFORE], []),
        # What could not be read is not told.
        (WELL + of("imp-pub", STARTED), WELL + of("imp-pub", STARTED.replace("Router[STARTED]", "Router[UNKNOWN]")), Verdict.UNKNOWN, [], [Change.NOT_TOLD], []),
        (WELL + STARTED, WELL + STARTED, Verdict.UNKNOWN, [], [Change.LOOSE] * 2, []),
        (WELL + of("imp-pub", "CmConnectedSockets = 90"), WELL + of("imp-pub", "CmConnectedSockets = 80"), Verdict.BACK, [], [], [Change.COUNTER]),
        (WELL + of("imp-pub", "CmConnectedSockets = 90"), WELL + of("imp-pub", "CmConnectedSockets = 0"), Verdict.NOT_BACK, [Change.NOBODY_LEFT], [], []),
        (WELL + of("imp-pub", "CmConnectedSockets = 90"), WELL + of("imp-pub", "CmConnectedSockets = 45"), Verdict.BACK, [], [], [Change.COUNTER]),
        # Who switches High Availability on now breaks presence for those who are not back.
        (WELL + of("imp-pub", "CmConnectedSockets = 90"), WELL + of("imp-pub", "CmConnectedSockets = 44"), Verdict.UNKNOWN, [], [Change.FEW_LEFT], []),
        (WELL + of("imp-pub", "CmConnectedSockets = 90"), WELL, Verdict.UNKNOWN, [], [Change.NOT_TOLD], []),
        (WELL, WELL + of("imp-pub", "CmConnectedSockets = 90"), Verdict.BACK, [], [], []),
        (WELL + COUNT, WELL + COUNT, Verdict.BACK, [], [], []),
        (WELL + COUNT, WELL + COUNT.replace("300", "299"), Verdict.NOT_BACK, [Change.USERS_COUNT], [], []),
        (WELL + COUNT, WELL, Verdict.UNKNOWN, [], [Change.NOT_TOLD], []),
        (WELL, WELL + COUNT, Verdict.BACK, [], [], []),
        (WELL + GROUP_ALONE, WELL, Verdict.UNKNOWN, [], [Change.NOT_TOLD], []),
        (WELL + "\nClusterwide\nService Port = 22001\n", WELL + "\nClusterwide\nService Port = 22002\n", Verdict.NOT_BACK, [Change.PARAMETER], [], []),
    ],
)  # fmt: skip
def test_verdicts(
    tmp_path: Path,
    before: str,
    after: str,
    verdict: Verdict,
    differences: list[Change],
    doubts: list[Change],
    beside: list[Change],
) -> None:
    assert kinds(compared(tmp_path, before, after)) == (verdict, differences, doubts, beside)


def test_users_moved_added_and_gone(tmp_path: Path) -> None:
    before = WELL + "\nadmin:\n" + USERS + "anna,x,imp-pub\nbob,x,imp-sub\ncara,x,imp-sub\n"
    after = WELL + "\nadmin:\n" + USERS + "Anna,x,imp-sub\nbob,x,imp-sub\ndora,x,\n"
    found = compared(tmp_path, before, after)
    assert [
        (each.change, each.fields["users"], each.fields["example"]) for each in found.differences
    ] == [
        (Change.USERS_MOVED, 1, "anna"),
        (Change.USERS_GONE, 1, "cara"),
        (Change.USERS_ADDED, 1, "dora"),
    ]
    assert compared(tmp_path, before, before).verdict is Verdict.BACK
    assert kinds(compared(tmp_path, before, WELL))[:3] == (Verdict.UNKNOWN, [], [Change.NOT_TOLD])
    unassigned = before.replace("anna,x,imp-pub", "anna,x,")
    assert compared(tmp_path, before, unassigned).verdict is Verdict.NOT_BACK
    ids = "userid\n======\nanna\nbob\ncara\n"
    silent = WELL + "\nadmin:run sql select userid from enduser\n" + ids
    assert compared(tmp_path, before, silent).verdict is Verdict.UNKNOWN


def test_what_is_disputed_is_neither_back_nor_not(tmp_path: Path) -> None:
    before = only(tmp_path, WELL)
    after = only(tmp_path, WELL, HA_GUIDE)
    found = compare(before, after)
    assert [(each.change, each.fields["what"]) for each in found.doubts] == [
        (Change.DISPUTED, "State")
    ]


def test_the_order_restarts_and_unread_files(tmp_path: Path) -> None:
    morning = WELL + STATUS.format(date="Sun Nov 29, 2026 08:00:00")
    evening = WELL + STATUS.format(date="Sun Nov 29, 2026 20:00:00").replace("3 days", "0 days")
    assert kinds(compared(tmp_path, morning, evening)) == (Verdict.BACK, [], [], [Change.RESTARTED])
    assert kinds(compared(tmp_path, evening, morning))[2] == [Change.ORDER]
    before, after = only(tmp_path, morning), only(tmp_path, evening)
    assert compare(before, after, all_read=False).verdict is Verdict.UNKNOWN
    nothing = only(tmp_path, "CmConnectedSockets = 5\n")
    assert compare(nothing, after).verdict is Verdict.UNKNOWN


def test_the_clock_of_the_lab_is_another_one(tmp_path: Path) -> None:
    evening = only(tmp_path, WELL + STATUS.format(date="Sun Nov 29, 2026 20:00:00"))
    morning = only(tmp_path, WELL + STATUS.format(date="Sun Nov 29, 2026 08:00:00"))
    assert compare(evening, morning).verdict is Verdict.UNKNOWN
    assert compare(evening, dataclasses.replace(morning, lab=True)).verdict is Verdict.BACK
    assert compare(dataclasses.replace(evening, lab=True), morning).verdict is Verdict.BACK


def test_high_availability_by_either_source(tmp_path: Path) -> None:
    on, off = (table("id|name|haenabled", f"7|DefaultCUPSubCluster|{flag}") for flag in "tf")
    assert compared(tmp_path, WELL, WELL + "\n" + on).verdict is Verdict.BACK
    (found,) = compared(tmp_path, on, off).differences
    assert found.fields["before"] == "on"
    assert found.fields["after"] == "off"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cluster=clusters(), data=st.data())
def test_a_cluster_is_back_in_either_dialect_and_not_with_one_service_changed(
    cluster: dict[str, list[Made]], data: st.DataObject
) -> None:
    _, before = read_text(printed(cluster, Style.GUIDE))
    _, after = read_text(printed(cluster, Style.FIELD))
    assert compare(before, after).verdict is Verdict.BACK
    group = data.draw(st.sampled_from(sorted(cluster)))
    node = cluster[group][0]
    services = {"Cisco SIP Proxy": ServiceStatus.STARTED}
    one = cluster | {group: [dataclasses.replace(node, services=services), *cluster[group][1:]]}
    stopped = {"Cisco SIP Proxy": ServiceStatus.STOPPED}
    two = cluster | {group: [dataclasses.replace(node, services=stopped), *cluster[group][1:]]}
    (_, first), (_, second) = (read_text(printed(each, Style.GUIDE)) for each in (one, two))
    (found,) = compare(first, second).differences
    assert (found.change, found.fields["name"]) == (Change.SERVICE, node.name)


def test_every_change_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Change)


# --- the command ---------------------------------------------------------------------------------


def command(*words: object) -> tuple[str, str, int]:
    out = io.StringIO()
    try:
        call_command("compare_clusters", *map(str, words), stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), "", 0


def test_exit_codes_and_what_is_printed(tmp_path: Path) -> None:
    before, after, nothing = (tmp_path / name for name in ("before", "after", "nothing"))
    before.write_text(WELL)
    after.write_text(HA_GUIDE)
    nothing.write_text("hello\n")
    said, complaint, code = command(before, after)
    assert (complaint, code) == ("Not back as it was.", 1)
    assert f"State of imp-sub: Normal, then Running in Backup Mode. ({before}:4, {after}:4)" in said
    assert command(before, before)[1:] == ("", 0)
    for pair in ((before, nothing), (nothing, before), (before, tmp_path / "none")):
        assert command(*pair)[2] == 2
    document = json.loads(command(before, after, "--json")[0])
    assert document["verdict"] == "not-back"
    assert document["differences"][0]["after"] == {"file": str(after), "line": 4}
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "one").write_text(WELL)
    (folder / "two").write_bytes(b"\x1f\x8b\x08")
    assert command(before, folder)[2] == 2


def test_of_several_snapshots_one_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "day#1"
    path.write_text(
        WELL
        + STATUS.format(date="Sun Nov 29, 2026 08:00:00")
        + HA_GUIDE
        + STATUS.format(date="Sun Nov 29, 2026 20:00:00")
    )
    _, complaint, code = command(path, path)
    assert code == 2
    assert f"{path}#1 to {path}#2" in complaint
    assert command(f"{path}#1", f"{path}#2")[2] == 1
    assert command(f"{path}#2", f"{path}#2")[2] == 0
    assert command(f"{path}#3", f"{path}#2")[2] == 2
