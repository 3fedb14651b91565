"""Lines become commands; unfinished lines get help and completion."""

from collections.abc import Iterable

import pytest

from redundancy.cli import parser
from redundancy.cli.commands import COMMANDS
from redundancy.cli.grammar import Kind
from redundancy.errors import Refused

GROUP, NODE, SERVICE, SELECT = Kind.GROUP, Kind.NODE, Kind.SERVICE, Kind.SELECT
ROUTER = "Cisco XCP Router"


def names(kind: Kind) -> Iterable[str]:
    return {
        GROUP: ["DefaultCUPSubCluster", "Rome"],
        NODE: ["imp-pub", "imp-sub"],
        Kind.OBJECT: ['"Cisco XCP CM"', '"Cisco Presence Engine"'],
        Kind.COUNTER: ["CmConnectedSockets", "ActiveJsmSessions"],
    }.get(kind, ())


@pytest.mark.parametrize(
    ("line", "command", "values"),
    [
        ("utils ha status", "utils ha status", {}),
        ("  UTILS   ha\tStatus  ", "utils ha status", {}),
        ("utils ha status Rome", "utils ha status", {GROUP: "Rome"}),
        ("utils ha failover imp-pub", "utils ha failover", {NODE: "imp-pub"}),
        ("utils service list", "utils service list", {}),
        ("utils service list imp-sub", "utils service list", {NODE: "imp-sub"}),
        (f"utils service stop {ROUTER}", "utils service stop", {SERVICE: ROUTER}),
        (
            "utils service start  cisco  xcp router imp-pub",
            "utils service start",
            {SERVICE: ROUTER, NODE: "imp-pub"},
        ),
        (
            "utils service restart 'A Cisco DB' imp-pub",
            "utils service restart",
            {SERVICE: "A Cisco DB", NODE: "imp-pub"},
        ),
        ("utils system poweron imp-pub", "utils system poweron", {NODE: "imp-pub"}),
        ("show network cluster", "show network cluster", {}),
        (
            "file list activelog epas/trace/log_* DETAIL page imp-sub",
            "file list activelog",
            {Kind.PATH: "epas/trace/log_*", Kind.OPTIONS: "detail page", NODE: "imp-sub"},
        ),
        (
            "file list activelog epas imp-sub",
            "file list activelog",
            {Kind.PATH: "epas", Kind.OPTIONS: "", NODE: "imp-sub"},
        ),
        # A statement is taken as it is: quotes and blanks count.
        (
            "run sql select  'a  b'\nfrom enduser",
            "run sql",
            {SELECT: "select  'a  b' from enduser"},
        ),
    ],
)
def test_a_line_is_a_command(line: str, command: str, values: dict[Kind, str]) -> None:
    found, given = parser.parse(line)
    assert (" ".join(found.words), given) == (command, values)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("frobnicate", "Unknown command 'frobnicate'"),
        (
            "utils",
            "Incomplete command: after 'utils' must follow core or dbreplication or ha or "
            "imdb_replication or ntp or service or system",
        ),
        ("utils ha explode", "after 'utils ha' must follow .*, not 'explode'"),
        ("utilsha status", "Unknown command 'utilsha'"),
        ("run sql", "the SELECT statement is missing"),
        ("utils ha failover", "utils ha failover <node>: the node is missing"),
        ("utils ha recover", "the presence redundancy group is missing"),
        ("utils service stop", "the service is missing"),
        ("utils service stop Cisco XCP", "There is no service 'Cisco XCP'"),
        ("utils service stop Cisco XCP Routers", "There is no service"),
        ("utils ha status a b", "'b' is too much"),
        ("show network cluster all", "'all' is too much"),
        ("file list activelog", "the path is missing"),
        ("file get activelog a reltime days 1", "'days' is too much"),
        ("file build log ha", "the number of days is missing"),
        ("utils ha status 'x", "a quotation mark is not closed"),
        ("utils ha status \0", "cannot be printed"),
        ("utils ha status \udc80", "cannot be printed"),
        ("x" * 20_000, "at most 10000 characters"),
    ],
)
def test_anything_else_is_refused_with_the_reason(line: str, rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        parser.parse(line)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", ["exit", "file", "help", "quit", "run", "set", "show", "utils"]),
        ("u", ["utils"]),
        ("U", ["utils"]),
        ("x", []),
        ("utils ", ["core", "dbreplication", "ha", "imdb_replication", "ntp", "service", "system"]),
        ("utils s", ["service", "system"]),
        ("utils ha f", ["failover", "fallback"]),
        ("utils ha failover ", ["imp-pub", "imp-sub"]),
        ("utils ha failover IMP-S", ["imp-sub"]),
        ("utils ha failover imp-sub ", []),
        ("utils ha status d", ["DefaultCUPSubCluster"]),
        ("utils service stop cisco xcp rou", [ROUTER]),
        ("utils service stop Cisco XCP Router ", ["imp-pub", "imp-sub"]),
        ("utils service stop Cisco XCP Router imp-p", ["imp-pub"]),
        ("run sql sel", []),
        ("show perf query counter ", ['"Cisco XCP CM"', '"Cisco Presence Engine"']),
        ('show perf query counter "cisco x', ['"Cisco XCP CM"']),
        ('show perf query counter "Cisco XCP CM" Cm', ["CmConnectedSockets"]),
        ('show perf query counter "Cisco XCP CM" CmConnectedSockets imp-s', ["imp-sub"]),
        ("set cli style f", ["field"]),
        ("file list activelog ", []),
        ("file list activelog epas d", ["detail", "date"]),
        ("file list activelog epas detail imp-s", ["imp-sub"]),
        ("file list activelog epas imp-sub ", []),
        ("set cli session timeout ", []),
        ("show network cluster ", []),
    ],
)
def test_completion(line: str, found: list[str]) -> None:
    candidates = parser.complete(line, names)
    assert [candidate.text for candidate in candidates] == found
    # What is replaced was typed, in whatever case.
    for candidate in candidates:
        typed = line[len(line) - candidate.replaces :]
        assert candidate.text.lower().startswith(typed.lower())


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("", [command.usage for command in COMMANDS]),
        ("?", [command.usage for command in COMMANDS]),
        ("help", [command.usage for command in COMMANDS]),
        (
            "utils system ?",
            [
                "utils system poweron <node>",
                "utils system restart [node]",
                "utils system shutdown [node]",
            ],
        ),
        ("utils ha fa?", ["utils ha failover <node>", "utils ha fallback <node>"]),
        ("help utils ha st", ["utils ha status [group]"]),
        ("utils ha status ?", ["utils ha status [group]"]),
        ("utils ha status Ro", ["utils ha status [group]"]),
        ("nonsense ?", []),
    ],
)
def test_help(line: str, commands: list[str]) -> None:
    text = parser.explain(line)
    assert [usage for command in COMMANDS if (usage := command.usage) in text] == commands
    assert commands or "no such command" in text


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        ("?", True),
        ("help", True),
        ("utils ha ?", True),
        ("utils ha?", True),
        ("run sql ?", True),
        ("", False),
        ("utils ha status", False),
        ("run sql select * from enduser where userid = 'who?", False),
    ],
)
def test_what_asks_for_help(line: str, asks: bool) -> None:
    assert parser.wants_help(line) is asks
