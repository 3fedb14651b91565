"""The SSH process by itself, and in the whole system, as the Procfile has it."""

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest

from cucm_admin.stack.run import BASE_DIR
from tests.stacks import Stack, find_port, wait_until

pytestmark = pytest.mark.process
PASSWORD = "Correct-horse-9"


async def state_of(port: int) -> str:
    """Return what `utils ha status` says, or what there was instead."""
    async with asyncssh.connect(
        "127.0.0.1", port, username="admin", password=PASSWORD, known_hosts=None, client_keys=None
    ) as connection:
        process = await connection.create_process(term_type="dumb")
        process.stdin.write("utils ha status\rexit\r")
        return str(await asyncio.wait_for(process.stdout.read(), 60))


def test_it_is_part_of_the_system_and_starts_again_when_it_is_killed(
    process_env: dict[str, str], tmp_path: Path
) -> None:
    port = find_port()
    stack = Stack(
        process_env | {"SSH_PORT": str(port), "ADMIN_PASSWORD": PASSWORD}, tmp_path / "log"
    )
    try:
        stack.wait_for("Ready: ")
        wait_until(lambda: "SSH listens" in stack.text, 60)
        assert "There is no presence redundancy group yet." in asyncio.run(state_of(port))
        first = stack.children()["ssh"]
        subprocess.run(["kill", "-9", str(first)], check=True)
        wait_until(lambda: stack.children().get("ssh") not in {None, first}, 60)
        # The port was open all the time: who comes meanwhile waits.
        assert "There is no presence redundancy group yet." in asyncio.run(state_of(port))
        keys = [path.stat().st_mode & 0o777 for path in (tmp_path / "var" / "ssh").iterdir()]
        assert keys == [0o600, 0o600]
    finally:
        stack.stop()


def test_it_loads_only_what_it_needs(process_env: dict[str, str]) -> None:
    """What it must not load takes 20 MB, of the 90 that it may have."""
    code = (
        "import sys, django; django.setup(); import redundancy.ssh.server; "
        "print(*sorted({'celery', 'kombu', 'sqlglot', 'prompt_toolkit', 'redundancy.admin', 'redundancy.views.signin', 'apprise'} & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=BASE_DIR,
        env=process_env | {"DJANGO_SETTINGS_MODULE": "cucm_admin.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == []


def test_alone_it_needs_its_port_and_ends_in_order(
    db: None, process_env: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "redundancy.ssh"]
    port = find_port()
    env = process_env | {"SSH_PORT": str(port)}
    with socket.create_server(("127.0.0.1", port)):
        refused = subprocess.run(
            command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=60
        )
    assert refused.returncode == 1
    assert refused.stderr == f"SSH_PORT: {port} is in use by another program; choose another one\n"
    log = tmp_path / "alone"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=BASE_DIR, env=env, stdout=out) as alone,
    ):
        wait_until(lambda: f"SSH listens on port {port}" in log.read_text(), 60)
        alone.send_signal(signal.SIGTERM)
        assert alone.wait(timeout=30) == 0
