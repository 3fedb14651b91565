"""Who comes in, what each session may do, and what it shows, byte by byte."""

import asyncio
import contextlib
from pathlib import Path

import asyncssh
import pytest
from django.contrib.auth.models import User

from redundancy.models import HaEvent, Machine, RedundancyGroup, SignIn
from redundancy.operations.groups import enable_ha
from redundancy.ssh import shell
from redundancy.ssh.keys import host_keys
from redundancy.ssh.running import _WAITING, Caller, Running
from redundancy.ssh.shell import _AHEAD, Keys
from tests.ssh.conftest import PASSWORD, PROMPT, Play, Site, commands_running

# Commands run in threads, which see only what is committed.
pytestmark = [pytest.mark.django_db(transaction=True)]


def test_the_bytes_of_a_conversation(play: Play, cluster: RedundancyGroup) -> None:
    async def talk(site: Site) -> None:
        async with await site.connect() as connection:
            process = await connection.create_process(term_type="vt100", term_size=(20, 24))
            process.stdin.write(
                "\rrun sql select name, haenabled from enterprisesubcluster\nset cli pagination off\r\nnonsense\rexit\r"
            )
            said = await asyncio.wait_for(process.stdout.read(), 60)
            assert process.exit_status == 0
        assert said == (
            "Command Line Interface is starting up, please wait ...\r\n"
            "\r\n"
            "   Welcome to the Platform Command Line Interface\r\n"
            "\r\n"
            "Lab Installation:\r\n"
            "\tIM and Presence high availability\r\n"
            "\tsimulated nodes, real Server Recovery Manager\r\n"
            "\tnothing here is a vendor's system\r\n"
            "\r\n"
            "\r\nadmin:"
            "\r\nadmin:run sql select name, haenabled from enterprisesubcluster\r\n"
            "name                 haenabled\r\n"
            "==================== =========\r\n"
            "DefaultCUPSubCluster f\r\n"
            "\r\nadmin:set cli pagination off\r\n"
            "Automatic pagination is turned off\r\n"
            "\r\nadmin:nonsense\r\n"
            "Unknown command 'nonsense'. Enter ? for all commands.\r\n"
            "Executed command unsuccessfully\r\n"
            "\r\nadmin:exit\r\n"
        )

    play(talk)


def test_a_wrong_password_is_refused_and_kept_with_the_address(play: Play) -> None:
    async def talk(site: Site) -> None:
        for user, password in (("admin", "wrong"), ("stranger", PASSWORD), ("admin", "")):
            with pytest.raises(asyncssh.PermissionDenied):
                await site.connect(user, password)
        async with await site.connect():
            pass

    play(talk)
    # Of a name that nobody has, only that somebody tried.
    rows = SignIn.objects.order_by("pk").values_list("username", "ok", "address")
    assert ("", False, "127.0.0.1") in rows
    assert ("admin", False, "127.0.0.1") in rows
    assert rows.last() == ("admin", True, "127.0.0.1")


def test_who_guesses_is_told_when_to_try_again(play: Play) -> None:
    said: list[str] = []

    class Guesser(asyncssh.SSHClient):
        def auth_banner_received(self, msg: str, lang: str) -> None:
            said.append(msg)

    async def talk(site: Site) -> None:
        for _ in range(12):
            with contextlib.suppress(asyncssh.PermissionDenied):
                await site.connect("admin", "wrong", client_factory=Guesser)
        # The right one is refused, too, for the time that was said.
        with pytest.raises(asyncssh.PermissionDenied):
            await site.connect(client_factory=Guesser)

    play(talk)
    assert "Too many" in said[-1]


def test_a_user_without_a_role_does_not_come_in(play: Play) -> None:
    User.objects.create_user("nobody", password=PASSWORD)

    async def talk(site: Site) -> None:
        with pytest.raises(asyncssh.PermissionDenied):
            await site.connect("nobody")

    play(talk)


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_each_method_alone_lets_in(play: Play, method: str) -> None:
    async def talk(site: Site) -> None:
        async with await site.connect(preferred_auth=method):
            pass

    play(talk)


def test_no_keys_no_files_no_forwarding_no_command(play: Play) -> None:
    async def talk(site: Site) -> None:
        with pytest.raises(asyncssh.PermissionDenied):
            await site.connect(preferred_auth="publickey")
        async with await site.connect() as connection:
            done = await connection.run("utils ha status")
            assert (done.stdout, done.exit_status) == (
                "This server gives a shell; it runs no command of a request.\r\n",
                1,
            )
            with pytest.raises(asyncssh.Error):
                await connection.start_sftp_client()
            with pytest.raises(asyncssh.Error):
                await connection.open_connection("127.0.0.1", site.port)
            # It would listen for others.
            with pytest.raises(asyncssh.ChannelListenError):
                await connection.start_server(lambda *_: None, "127.0.0.1", 0)

    play(talk)


