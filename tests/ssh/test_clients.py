"""What people reach the prompt with, as processes of its own environment, against the running system."""

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import redis

from cucm_admin.stack.run import BASE_DIR
from tests.live.lab import Lab, running
from tests.ready import Ready
from tests.ssh.clients.order import PATIENCE
from tests.ssh.conftest import PASSWORD
from tests.stacks import find_port, own_environment, wait_until

# The first test may have to install the clients.
pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

ENVIRONMENT = Path(".venv/clients")
BANNER = "Command Line Interface is starting up, please wait ..."
SELECT = "run sql select name, haenabled from enterprisesubcluster"
TABLE = [
    "name                 haenabled",
    "==================== =========",
    "DefaultCUPSubCluster f",
]


def missing(reason: str) -> None:
    """Skip; in CI nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter of the clients' environment, which is made once a checkout."""
    lock = BASE_DIR / ".venv" / "clients.making"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        made = subprocess.run(
            ["sh", "cucm_admin/stack/venv.sh", "--in", ENVIRONMENT, "tests/ssh/clients.txt"],
            cwd=BASE_DIR,
            env=os.environ | {"PYTHON": sys.executable},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    if made.returncode:
        missing(f"the clients cannot be installed: {made.stdout.strip()[-300:]}")
    return str(BASE_DIR / ENVIRONMENT / "bin" / "python")


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, given_redis: redis.Redis | None, begun: Ready
) -> Iterator[Lab]:
    """The system with its SSH process, and the sample cluster."""
    folder = tmp_path_factory.mktemp("lab")
    with own_environment(begun.fill(folder / "var"), find_port(), begun.template) as variables:
        variables |= {
            "SSH_PORT": str(find_port()),
            "SSH_NODES": "1",
            "ADMIN_PASSWORD": PASSWORD,
        }
        with running(variables, folder) as made:
            made.ask("sample.load_sample_cluster(actor='')")
            wait_until(lambda: "SSH listens" in made.processes.said("ssh"), PATIENCE)
            yield made
    if given_redis is not None:
        given_redis.flushdb()


Talk = Callable[..., list[str]]


@pytest.fixture
def talk(python: str, lab: Lab) -> Talk:
    """Let a client type lines; return what it got, first the banner or what it makes of it."""

    def with_client(client: str, *lines: str, **order: Any) -> list[str]:
        order |= {
            "port": int(lab.processes.variables["SSH_PORT"]),
            "user": "admin",
            "password": PASSWORD,
            "lines": lines,
        }
        done = subprocess.run(
            [python, "-m", f"tests.ssh.clients.{client}"],
            cwd=BASE_DIR,
            # As in the terminal of a person, whatever this one is.
            env=os.environ | {"TERM": "xterm"},
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
        )
        assert done.returncode == 0, f"{done.stderr[-2000:]}\n{lab.processes.said('ssh')[-2000:]}"
        answers: list[str] = json.loads(done.stdout)
        return answers

    return with_client


@pytest.mark.parametrize("how", ["password", "keyboard-interactive"])
def test_paramiko(talk: Talk, how: str) -> None:
    banner, table, asked, refused = talk(
        "by_paramiko", SELECT, "utils system shutdown imp-sub", "n", how=how
    )
    assert banner.startswith(f"{BANNER}\r\n\r\n   Welcome to the Platform Command Line Interface")
    assert table == f"{SELECT}\r\n" + "".join(f"{line}\r\n" for line in TABLE) + "\r\nadmin:"
    assert asked == "utils system shutdown imp-sub\r\nContinue (y/n)?"
    assert refused.endswith("Executed command unsuccessfully\r\n\r\nadmin:")


def test_paramiko_expect(talk: Talk) -> None:
    banner, off, table, asked, refused = talk(
        "by_expect",
        "set cli pagination off",
        SELECT,
        "utils system shutdown imp-sub",
        "n",
    )
    assert BANNER in banner
    assert off.splitlines()[:2] == ["set cli pagination off", "Automatic pagination is turned off"]
    assert table.splitlines()[:4] == [SELECT, *TABLE]
    assert "Nothing was done." not in asked
    assert "Nothing was done." in refused


