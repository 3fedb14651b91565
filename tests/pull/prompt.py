"""The prompt ``admin:`` of the tests: an SSH server that answers as a test likes, in a thread."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh

from redundancy.pull.sources import SSH, Source

PASSWORD = "Correct-horse-9"
PROMPT = b"\r\nadmin:"
Process = asyncssh.SSHServerProcess[bytes]
# Returns what is printed for a command, or does it itself.
Answer = Callable[[str, Process], Awaitable[bytes]]


class Server(asyncssh.SSHServer):
    """One that lets the password in; ``only_asks``: by the method that asks for it."""

    def __init__(self, only_asks: bool) -> None:
        self._only_asks = only_asks

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return not self._only_asks

    def validate_password(self, username: str, password: str) -> bool:
        return password == PASSWORD

    def kbdint_auth_supported(self) -> bool:
        return self._only_asks

    def get_kbdint_challenge(self, *_: str) -> Any:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        return list(responses) == [PASSWORD]


async def line_of(process: Process) -> str:
    """Return what is typed up to the Enter."""
    typed = b""
    while not typed.endswith(b"\r"):
        more = await process.stdin.read(1)
        if not more:
            raise EOFError
        typed += more
    return typed[:-1].decode()


def shell(answer: Answer) -> Callable[[Process], Awaitable[None]]:
    """Return a shell that echoes each command, and answers it."""

    async def converse(process: Process) -> None:
        try:
            process.stdout.write(b"Command Line Interface is starting up, please wait ...\r\n")
            process.stdout.write(PROMPT)
            while True:
                command = await line_of(process)
                process.stdout.write(command.encode() + b"\r\n")
                process.stdout.write(await answer(command, process) + PROMPT)
        except (EOFError, OSError, asyncssh.Error):
            process.exit(0)

    return converse


@contextmanager
def serving(
    handle: Callable[[Process], Awaitable[None]], folder: Path, *, only_asks: bool = False
) -> Iterator[Source]:
    """Yield how a server is reached that runs in a thread."""
    loop = asyncio.new_event_loop()
    key = asyncssh.generate_private_key("ssh-ed25519")

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: Server(only_asks),
            server_host_keys=[key],
            process_factory=handle,
            encoding=None,
            line_editor=False,
        )

    async def end(server: asyncssh.SSHAcceptor) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(60)
    port = server.get_port()
    hosts = folder / "known_hosts"
    hosts.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
    try:
        yield Source(SSH, "127.0.0.1", "admin", port, known_hosts=str(hosts))
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