def test_a_command_of_a_request_where_the_settings_allow_it(
    play: Play, cluster: RedundancyGroup
) -> None:
    async def talk(site: Site) -> None:
        async with await site.connect() as connection:
            done = await connection.run("run sql select name from enterprisesubcluster")
            assert done.stdout.split() == ["name", "=" * 20, "DefaultCUPSubCluster"]
            assert done.exit_status == 0
            failed = await connection.run("nonsense")
            assert failed.exit_status == 1

    play(talk, may_exec=True)


def test_who_may_look_only_changes_nothing(play: Play, cluster: RedundancyGroup) -> None:
    before = HaEvent.objects.count()

    async def talk(site: Site) -> None:
        async with site.shell("looker") as client:
            assert "Cisco XCP Router[STARTED]" in await client.give("utils service list")
            said = await client.give("utils service stop Cisco XCP Router")
            assert "Your role may look at everything and change nothing." in said
            assert said.endswith(f"Executed command unsuccessfully\r\n{PROMPT}")

    play(talk)
    assert HaEvent.objects.count() == before


def test_what_is_done_is_kept_with_user_and_address(play: Play, cluster: RedundancyGroup) -> None:
    async def talk(site: Site) -> None:
        async with site.shell() as client:
            await client.give("utils service stop Cisco SIP Proxy imp-sub")

    play(talk)
    event = HaEvent.objects.latest("pk")
    assert (event.actor, event.address) == ("admin", "127.0.0.1")


def test_a_caution_asks_and_only_yes_goes_on(play: Play, cluster: RedundancyGroup) -> None:
    enable_ha(group=cluster, actor="tester")

    async def talk(site: Site) -> None:
        async with site.shell() as client:
            for answer, ended in (("n", "Nothing was done."), ("\x03", "Nothing was done.")):
                asked = await client.give("utils service stop Cisco XCP Router", "(y/n)?")
                assert asked.endswith("\r\nContinue (y/n)?")
                assert "High Availability of DefaultCUPSubCluster is on." in asked
                assert ended in await client.give(answer)
            await client.give("utils service stop Cisco XCP Router", "(y/n)?")
            assert "Cisco XCP Router[STOPPED]" in await client.give("y")

    play(talk)


def test_the_connection_goes_down_with_the_node_that_was_dialled(
    play: Play, cluster: RedundancyGroup
) -> None:
    async def talk(site: Site) -> None:
        async with site.shell() as client:
            await client.give("utils system shutdown", "(y/n)?")
            assert await client.give("n") == (
                f"n\r\nNothing was done.\r\nExecuted command unsuccessfully\r\n{PROMPT}"
            )
            await client.give("utils system shutdown", "(y/n)?")
            client.process.stdin.write("yes\r")
            assert (await client.rest()).endswith("The system is going down for halt NOW!\r\n")
        # Another node than this one: the conversation goes on.
        async with site.shell() as client:
            await client.give("utils system restart imp-sub", "(y/n)?")
            said = await client.give("yes")
            assert said.endswith(f"The system is going down for reboot NOW!\r\n{PROMPT}")
            assert "Node 1 Name : imp-pub" in await client.give("utils ha status")

    play(talk)
    assert Machine.objects.get(server__name="imp-sub").boots_at is not None
    assert not Machine.objects.get(server__name="imp-pub").powered


def test_the_style_of_a_session(play: Play, cluster: RedundancyGroup) -> None:
    async def talk(site: Site) -> None:
        async with site.shell() as client:
            await client.give("set cli style field")
            assert "\tName: imp-pub\r\n\tState: Unknown\r\n" in await client.give("utils ha status")
        # It ended with the session.
        async with site.shell() as client:
            assert "Node 1 Name : imp-pub" in await client.give("utils ha status")

    play(talk)


def test_help_and_completion_at_a_terminal(play: Play, cluster: RedundancyGroup) -> None:
    async def talk(site: Site) -> None:
        async with site.shell(term="xterm") as client:
            client.process.stdin.write("utils ha fai\t")
            assert await client.read("failover ") == "utils ha failover "
            client.process.stdin.write("imp-s\t\x15utils ha ?")
            assert "utils ha recover <group>" in await client.read("\r\nadmin:utils ha ")
            # What all candidates share is put; the next Tab shows them.
            client.process.stdin.write("\x15utils ha status\r")
            await client.read()
            client.process.stdin.write("utils ha failover i\t")
            assert await client.read("imp-") == "utils ha failover imp-"
            client.process.stdin.write("\t")
            assert "imp-pub  imp-sub\r\n" in await client.read("failover imp-")
            client.process.stdin.write("\x15set cli ?")
            assert "set cli session timeout <minutes>" in await client.read("\r\nadmin:set cli ")
            # In a statement it is a character.
            client.process.stdin.write("\x15")
            select = "run sql select name from enterprisenode where name matches 'imp-??b'"
            said = await client.give(select)
            assert f"{select}\r\n" in said
            assert "imp-pub" in said
            assert "imp-sub" in said

    play(talk)