@pytest.mark.parametrize("how", ["generic", "linux"])
def test_netmiko(talk: Talk, how: str) -> None:
    prompt, off, table, listed = talk(
        "by_netmiko", "set cli pagination off", SELECT, "utils service list", how=how
    )
    assert prompt == "admin:"
    assert off.strip() == "Automatic pagination is turned off"
    assert table.strip().splitlines() == TABLE
    assert "Cisco XCP Router[STARTED]" in listed.splitlines()


@pytest.mark.parametrize("how", ["password", "keyboard-interactive"])
def test_openssh_at_a_terminal(talk: Talk, how: str) -> None:
    if shutil.which("ssh") is None:
        missing("OpenSSH's client is not installed")
    banner, table, wrong = talk("by_openssh", SELECT, "nonsense", how=how)
    assert BANNER in banner
    assert table.splitlines() == [SELECT, *TABLE]
    assert wrong.splitlines()[2:] == ["Executed command unsuccessfully"]


def test_a_script_goes_from_node_to_node(talk: Talk, lab: Lab) -> None:
    """It asks where the nodes are, and dials each: they were added while the process ran."""
    wait_until(lambda: lab.processes.said("ssh").count("SSH reaches") == 2, PATIENCE)
    _, listed = talk("by_netmiko", "show network cluster", how="generic")
    places = {line.split()[1]: line.split()[0] for line in listed.splitlines() if " cups " in line}
    assert places.keys() == {"imp-pub.example.com", "imp-sub.example.com"}
    for name, host in places.items():
        assert f"SSH reaches {name.partition('.')[0]} at {host} port" in lab.processes.said("ssh")
        _, status = talk("by_netmiko", "show status", how="generic", host=host)
        assert f"Host Name          : {name.partition('.')[0]}" in status.splitlines()


def test_a_process_that_is_killed_harms_nothing(talk: Talk, lab: Lab) -> None:
    """Somebody is asked whether to shut a node down meanwhile."""
    lab.rest()

    async def asked_when_it_dies() -> None:
        async with asyncssh.connect(
            "127.0.0.1",
            int(lab.processes.variables["SSH_PORT"]),
            username="admin",
            password=PASSWORD,
            known_hosts=None,
            client_keys=None,
            config=None,
        ) as connection:
            process = await connection.create_process(term_type="dumb")
            process.stdin.write("utils system shutdown imp-sub\r")
            await asyncio.wait_for(process.stdout.readuntil("(y/n)?"), PATIENCE)
            lab.processes.kill("ssh")
            await asyncio.wait_for(process.wait_closed(), PATIENCE)

    asyncio.run(asked_when_it_dies())
    starts = lab.processes.said("ssh").count("SSH listens")
    lab.processes.start("ssh")
    wait_until(lambda: lab.processes.said("ssh").count("SSH listens") > starts, PATIENCE)
    status = talk("by_paramiko", "utils ha status", how="password")[1]
    assert "Name : imp-sub State: Normal\r\n" in status
    assert lab.ask("breaches()") == []


def test_a_page_ends_inside_a_table(talk: Talk) -> None:
    """A script that forgets to switch pages off waits at the end of the first one, as on the vendor's system."""
    select = "run sql select name from typeservice order by name"
    _, whole = talk("by_paramiko", select, how="password")
    rows = whole.split("\r\n")[1:-2]
    _, first, second, dropped = talk("by_paramiko", select, " ", "q", how="password", rows=8)
    page = "\x1b[1mPress <enter> for 1 line, <space> for one page, or <q> to quit\x1b[0m"
    assert first.split("\r\n")[1:] == [*rows[:7], page]
    assert second.removeprefix("\r\x1b[K").split("\r\n") == [*rows[7:14], page]
    assert dropped == "\r\x1b[K\r\nadmin:"


def test_a_script_sees_a_failover_as_it_goes_on(talk: Talk, lab: Lab) -> None:
    lab.rest()
    before = lab.last_event()
    seen = talk("poll", "utils ha failover imp-pub", how="Idle Running")
    assert seen[0] == "imp-pub Normal Normal, imp-sub Normal Normal"
    # SRM has taken it up when the request is answered.
    assert seen[1] != seen[0]
    assert seen[-1] == "imp-pub Idle On, imp-sub Running On"
    # Each look shows what was the case, and none goes back.
    states = [
        "Normal",
        *(event[3].split()[0] for event in lab.changes(before) if event[2] == "imp-pub"),
    ]
    shown = [look.split()[1] for look in seen]
    assert shown == sorted(shown, key=states.index)
