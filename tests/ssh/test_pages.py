"""Pages of output and of files: where they end, what waits at them, and what frees it."""

import asyncio

import pytest

from redundancy import trace_store
from redundancy.models import RedundancyGroup, Server
from redundancy.traces import collecting
from tests.ssh.conftest import PROMPT, Play, Site, nothing_runs

# Commands run in threads, which see only what is committed.
pytestmark = [pytest.mark.django_db(transaction=True)]
PAGE = "\x1b[1mPress <enter> for 1 line, <space> for one page, or <q> to quit\x1b[0m"
OPTIONS = "options: q=quit, n=next, p=prev, b=begin, e=end"


def test_pages_and_the_rest_that_is_dropped(play: Play, cluster: RedundancyGroup) -> None:
    async def talk(site: Site) -> None:
        async with site.shell(rows=10) as client:
            first = await client.give("utils service list", PAGE)
            assert first.count("\r\n") == 1 + 9
            one = await client.give("", PAGE)
            assert one.startswith("\r\x1b[K")
            assert one.count("\r\n") == 1
            client.process.stdin.write("q")
            assert await client.read() == f"\r\x1b[K{PROMPT}"
            client.process.channel.change_terminal_size(80, 100)
            assert PAGE not in await client.give("utils service list")

    play(talk)


def test_a_page_ends_inside_a_table(play: Play, cluster: RedundancyGroup) -> None:
    line = "run sql select first 30 userid, currentnodeid from enduser order by userid"

    async def talk(site: Site) -> None:
        async with site.shell(rows=10) as client:
            said = await client.give(line, PAGE)
            for _ in range(2):
                client.process.stdin.write(" ")
                said += await client.read(PAGE)
            client.process.stdin.write("\r")
            said += await client.read(PAGE)
            client.process.stdin.write(" ")
            said += await client.read()
            await client.give("set cli pagination off")
            whole = await client.give(line)
        # With the questions taken out the pages are the table, row by row.
        assert said.count(PAGE) == 4
        assert said.replace(f"{PAGE}\r\x1b[K", "") == whole
        assert len(whole.splitlines()) == 1 + 2 + 30 + 2

    play(talk)


def test_a_script_that_forgets_to_switch_pages_off_hangs_and_can_be_freed(
    play: Play, cluster: RedundancyGroup
) -> None:
    async def talk(site: Site) -> None:
        async with site.shell(rows=24) as client:
            for key in ("q", "\x03"):
                await client.give("utils service list", PAGE)
                # What it types now is no command, and no key that goes on.
                client.process.stdin.write("show")
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.process.stdout.read(1), 0.5)
                client.process.stdin.write(key)
                assert await client.read() == f"\r\x1b[K{PROMPT}"
            assert "Node 1 Name : imp-pub" in await client.give("utils ha status")

    play(talk)


def test_a_file_is_looked_through(play: Play, cluster: RedundancyGroup) -> None:
    trace = [f"2026-05-13 02:48:{second:02},244 INFO line {second}" for second in range(27)]
    trace_store.append({Server.objects.get(name="imp-pub").pk: trace})

    async def talk(site: Site) -> None:
        # It has pages of its own: those of other output do not come between.
        async with site.shell(rows=10) as client:
            view = "file view activelog epas/trace/srm/log4j/srm.log"
            first = await client.give(view, " :")
            shown = "\r\n".join([*trace[:20], f"{OPTIONS} (lines 1 - 20 of 27) :"])
            assert first == f"{view}\r\n{shown}"
            client.process.stdin.write("xn")
            assert await client.read("7) :") == "\r\n" + "\r\n".join(
                [
                    *trace[20:],
                    "",
                    "end of the file reached",
                    f"{OPTIONS} (lines 21 - 27 of 27) :",
                ]
            )
            client.process.stdin.write("q")
            assert await client.read() == f"\r\n{PROMPT}"
            # An Enter with the key is no empty line; Ctrl-C leaves, too.
            for key in ("q\r", "\x03"):
                await client.give(view, " :")
                client.process.stdin.write(key)
                assert await client.read() == f"\r\n{PROMPT}"
                said = await client.give("show cli pagination")
                assert said == f"show cli pagination\r\nAutomatic Pagination : On.\r\n{PROMPT}"
            # Who vanishes there leaves nothing behind.
            await client.give(view, " :")
            client.process.channel.get_connection().abort()
        await nothing_runs()

    play(talk)


def test_a_wait_is_given_up_by_ctrl_c(
    play: Play, cluster: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody works on it.
    monkeypatch.setattr(collecting.collect, "delay", lambda *_: None)
    # Longer than the test waits.
    monkeypatch.setattr("redundancy.cli.files._LOOK_EVERY", 600.0)
    monkeypatch.setattr("redundancy.cli.files._BUILD", 6000.0)

    async def talk(site: Site) -> None:
        async with site.shell() as client:
            await client.give("file build log ha 1", "please wait\r\n")
            client.process.stdin.write("\x03")
            assert await client.read() == PROMPT
            await nothing_runs()

    play(talk)


def test_a_command_of_a_request_shows_a_file_whole(play: Play, cluster: RedundancyGroup) -> None:
    trace = [f"2026-05-13 02:48:{second:02},244 INFO line {second}" for second in range(27)]
    trace_store.append({Server.objects.get(name="imp-pub").pk: trace})

    async def talk(site: Site) -> None:
        async with await site.connect() as connection:
            done = await connection.run("file view activelog epas/trace/srm/log4j/srm.log")
            assert done.stdout == "\r\n".join([*trace, "", "end of the file reached", ""])

    play(talk, may_exec=True)