def test_a_long_command_is_given_up_by_ctrl_c(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.ssh.running.run", endless)

    async def talk(site: Site) -> None:
        async with site.shell() as client:
            await client.give("utils ha status", "line 5\r\n")
            client.process.stdin.write("\x03")
            await client.read()

    play(talk)
    assert commands_running() == 0


def test_a_client_that_vanishes_ends_its_command(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redundancy.ssh.running.run", endless)

    async def talk(site: Site) -> None:
        async with site.shell() as client:
            await client.give("utils ha status", "line 5\r\n")
            client.process.channel.get_connection().abort()
        while commands_running():
            await asyncio.sleep(0.01)

    play(talk)


def test_who_vanishes_at_a_question_has_not_said_yes(play: Play, cluster: RedundancyGroup) -> None:
    async def talk(site: Site) -> None:
        async with site.shell() as client:
            await client.give("utils system shutdown", "(y/n)?")
            client.process.channel.get_connection().abort()
        for _ in range(100):
            if not commands_running():
                break
            await asyncio.sleep(0.05)

    play(talk)
    assert commands_running() == 0
    assert Machine.objects.get(server__name="imp-pub").powered


def endless(*_: object, **__: object) -> object:
    number = 0
    while True:
        number += 1
        made.append(number)
        yield f"line {number}"


made: list[int] = []


def test_a_slow_reader_makes_the_command_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.ssh.running.run", endless)
    made.clear()

    async def read_little() -> None:
        running = Running("x", Caller("admin", "127.0.0.1", may_write=True))
        lines = aiter(running)
        assert await anext(lines) == "line 1"
        while made[-1] < _WAITING:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        running.stop()

    asyncio.run(read_little())
    assert made[-1] <= _WAITING + 2
    assert commands_running() == 0


def test_a_flood_of_keys_is_not_read_on() -> None:
    paused: list[bool] = []

    async def flood() -> None:
        keys = Keys(paused.append)
        for _ in range(3):
            keys.feed("x" * _AHEAD)
        assert paused == [True]
        for _ in range(3 * _AHEAD - _AHEAD // 2 + 2):
            await keys.next()
        assert paused == [True, False]

    asyncio.run(flood())


def test_so_many_sessions_and_no_more(play: Play) -> None:
    async def talk(site: Site) -> None:
        async with site.shell() as first, site.shell():
            async with await site.connect() as connection:
                refused = await connection.run(term_type="dumb")
                assert refused.stdout == "There are 2 sessions already; try again later.\r\n"
                assert refused.exit_status == 1
            first.process.stdin.write("exit\r")
            await first.rest()
            async with site.shell():
                pass

    play(talk, most=2)


def test_fifty_sessions_at_once_are_answered(play: Play, cluster: RedundancyGroup) -> None:
    async def ask(site: Site) -> None:
        async with site.shell("looker") as client:
            assert "Node 2 Name : imp-sub" in await client.give("utils ha status")

    async def talk(site: Site) -> None:
        await asyncio.gather(*(ask(site) for _ in range(50)))

    play(talk)


def test_an_idle_session_is_closed_with_a_word(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "IDLE", 0.3)

    async def talk(site: Site) -> None:
        async with site.shell() as client:
            assert "The session was idle for" in await client.rest()

    play(talk)


def test_the_time_of_idleness_can_be_set(play: Play) -> None:
    async def talk(site: Site) -> None:
        async with site.shell() as client:
            await client.give("set cli session timeout 5", "(y/n)?")
            assert "Nothing was done." in await client.give("n")
            assert "set to 30 minutes" in await client.give("show cli session timeout")
            await client.give("set cli session timeout 5", "(y/n)?")
            assert "The session timeout is set to 5 minutes" in await client.give("y")
            assert "set to 5 minutes" in await client.give("show cli session timeout")
            for wrong in ("0", "x", "100000", "²"):
                said = await client.give(f"set cli session timeout {wrong}")
                assert "from 1 to 99999" in said

    play(talk)


def test_host_keys_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    files = host_keys(tmp_path / "ssh")
    kept = [path.read_bytes() for path in files]
    assert [path.stat().st_mode & 0o777 for path in files] == [0o600, 0o600]
    assert [path.read_bytes() for path in host_keys(tmp_path / "ssh")] == kept
    assert sorted(path.name for path in (tmp_path / "ssh").iterdir()) == [
        "host_ed25519",
        "host_rsa",
    ]
