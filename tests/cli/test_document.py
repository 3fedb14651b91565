"""docs/cli.md: every command is there, every one in it can be given, and its examples are true."""

import re
from pathlib import Path

import pytest

import redundancy.tasks  # noqa: F401 - it says which command line writes the outputs of a collection
from cucm_admin.stack.run import BASE_DIR
from redundancy.cli import commands, parser
from redundancy.cli.grammar import Session, Style
from redundancy.cli.run import run
from redundancy.models import NodeRuntime, RedundancyGroup
from redundancy.rehearsal.actions import FAULTS, Verb
from redundancy.sql.dialect import FUNCTIONS
from redundancy.sql.relations import LOGIN_COLUMNS, RELATIONS
from redundancy.srm.states import NUMBERS, SHORT, State
from redundancy.traces import collecting
from tests.cli.conftest import Cli, settle
from tests.docs.documents import DOCUMENTS, code, table

pytestmark = pytest.mark.django_db

DOCUMENT = BASE_DIR / "docs" / "cli.md"
TEXT = DOCUMENT.read_text()
VALUES = {
    "group": "DefaultCUPSubCluster",
    "node": "imp-pub",
    "service": "Cisco XCP Router",
    "object": '"Cisco XCP CM"',
    "counter": "CmConnectedSockets",
    "minutes": "45",
    "days": "1",
    "path": "epas/trace/srm/log4j/srm.log",
    "options": "",
    "select ...": "select * from enterprisenode",
}
# A network service is always activated.
FEATURE = {
    "utils service activate": "Cisco XCP Message Archiver",
    "utils service deactivate": "Cisco SIP Proxy",
}
# What must have happened before a command can be carried out.
BEFORE = {"utils ha fallback": "utils ha failover imp-pub"}


def usages() -> list[str]:
    """The commands of the document's table as the program writes them."""
    found = []
    for cell, _does in table(DOCUMENT, "## Commands"):
        usage = cell.strip("`").replace(" select ...", " <select ...>")
        several = re.search(r"\w+(?:\|\w+)+", usage)
        words = several[0].split("|") if several else [""]
        found += [usage.replace(several[0], word) if several else usage for word in words]
    return found


def examples() -> list[tuple[str, list[str]]]:
    """Each command line in a block of code, and the output that is shown below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL):
        prompt = False
        for line in block.splitlines():
            if given := re.match(r'admin: (.+)|python manage\.py admincli "(.+?)"', line):
                prompt = given[1] is not None
                found.append((given[1] or given[2], []))
            elif prompt:
                found[-1][1].append(line)
    return found


@pytest.fixture
def working(normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    """A pair whose SRM works while a command waits for it."""
    monkeypatch.setattr(commands, "sleep", lambda _: settle())
    monkeypatch.setattr(collecting.collect, "delay", lambda *args: collecting.collect(*args))
    return normal


def test_every_command_is_in_the_document() -> None:
    assert sorted(usages()) == sorted(command.usage for command in commands.COMMANDS)


@pytest.mark.parametrize("usage", usages())
def test_every_command_of_the_document_can_be_given(
    usage: str, cli: Cli, working: RedundancyGroup
) -> None:
    words = re.split(" [<[]", usage)[0]
    if words in BEFORE:
        assert cli(BEFORE[words]).code == 0
    if words == "utils ha recover":
        NodeRuntime.objects.update(state=State.FAILED)
    values = VALUES | ({"service": FEATURE[words]} if words in FEATURE else {})
    if words == "run pe sql ttlogin":
        values = values | {"select ...": "select * from clientsessions"}
    line = re.sub(r"[<[]([^]>]+)[]>]", lambda match: values[match[1]], usage)
    if words.split()[1] == "cli":
        # The command line of a terminal has neither pages nor an end.
        session = Session(Style.GUIDE, paged=True, idle=60.0)
        assert list(run(line, actor="ann", warn=pytest.fail, session=session))
        return
    shown = cli(line)
    # It says where files are, and sends nothing.
    code = 1 if words == "file get activelog" else 0
    assert (shown.code, bool(shown.lines)) == (code, True), shown.errors


def test_there_are_examples() -> None:
    assert [line for line, output in examples() if output] != []


@pytest.mark.parametrize(("line", "output"), examples())
def test_an_example_shows_what_is_printed(
    line: str,
    output: list[str],
    cli: Cli,
    normal: RedundancyGroup,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first state after the request, as a lab whose sweep runs shows it, depends on the moment.
    def without_states(lines: list[str]) -> list[str]:
        return [re.sub("State: .*", "State:", text) for text in lines]

    monkeypatch.setattr(commands, "_TAKE_UP", 0)
    shown = cli(line)
    assert shown.code == 0, shown.errors
    assert without_states(shown.lines) == without_states(output) or not output
    for state in re.findall(r"State: (.*?)(?: Reason:|$)", "\n".join(output), flags=re.MULTILINE):
        assert state in {*SHORT.values(), *State}


@pytest.mark.parametrize(("cell", "columns"), table(DOCUMENT, "## run sql"))
def test_a_table_has_the_columns_of_the_document(
    cell: str, columns: str, cli: Cli, cluster: RedundancyGroup
) -> None:
    [name] = re.findall(r"^`(\w+)`", cell)
    shown = cli(f"run sql select * from {name}")
    assert (shown.lines[0].split(), shown.code) == (re.findall(r"`(\w+)`", columns), 0)


def test_the_login_datastore_has_the_columns_of_the_document() -> None:
    [row] = re.findall(r"^\| `clientsessions` \| (.*) \|$", TEXT, flags=re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", row)) == LOGIN_COLUMNS["clientsessions"]


def test_all_of_sql_is_in_the_document() -> None:
    tables = [re.findall(r"`(\w+)`", cell)[0] for cell, _ in table(DOCUMENT, "## run sql")]
    assert sorted(tables) == sorted(RELATIONS)
    [functions] = re.findall(r"the functions `([^`]+)`", TEXT)
    assert sorted(functions.split()) == sorted(FUNCTIONS)
    [numbers] = re.findall(r"^`tkhaserverstate`: (.*?);", TEXT, flags=re.MULTILINE | re.DOTALL)
    written = dict(re.findall(r"(\d+) ([^,]+)", " ".join(numbers.split())))
    assert written.pop("12") == "the SRM does not respond"
    assert written == {str(number): state.value for state, number in NUMBERS.items()}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_commands_in_any_document_are_known(path: Path) -> None:
    first = {command.words[0] for command in commands.COMMANDS}
    for span in code(path):
        if (
            span not in {*Verb, *FAULTS}
            and span.split()[:1]
            and span.split()[0] in first
            and "|" not in span
        ):
            assert "no such command" not in parser.explain(span), span
