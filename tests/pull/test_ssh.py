"""The client of the prompt ``admin:``, against a server that does as it likes."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from redundancy.pull import ssh
from redundancy.pull.pulling import pull
from redundancy.pull.sources import SSH, PullFailed, Source, Time
from redundancy.srm.words import english
from redundancy.ssh import pager
from tests.pull.prompt import PASSWORD, PROMPT, Process, line_of, serving, shell


def refusal(source: Source, seconds: float = 60, commands: tuple[str, ...] = ("show x",)) -> str:
    with pytest.raises(PullFailed) as failed:
        ssh.ask(source, PASSWORD, Time(seconds), commands)
    return english(failed.value.rule)


async def fine(command: str, _: Process) -> bytes:
    return f"this is {command}\r\n".encode()


@pytest.mark.parametrize("only_asks", [False, True])
def test_commands_are_typed_one_by_one_and_all_that_comes_is_kept(
    only_asks: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(shell(fine), tmp_path, only_asks=only_asks) as source:
        ((name, data),) = ssh.ask(source, PASSWORD, Time(60), ("show a", "show b"))
    assert name == "127.0.0.1.ssh.txt"
    assert data.endswith(
        b"\r\nadmin:show a\r\nthis is show a\r\n\r\nadmin:show b\r\nthis is show b\r\n\r\nadmin:"
    )
    assert PASSWORD not in caplog.text
    assert PASSWORD.encode() not in data


def test_pages_are_turned_and_questions_are_answered_by_no(tmp_path: Path) -> None:
    typed: list[bytes] = []

    async def answer(command: str, process: Process) -> bytes:
        for question, length in ((pager.PROMPT, 1), (pager.PROMPT, 1), ("Continue (y/n)?", 2)):
            process.stdout.write(f"one line\r\n{question}".encode())
            typed.append(await process.stdin.readexactly(length))
        return b"\r\nlast\r\n"

    with serving(shell(answer), tmp_path) as source:
        ((_, data),) = ssh.ask(source, PASSWORD, Time(60), ("show a", "show b"))
    assert typed == [b" ", b" ", b"n\r"] * 2
    assert data.count(b"last") == 2


def test_a_session_that_ends_early_tells_nothing(tmp_path: Path) -> None:
    async def leave(command: str, process: Process) -> bytes:
        process.stdout.write(b"half of it")
        raise EOFError

    with serving(shell(leave), tmp_path) as source:
        assert refusal(source) == "Host: 127.0.0.1 ended the session before it was over."


def test_a_slow_one_is_left_when_the_time_is_over(tmp_path: Path) -> None:
    async def drip(command: str, process: Process) -> bytes:
        for _ in range(3_000):
            process.stdout.write(b".")
            await process.stdout.drain()
            await asyncio.sleep(0.02)
        return b""

    began = time.monotonic()
    with serving(shell(drip), tmp_path) as source:
        assert refusal(source, 3) == "Host: it was not over after 3 seconds."
    assert time.monotonic() - began < 40


def test_an_answer_that_is_too_large_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "LARGEST", 1024 * 1024)

    async def huge(command: str, process: Process) -> bytes:
        for _ in range(1_000):
            process.stdout.write(b"x" * 65_536)
            await process.stdout.drain()
        return b""

    with serving(shell(huge), tmp_path) as source:
        assert refusal(source) == "Host: its answers must not be larger than 1 MB together."


def test_a_statement_that_is_not_carried_out_fails_all(tmp_path: Path) -> None:
    async def no(command: str, _: Process) -> bytes:
        return b"The specified table (enduser) is not in the database.\r\nExecuted command unsuccessfully\r\n"

    with serving(shell(no), tmp_path) as source:
        # What the product does not have is not told.
        assert ssh.ask(source, PASSWORD, Time(60), ("utils ha status",))
        rule = refusal(source, commands=("run sql select 1 from x",))
    assert rule == (
        "Host: 127.0.0.1 does not carry out run sql select 1 from x: "
        "The specified table (enduser) is not in the database."
    )


def test_an_answer_of_another_command_is_noticed(tmp_path: Path) -> None:
    async def converse(process: Process) -> None:
        process.stdout.write(PROMPT)
        await line_of(process)
        # A line that looks like the prompt, and then the rest.
        process.stdout.write(b"something else\r\n" + PROMPT)
        await process.stdin.read(1)

    with serving(converse, tmp_path) as source:
        assert "shows something else than what is typed" in refusal(source)


def test_a_server_without_ssh_is_told(tmp_path: Path) -> None:
    rules: list[str] = []

    async def listen() -> None:
        async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(hello, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        source = Source(SSH, "127.0.0.1", "admin", port, known_hosts="/dev/null")
        rules.append(await asyncio.to_thread(refusal, source))
        server.close()

    asyncio.run(listen())
    assert rules[0].startswith("Host: the session with 127.0.0.1 broke: ")


def test_a_list_of_host_keys_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(PullFailed) as failed:
        pull(Source(SSH, "127.0.0.1", "admin", 22, known_hosts=str(path)), PASSWORD)
    rule = f"Known hosts: {path} cannot be used: No such file or directory."
    assert english(failed.value.rule) == rule
