"""The prompt over SSH: the process that people reach, a client of its own, at one group and at 1,000.

Times are those of the client, its own cryptography included: from the connection, or from Enter, to the prompt.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import asyncssh

from cucm_admin.stack.run import BASE_DIR
from tests.bench.databases import on_each, tell
from tests.bench.figures import Figure, percentile
from tests.stacks import find_port

PART = "ssh"
GROUPS = 1000
GROUP = f"Group-{GROUPS // 2:05}"
CONNECTIONS, COMMANDS, PROCESSES = 20, 100, 5
AIM_PROMPT, AIM_STATUS_MS, AIM_PROCESS, AIM_MB = 1.0, 150.0, 1.0, 90.0
PASSWORD = "Correct-horse-9"
PROMPT = "\r\nadmin:"

Session = Callable[[str], Coroutine[Any, Any, float]]


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.ssh")


@contextmanager
def server(port: int) -> Iterator[int]:
    """Run the SSH process; give its number."""
    # As in make run.
    variables = os.environ | {"SSH_PORT": str(port), "MALLOC_ARENA_MAX": "2"}
    process = subprocess.Popen(
        [sys.executable, "-m", "redundancy.ssh"],
        cwd=BASE_DIR,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "SSH listens" in process.stdout.readline()
        yield process.pid
    finally:
        process.terminate()
        process.wait()


async def first_prompt(port: int) -> float:
    """Sign in, and leave; return the seconds to the first prompt."""
    began = time.perf_counter()
    async with _connection(port) as connection:
        shell = await connection.create_process(term_type="dumb", term_size=(80, 200))
        await shell.stdout.readuntil(PROMPT)
        return time.perf_counter() - began


async def commands(port: int, *lines: str) -> list[float]:
    """Give lines in one session; return the milliseconds that each took."""
    took = []
    async with _connection(port) as connection:
        shell = await connection.create_process(term_type="dumb", term_size=(80, 200))
        await shell.stdout.readuntil(PROMPT)
        for line in ("set cli pagination off", *lines):
            began = time.perf_counter()
            shell.stdin.write(f"{line}\r")
            said = await shell.stdout.readuntil(PROMPT)
            took.append((time.perf_counter() - began) * 1000)
            assert "unsuccessfully" not in said, said
    return took[1:]


def _connection(port: int) -> Any:
    return asyncssh.connect(
        "127.0.0.1",
        port,
        username="admin",
        password=PASSWORD,
        known_hosts=None,
        client_keys=None,
        config=None,
    )


def admincli(line: str) -> float:
    """Carry a command out as a process; return its seconds."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "manage.py", "admincli", line],
        cwd=BASE_DIR,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process, what it shares included."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _spread(seconds: list[float]) -> str:
    return f"p50 {percentile(seconds, 50):.2f} s, p95 {percentile(seconds, 95):.2f} s"


def figures(database: str) -> Iterator[Figure]:
    """Yield the figures of this process's database."""
    from redundancy import bus
    from tests.bench.cost import pss_mb
    from tests.bench.sweep import Lab, enable

    lab, port = Lab(), find_port()
    enable(lab, 1)
    took = [admincli("utils ha status") for _ in range(PROCESSES)]
    held = percentile(took, 50) <= AIM_PROCESS
    yield Figure(
        PART,
        f"{database}, admincli 'utils ha status' as a process, one group",
        _spread(took),
        f"p50 ≤ {AIM_PROCESS:g} s",
        held,
    )
    enable(lab, GROUPS - 1)
    bus.mark_sweep()
    yield Figure(
        PART,
        f"{database}, admincli 'utils ha status' as a process, {GROUPS:,} groups",
        f"{admincli('utils ha status'):.2f} s",
    )
    with server(port) as pid:
        took = [asyncio.run(first_prompt(port)) for _ in range(CONNECTIONS)]
        held = percentile(took, 95) <= AIM_PROMPT
        what = f"{database}, first prompt after connecting"
        yield Figure(PART, what, _spread(took), f"p95 ≤ {AIM_PROMPT:g} s", held)
        bus.mark_sweep()
        took = asyncio.run(commands(port, *[f"utils ha status {GROUP}"] * COMMANDS))
        p50, p95 = percentile(took, 50), percentile(took, 95)
        yield Figure(
            PART,
            f"{database}, utils ha status of one of {GROUPS:,} groups",
            f"p50 {p50:.0f} ms, p95 {p95:.0f} ms",
            f"p95 ≤ {AIM_STATUS_MS:g} ms",
            p95 <= AIM_STATUS_MS,
        )
        asyncio.run(commands(port, "run sql select name from enterprisesubcluster"))
        resident = rss_mb(pid)
        yield Figure(
            PART,
            f"{database}, memory of the process after run sql",
            f"{resident:.0f} MB resident, {pss_mb(pid):.0f} MB PSS",
            f"resident ≤ {AIM_MB:g} MB",
            resident <= AIM_MB,
        )


def main() -> None:
    """Measure in this process."""
    import django

    os.environ["ADMIN_PASSWORD"] = PASSWORD
    django.setup()
    from cucm_admin.stack import prepare
    from tests.bench.sweep import valkey

    with valkey():
        # What it prints is no figure.
        with redirect_stdout(sys.stderr):
            prepare.main([])
        tell(figures(sys.argv[1]))


if __name__ == "__main__":
    main()
