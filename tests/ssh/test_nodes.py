"""SSH_NODES: which node a session is on goes by the address that was dialled."""

import socket

import pytest
from django.conf import settings

from redundancy.models import Machine, RedundancyGroup, Server, ServerType
from redundancy.operations.power import shut_down
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.selectors.loopback import RANGE, loopback_of, node_at, powered_nodes
from redundancy.selectors.servers import ipv4_of
from tests.ssh.conftest import Play, Site

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cluster(people: None) -> RedundancyGroup:
    return load_sample_cluster(actor="tester")


def address(name: str) -> str:
    made = loopback_of(Server.objects.get(name=name).pk)
    assert made is not None
    return made


def test_an_address_is_that_of_one_node() -> None:
    assert [loopback_of(key) for key in (1, 256, 4_194_303)] == [
        "127.64.0.1",
        "127.64.1.0",
        "127.127.255.255",
    ]
    assert loopback_of(RANGE.num_addresses) is None
    assert [node_at(f"{loopback_of(key)}") for key in (1, 70_000)] == [1, 70_000]
    assert node_at("::ffff:127.64.0.7") == 7
    assert [node_at(other) for other in ("127.0.0.1", "127.63.255.255", "10.0.0.1", "::1")] == [
        None
    ] * 4


def test_this_node_is_the_one_that_was_dialled(play: Play, cluster: RedundancyGroup) -> None:
    pub, sub = address("imp-pub"), address("imp-sub")

    async def talk(site: Site) -> None:
        await site.look()
        for host, name in ((pub, "imp-pub"), (sub, "imp-sub"), ("127.0.0.1", "imp-pub")):
            async with site.shell(host=host) as client:
                for command in ("show status", "utils service list"):
                    assert f": {name}\r\n" in await client.give(command)
        async with site.shell(host=sub) as client:
            assert ": imp-pub\r\n" in await client.give("show status imp-pub")

    play(talk, by_node=True)


def test_without_the_setting_it_is_the_publisher(play: Play, cluster: RedundancyGroup) -> None:
    sub = address("imp-sub")

    async def talk(site: Site) -> None:
        async with site.shell(host=sub) as client:
            assert ": imp-pub\r\n" in await client.give("show status")

    play(talk, bind="0.0.0.0")


def test_a_node_without_power_is_reached_by_nobody(play: Play, cluster: RedundancyGroup) -> None:
    pub, sub = address("imp-pub"), address("imp-sub")

    async def talk(site: Site) -> None:
        await site.look()
        async with site.shell(host=sub) as gives, site.shell(host=sub) as other:
            await gives.give("utils system shutdown", "(y/n)?")
            gives.process.stdin.write("yes\r")
            assert (await gives.rest()).endswith("The system is going down for halt NOW!\r\n")
            # Until the process looks, who comes is told.
            async with await site.connect(host=sub) as connection:
                told = await connection.run(term_type="dumb")
                assert told.stdout == "imp-sub has no power; it does not answer.\r\n"
                assert told.exit_status == 1
            await site.look()
            assert await other.rest() == ""
        with pytest.raises(ConnectionRefusedError):
            await site.connect(host=sub)
        async with site.shell(host=pub) as client:
            await client.give("utils system poweron imp-sub")
        await site.look()
        async with site.shell(host=sub):
            pass

    play(talk, by_node=True)
    assert Machine.objects.get(server__name="imp-pub").powered


def test_where_all_addresses_are_listened_on_none_is_opened(
    play: Play, cluster: RedundancyGroup, caplog: pytest.LogCaptureFixture
) -> None:
    sub = address("imp-sub")
    shut_down(server=Server.objects.get(name="imp-pub"), actor="tester")
    off = address("imp-pub")

    async def talk(site: Site) -> None:
        await site.look()
        async with site.shell(host=sub) as client:
            assert ": imp-sub\r\n" in await client.give("show status")
        for host, why in (
            (off, "imp-pub has no power; it does not answer.\r\n"),
            ("127.100.0.1", "There is no such node.\r\n"),
        ):
            async with await site.connect(host=host) as connection:
                assert (await connection.run(term_type="dumb")).stdout == why

    play(talk, bind="0.0.0.0", by_node=True)
    assert "does not reach" not in caplog.text


def test_a_node_that_is_deleted_meanwhile(play: Play, cluster: RedundancyGroup) -> None:
    lone = add_server(name="imp-3", server_type=ServerType.IMP, actor="tester")
    host = address("imp-3")

    async def talk(site: Site) -> None:
        await site.look()
        async with site.shell(host=host) as client:
            await asyncio_delete(lone)
            assert "This node was deleted.\r\n" in await client.give("show status")

    play(talk, by_node=True)


async def asyncio_delete(server: Server) -> None:
    await Server.objects.filter(pk=server.pk).adelete()


def test_a_busy_address_is_told_once_and_tried_again(
    play: Play, cluster: RedundancyGroup, caplog: pytest.LogCaptureFixture
) -> None:
    pub, sub = address("imp-pub"), address("imp-sub")

    async def talk(site: Site) -> None:
        with socket.create_server((sub, site.port)):
            await site.look()
            await site.look()
            async with site.shell(host=pub):
                pass
        await site.look()
        async with site.shell(host=sub):
            pass

    play(talk, by_node=True)
    told = [record.getMessage() for record in caplog.records if "does not reach" in record.message]
    assert len(told) == 1
    assert told[0].startswith(f"SSH does not reach imp-sub at {sub}: SSH_NODES: ")


def test_so_many_addresses_and_no_more(cluster: RedundancyGroup) -> None:
    assert [name for _, name in powered_nodes(1)] == ["imp-pub"]


def test_programs_are_told_where_a_node_is_dialled(
    cluster: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub = Server.objects.get(name="imp-sub")
    assert ipv4_of(sub).startswith("10.")
    monkeypatch.setattr(settings, "SSH_NODES", True)
    assert ipv4_of(sub) == address("imp-sub")
    sub.ipv4_address = "192.0.2.7"
    assert ipv4_of(sub) == "192.0.2.7"
