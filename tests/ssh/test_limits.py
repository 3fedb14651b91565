"""What one client can cost: connections, sessions, memory, and the time of a thread."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator

import asyncssh
import pytest

from redundancy.ssh import server, shell
from redundancy.ssh.server import CHANNELS, WINDOW
from redundancy.ssh.shell import _AHEAD
from tests.ssh.conftest import PATIENCE, Play, Site, commands_running

pytestmark = [pytest.mark.django_db(transaction=True)]


async def until(done: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(PATIENCE):
        while not done():
            await asyncio.sleep(0.02)


async def at_rest(look: Callable[[], int]) -> int:
    """Return what is seen when it has not changed for a while."""
    last, same = look(), 0
    async with asyncio.timeout(PATIENCE):
        while same < 20:
            await asyncio.sleep(0.02)
            now = look()
            last, same = now, same + 1 if now == last else 0
    return last


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every command print for ever; the number of lines so far."""
    count = [0]

    def endless(*_: object, **__: object) -> Iterator[str]:
        for number in itertools.count():
            count[0] = number
            yield "x" * 1000

    monkeypatch.setattr("redundancy.ssh.running.run", endless)
    return count


def not_read(
    then: Callable[[Site, "asyncssh.SSHClientProcess[str]"], Awaitable[None]],
) -> Callable[[Site], Awaitable[None]]:
    """Give a command and read none of what it prints."""

    async def talk(site: Site) -> None:
        async with await site.connect() as connection:
            # One page holds all of it: the test is not about waiting at pages.
            process = await connection.create_process(
                term_type="dumb", term_size=(80, 1_000_000), window=32_768
            )
            process.stdin.write("utils ha status\r")
            await then(site, process)

    return talk


def test_who_reads_nothing_gets_no_more_made(play: Play, printed: list[int]) -> None:
    async def then(site: Site, process: "asyncssh.SSHClientProcess[str]") -> None:
        await until(lambda: printed[0] > 0)
        # Lines of 1,000 bytes: those that wait to be printed, and what is buffered on the way.
        assert await at_rest(lambda: printed[0]) < 500 + 1000

    play(not_read(then))
    assert commands_running() == 0


def test_who_reads_nothing_for_long_is_cut_off(
    play: Play,
    printed: list[int],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(shell, "IDLE", 0.5)

    async def then(site: Site, process: "asyncssh.SSHClientProcess[str]") -> None:
        async with asyncio.timeout(PATIENCE):
            await process.channel.get_connection().wait_closed()
        await until(lambda: commands_running() == 0)

    with caplog.at_level(logging.WARNING):
        play(not_read(then))
    assert "A session of admin took nothing of what was printed" in caplog.text


@pytest.mark.parametrize("where", ["at a page", "at a question"])
def test_idleness_counts_at_pages_and_questions(
    play: Play, printed: list[int], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(shell, "IDLE", 0.5)
    line = {"at a page": "utils ha status", "at a question": "set cli session timeout 5"}[where]

    async def talk(site: Site) -> None:
        async with site.shell(rows=5) as client:
            client.process.stdin.write(f"{line}\r")
            assert (await client.rest()).endswith(
                "\r\nThe session was idle for 0.00833333 minutes and is closed.\r\n"
            )

    play(talk)
    assert commands_running() == 0


def test_a_flood_of_bytes_stays_with_who_sends_it(play: Play, printed: list[int]) -> None:
    flood = 4_000_000

    async def then(site: Site, process: "asyncssh.SSHClientProcess[str]") -> None:
        await until(lambda: printed[0] > 0)
        await at_rest(lambda: printed[0])
        # Nobody takes keys while a command runs.
        process.stdin.write("x" * flood)
        left = await at_rest(process.channel.get_write_buffer_size)
        assert left >= flood - _AHEAD - 2 * WINDOW
        process.channel.get_connection().abort()

    play(not_read(then))


def test_channels_of_one_connection(play: Play) -> None:
    async def talk(site: Site) -> None:
        async with await site.connect() as connection:
            first = [await connection.create_process() for _ in range(CHANNELS)]
            with pytest.raises(asyncssh.ChannelOpenError, match="Session refused"):
                await connection.create_process()
            first[0].stdin.write("exit\r")
            await first[0].wait()
            await connection.create_process()

    play(talk)


def test_strangers_are_few_and_have_little_time(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_STRANGERS", 2)
    monkeypatch.setattr(server, "_GRACE", 1)

    async def talk(site: Site) -> None:
        callers = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(3)]
        greeted = [await reader.read(4) for reader, _ in callers]
        assert greeted.count(b"SSH-") == 3
        # One more than sessions and strangers may be.
        reader, late = await asyncio.open_connection("127.0.0.1", site.port)
        async with asyncio.timeout(PATIENCE):
            assert await reader.read() == b""
            # Who does not sign in in time makes room.
            for reader, _ in callers:
                await reader.read()
        for writer in (late, *(writer for _, writer in callers)):
            writer.close()
        async with site.shell():
            pass

    play(talk, most=1)
