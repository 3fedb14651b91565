"""A server and its clients in one event loop: real SSH, the database of the test."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from cucm_admin.dialled import Addresses, seen
from redundancy import bus
from redundancy.models import RedundancyGroup
from redundancy.operations.sample import load_sample_cluster
from redundancy.permissions import READ_ONLY, SUPER
from redundancy.selectors.loopback import powered_nodes
from redundancy.ssh.keys import host_keys
from redundancy.ssh.server import House, door, listen

PASSWORD = "Correct-horse-9"
PROMPT = "\r\nadmin:"
# Seconds that an answer may take on a busy machine.
PATIENCE = 60


class Client:
    """A client's session with a shell."""

    def __init__(self, process: "asyncssh.SSHClientProcess[str]") -> None:
        self.process = process

    async def read(self, until: str = PROMPT) -> str:
        """Return what comes up to a text, with it."""
        return await asyncio.wait_for(self.process.stdout.readuntil(until), PATIENCE)

    async def rest(self) -> str:
        """Return what comes until the session ends."""
        return await asyncio.wait_for(self.process.stdout.read(), PATIENCE)

    async def give(self, line: str, until: str = PROMPT, end: str = "\r") -> str:
        """Type a line; return its echo and what follows up to the next prompt, with it."""
        self.process.stdin.write(line + end)
        return await self.read(until)


class Site:
    """A server that runs, and how to reach it."""

    def __init__(self, port: int, addresses: Addresses) -> None:
        self.port = port
        self._addresses = addresses

    async def look(self) -> None:
        """Open and close the addresses of nodes, as the process does from time to time."""
        with ThreadPoolExecutor(1) as thread:
            in_thread = asyncio.get_running_loop().run_in_executor
            await self._addresses.follow(await in_thread(thread, seen, powered_nodes))
            await in_thread(thread, connections.close_all)

    async def connect(
        self,
        user: str = "admin",
        password: str = PASSWORD,
        *,
        host: str = "127.0.0.1",
        **options: Any,
    ) -> Any:
        """Return a connection that has signed in."""
        return await asyncssh.connect(
            host,
            self.port,
            username=user,
            password=password,
            known_hosts=None,
            client_keys=None,
            config=None,
            **options,
        )

    @asynccontextmanager
    async def shell(
        self,
        user: str = "admin",
        *,
        term: str = "dumb",
        rows: int = 200,
        host: str = "127.0.0.1",
    ) -> AsyncIterator[Client]:
        """Open a session, its first prompt read."""
        async with await self.connect(user, host=host) as connection:
            process = await connection.create_process(term_type=term, term_size=(80, rows))
            client = Client(process)
            await client.read()
            yield client


Play = Callable[..., None]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return host_keys(tmp_path_factory.mktemp("ssh"))


@pytest.fixture
def people(transactional_db: None) -> None:
    """An administrator, and somebody who may look only."""
    for name, role in (("admin", SUPER), ("looker", READ_ONLY)):
        user = User.objects.create_user(name, password=PASSWORD)
        user.groups.add(Group.objects.get_or_create(name=role)[0])


@pytest.fixture
def play(keys: list[Path], people: None, valkey: str) -> Play:
    """Run a conversation with a server; ``most`` sessions, ``may_exec`` as the settings say."""
    # Another test's tries to guess a password.
    bus.client().flushdb()

    def run(
        conversation: Callable[[Site], Awaitable[None]], bind: str = "127.0.0.1", **more: Any
    ) -> None:
        house = House(**{"most": 50, **more})

        async def both() -> None:
            with socket.create_server((bind, 0)) as ours:
                async with await listen(ours, keys, house) as server:
                    addresses = Addresses(ours, door(house, keys))
                    await conversation(Site(server.get_port(), addresses))
                    addresses.close()

        asyncio.run(both())

    return run


@pytest.fixture
def cluster(people: None) -> RedundancyGroup:
    return load_sample_cluster(actor="tester")


def commands_running() -> int:
    for thread in threading.enumerate():
        if thread.name == "command":
            thread.join(timeout=0.2)
    return sum(thread.name == "command" for thread in threading.enumerate())


async def nothing_runs() -> None:
    """Wait until no command runs."""
    for _ in range(600):
        if not commands_running():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("a command still runs")
