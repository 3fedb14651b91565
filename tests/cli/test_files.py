"""The files of a node: what is built, listed, looked through, and that no path leads anywhere else."""

import re
from collections.abc import Sequence

import pytest
from django.test import Client
from kombu.exceptions import OperationalError as BrokerError

import redundancy.tasks  # noqa: F401 - it says which command line writes the outputs of a collection
from redundancy import trace_store
from redundancy.cli import files
from redundancy.cli.grammar import Session, Style
from redundancy.cli.run import run
from redundancy.errors import Refused
from redundancy.models import (
    CollectionPiece,
    CollectionState,
    LogCollection,
    RedundancyGroup,
    Server,
)
from redundancy.operations import power
from redundancy.operations.servers import add_server
from redundancy.traces import activelog, collecting, writes
from tests.cli.conftest import Cli

pytestmark = pytest.mark.django_db

TRACE = [
    f"2026-05-13 02:48:{second:02},244 INFO [HS] rsrm.Rsrm - line {second}" for second in range(47)
]


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes each piece of a collection at once."""
    monkeypatch.setattr(collecting.collect, "delay", lambda *args: collecting.collect(*args))


@pytest.fixture
def node(cluster: RedundancyGroup) -> Server:
    found = cluster.servers.get(name="imp-pub")
    trace_store.append({found.pk: TRACE[:40]})
    trace_store.append({found.pk: TRACE[40:]})
    return found


@pytest.fixture
def built(cli: Cli, node: Server, worked: None) -> str:
    """The path that a build has said."""
    shown = cli("file build log ha 1")
    assert shown.code == 0, shown.errors
    assert shown.lines[0] == "Building the log collection of DefaultCUPSubCluster, please wait"
    assert "SRM traces... done" in shown.lines
    [path] = re.findall(r"/epas/trace/log_ha_\S+\.tar\.gz$", "\n".join(shown.lines))
    return str(path)


def test_a_build_is_a_log_collection_and_says_its_path(cli: Cli, built: str, node: Server) -> None:
    job = LogCollection.objects.get()
    assert (job.state, job.group) == (CollectionState.DONE, node.group)
    assert job.until - job.since == 86_400
    assert job.actor.endswith(" (CLI)")
    name = built.rpartition("/")[2]
    for path in (built, "/epas/trace/log_ha_*.tar.gz", "epas/*/log_ha_*.tar.gz"):
        assert cli(f"file list activelog {path}").lines == [name, "dir count = 0, file count = 1"]


def test_folders_and_files_are_listed(cli: Cli, built: str, node: Server) -> None:
    stem = built.rpartition("/")[2].removesuffix(".tar.gz")
    assert cli("file list activelog /").lines == ["<dir>   epas", "dir count = 1, file count = 0"]
    first, second, counted = cli("file list activelog epas/trace/").lines
    assert first.split() == ["<dir>", stem, f"{stem}.tar.gz"]
    assert (second, counted) == ("<dir>   srm", "dir count = 2, file count = 1")
    size = len("\n".join([*TRACE, ""]))
    assert cli("file list activelog epas/trace/srm/log4j detail").lines == [
        f"13 May,2026 02:48:46  {size:>14,}  srm.log",
        "dir count = 0, file count = 1",
    ]
    # What is in a collection, too.
    inside = " ".join(cli(f"file list activelog epas/trace/{stem}").lines).split()
    assert {"README.txt", "cli", "events", "traces", "parameters.txt"} <= {*inside}
    shown = cli(f"file list activelog epas/trace/{stem}/cli/enterprise*").lines
    assert shown[0].split() == ["enterprisenode.txt", "enterprisesubcluster.txt"]


def test_a_list_is_sorted_as_asked(cli: Cli, built: str) -> None:
    path = f"epas/trace/{built.rpartition('/')[2].removesuffix('.tar.gz')}"

    def sizes(options: str) -> list[int]:
        lines = cli(f"file list activelog {path} page detail {options} imp-pub").lines[:-1]
        return [int(line.split()[3].replace(",", "")) for line in lines if "<dir>" not in line]

    assert sizes("size") == sorted(sizes(""))
    assert sizes("size reverse") == sorted(sizes(""), reverse=True)
    names = cli(f"file list activelog {path} reverse").lines
    assert names[0].split()[-1] != cli(f"file list activelog {path}").lines[0].split()[-1]


def test_each_node_has_its_own_trace(cli: Cli, built: str, node: Server) -> None:
    assert cli("file view activelog epas/trace/srm/log4j/srm.log").lines == [
        *TRACE,
        "",
        "end of the file reached",
    ]
    assert cli("file list activelog epas/trace/srm/log4j imp-sub").errors == ["No Files were found"]
    # The collection is of both.
    assert cli("file list activelog epas/trace/log_ha_*.gz imp-sub").code == 0
    add_server(name="imp-3", server_type="imp", actor="tester")
    listed = "file list activelog epas/trace/log_ha_* imp-3"
    assert cli(listed).errors == ["No Files were found"]
    rome = RedundancyGroup.objects.create(name="Rome")
    Server.objects.filter(name="imp-3").update(group=rome, slot=1)
    assert cli(listed).errors == ["No Files were found"]


def test_what_is_in_a_collection_can_be_read(cli: Cli, built: str) -> None:
    folder = built.removesuffix(".tar.gz")
    shown = cli(f"file view activelog {folder}/cli/utils-ha-status.txt").lines
    assert shown[:2] == [
        "admin: utils ha status DefaultCUPSubCluster",
        "Subcluster Name: DefaultCUPSubCluster",
    ]
    assert TRACE[3] not in cli(f"file view activelog {folder}/traces/imp-pub-srm.log").lines
    packed = cli(f"file view activelog {built}")
    assert packed.code == 1
    assert "is no text; the pages offer it at /ccmservice/log-collection/" in packed.errors[0]


OPTIONS = "options: q=quit, n=next, p=prev, b=begin, e=end"


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ("q", ["1 - 20"]),
        ("nq", ["1 - 20", "21 - 40"]),
        ("nnnq", ["1 - 20", "21 - 40", "41 - 47", "41 - 47"]),
        ("epbpq", ["1 - 20", "41 - 47", "21 - 40", "1 - 20", "1 - 20"]),
    ],
)
def test_a_file_is_looked_through_page_by_page(node: Server, keys: str, shown: list[str]) -> None:
    pressed, seen = iter(keys), []

    def look(lines: Sequence[str], question: str, offered: str) -> str:
        first, last = map(int, re.findall(r"lines (\d+) - (\d+) of 47\) :$", question)[0])
        assert question == f"{OPTIONS} (lines {first} - {last} of 47) :"
        end = ["", "end of the file reached"] if last == 47 else []
        assert lines == [*TRACE[first - 1 : last], *end]
        assert set(offered) == set("qnpbe")
        seen.append(f"{first} - {last}")
        return next(pressed)

    line = "file view activelog epas/trace/srm/log4j/*"
    session = Session(Style.GUIDE)
    assert list(run(line, actor="ann", warn=pytest.fail, session=session, look=look)) == []
    assert seen == shown


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "epas/trace/../../../../etc/passwd",
        "epas/./trace",
        "/etc/passwd",
        "epas/trace/srm/log4j/../../../../manage.py",
        "..",
        "epas/trace/log_ha_*/../../..",
        "~/secret_key",
        "epas/trace/srm/log4j/[s]rm.log",
        "epas/trace/srm/log4j/sr?.log",
        "epas/trace/srm/log4j/SRM.LOG",
        "epas\\trace",
        "epas/trace/srm/log4j/srm.log/x",
        "*" * 501,
        "/".join("a" * 13),
        "%2e%2e/etc",
        "file:///etc/passwd",
    ],
)
def test_no_path_leads_out(cli: Cli, built: str, path: str) -> None:
    for act in ("list", "view", "get"):
        shown = cli(f"file {act} activelog '{path}'")
        assert (shown.code, shown.lines, len(shown.errors)) == (1, [], 1)
        if {".", ".."} & {*path.split("/")}:
            assert shown.errors == ["A path must not contain '.' or '..'."]


def test_a_path_of_several_files_is_not_looked_through(cli: Cli, built: str, node: Server) -> None:
    folder = built.removesuffix(".tar.gz")
    for path, said in (
        (f"{folder}/*.txt", "The path must name one file; it names 3."),
        (f"{folder}/cli/", "The path must name one file; it names 3."),
        ("epas/trace/*/*", "'*' stands for 2 folders; name one."),
        ("nothing", "No Files were found"),
    ):
        assert cli(f"file view activelog {path}").errors == [said]


def test_what_is_too_large_is_not_read(
    cli: Cli, node: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activelog, "READABLE", 1000)
    shown = cli("file view activelog epas/trace/srm/log4j/srm.log")
    assert (shown.code, shown.lines) == (1, [])
    assert "bytes, and at most 1,000 are shown; the pages offer it at" in shown.errors[0]


def test_what_cannot_be_printed_is_a_blank(cli: Cli, node: Server) -> None:
    trace_store.append({node.pk: ["2026-05-13 02:49:00,000 INFO \x1b[31mred\x07"]})
    lines = cli("file view activelog epas/trace/srm/log4j/srm.log").lines
    assert lines[-3] == "2026-05-13 02:49:00,000 INFO  [31mred "


def test_get_says_where_the_files_can_be_had(cli: Cli, built: str, admin_client: Client) -> None:
    job = LogCollection.objects.get()
    shown = cli(f"file get activelog {built}")
    assert shown.code == 1
    assert shown.errors == ["Nothing was sent: this system has no SFTP client."]
    page = f"/ccmservice/log-collection/{job.pk}/"
    assert shown.lines == [
        "Please wait while the system is gathering files info ...done.",
        "Sub-directories were not traversed.",
        "Number of files affected: 1",
        f"Total size in Bytes: {job.size}",
        f"Total size in Kbytes: {job.size / 1024:.9g}",
        "The pages offer them, a log collection as one ZIP file, at:",
        page,
    ]
    assert len(b"".join(admin_client.get(page))) == job.size
    every = cli("file get activelog epas/trace recurs").lines
    assert "Sub-directories were traversed." in every
    assert [line for line in every if line.startswith("/")][-1].startswith("/ccmservice/srm-trace/")
    assert cli("file get activelog epas/trace/srm").errors == ["No Files were found"]


@pytest.mark.parametrize("days", ["0", "8", "x", "-1", "1.5", "²", "9999999"])
def test_the_days_have_limits(cli: Cli, node: Server, days: str) -> None:
    shown = cli(f"file build log ha {days}")
    assert shown.errors == ["The days are a whole number from 1 to 7, of lab time."]
    assert not LogCollection.objects.exists()


def test_who_may_look_only_builds_nothing_and_reads_everything(built: str) -> None:
    def asked(line: str) -> list[str]:
        return list(run(line, actor="ann", warn=pytest.fail, may_write=False))

    assert asked("file list activelog epas/trace")
    with pytest.raises(Refused, match="change nothing"):
        asked("file build log ha 1")
    assert LogCollection.objects.count() == 1


def test_a_build_that_nobody_works_on_does_not_wait_for_ever(
    node: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise BrokerError

    monkeypatch.setattr(collecting.collect, "delay", away)
    waited: list[float] = []
    with pytest.raises(Refused, match="'file list activelog epas/trace' lists it when it is ready"):
        list(run("file build log ha 1", actor="ann", warn=pytest.fail, pause=waited.append))
    assert sum(waited) == pytest.approx(files._BUILD, abs=1)


@pytest.mark.parametrize("befalls", ["fails", "is deleted"])
def test_a_build_that_failed_or_was_deleted_says_so(
    node: Server, monkeypatch: pytest.MonkeyPatch, befalls: str
) -> None:
    monkeypatch.setattr(collecting.collect, "delay", lambda *_: None)

    def pause(_seconds: float) -> None:
        if befalls == "fails":
            writes.fail_collection(pk=LogCollection.objects.get().pk, why="The disk is full.")
        else:
            LogCollection.objects.all().delete()

    said = "The disk is full." if befalls == "fails" else "was deleted before it was ready"
    with pytest.raises(Refused, match=said):
        list(run("file build log ha 1", actor="ann", warn=pytest.fail, pause=pause))


def test_a_collection_that_is_deleted_meanwhile(cli: Cli, built: str) -> None:
    CollectionPiece.objects.all().delete()
    shown = cli(f"file list activelog {built.removesuffix('.tar.gz')}")
    assert (shown.code, shown.lines) == (1, [])
    assert "was deleted" in shown.errors[0]


def test_only_finished_collections_are_listed(cli: Cli, built: str) -> None:
    LogCollection.objects.update(state=CollectionState.WORKING)
    assert cli("file list activelog epas/trace/log_ha_*").errors == ["No Files were found"]


def test_a_node_in_no_group_has_nothing_to_build(cli: Cli, cluster: RedundancyGroup) -> None:
    add_server(name="imp-3", server_type="imp", actor="tester")
    assert "imp-3 is in no presence redundancy group" in cli("file build log ha 1 imp-3").errors[0]


@pytest.mark.parametrize(
    "line",
    [
        "file build log ha 1 imp-sub",
        "file list activelog epas/trace imp-sub",
        "file view activelog epas/trace imp-sub",
        "file get activelog epas/trace imp-sub",
    ],
)
def test_a_node_without_power_answers_nothing(
    cli: Cli, cluster: RedundancyGroup, line: str
) -> None:
    power.power_off(server=Server.objects.get(name="imp-sub"), actor="tester")
    assert cli(line).errors == ["imp-sub has no power; it does not answer."]
