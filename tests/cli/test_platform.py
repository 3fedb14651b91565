"""What health checks of scripts ask of the platform below."""

import re

import pytest

from redundancy.models import RedundancyGroup, Server
from redundancy.operations import power
from redundancy.operations.servers import add_server
from redundancy.selectors.servers import ipv4_of
from tests.cli.conftest import Cli

pytestmark = pytest.mark.django_db


def test_show_network_cluster(cli: Cli, cluster: RedundancyGroup) -> None:
    """A line for each server: its IPv4 address first, and at least seven words."""
    Server.objects.filter(name="imp-sub").update(ipv4_address="192.0.2.7", domain="example.com")
    for name in ("192.0.2.9", "cucm-sub"):
        add_server(name=name, server_type="cucm", actor="tester")
    power.power_off(server=Server.objects.get(name="imp-pub"), actor="tester")
    pub, sub, first, second = (
        next(line for line in cli("show network cluster").lines if f" {host} " in line)
        for host in ("imp-pub", "imp-sub", "192.0.2.9", "cucm-sub")
    )
    made = ipv4_of(Server.objects.get(name="imp-pub"))
    assert re.fullmatch(r"10\.\d+\.\d+\.\d+", made)
    assert pub == f"{made} imp-pub.example.com imp-pub Publisher cups DBPub not authenticated"
    using = r"using TCP since \w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}"
    start = "192.0.2.7 imp-sub.example.com imp-sub Subscriber cups DBSub authenticated "
    assert re.fullmatch(re.escape(start) + using, sub)
    assert first == "192.0.2.9 192.0.2.9 192.0.2.9 Publisher callmanager DBPub authenticated"
    assert second.split()[2:] == ["cucm-sub", "Subscriber", "callmanager", "DBSub", "authenticated"]


def test_show_status(cli: Cli, cluster: RedundancyGroup) -> None:
    text = "\n".join(cli("show status imp-sub").lines)
    assert re.search(r"^Host Name +: imp-sub$", text, re.MULTILINE)
    assert re.search(r"up 0 days, \d+:\d\d", text)


def test_show_version(cli: Cli, cluster: RedundancyGroup) -> None:
    Server.objects.filter(name="imp-sub").update(version="15.0.1.12900-161")
    assert cli("show version active imp-sub").lines[0] == "Active Master Version: 15.0.1.12900-161"
    nothing = ["There is no version installed on the inactive side."]
    assert cli("show version inactive").lines == nothing


def test_replication_of_the_databases_in_memory(cli: Cli, cluster: RedundancyGroup) -> None:
    assert cli("utils imdb_replication status").lines == [
        "imp-pub -> imp-sub: replicating",
        "imp-sub -> imp-pub: replicating",
    ]
    power.power_off(server=Server.objects.get(name="imp-sub"), actor="tester")
    assert cli("utils imdb_replication status").lines[0] == "imp-pub -> imp-sub: not reachable"


@pytest.mark.parametrize(
    "line",
    [
        "show status",
        "show version active",
        "utils ntp status",
        "utils core active list",
        'show perf query counter "Cisco XCP CM" CmConnectedSockets',
        "show perf list classes",
        'show perf list counters "Cisco XCP CM"',
        'show perf list instances "Cisco XCP CM"',
    ],
)
def test_a_node_without_power_answers_nothing(
    cli: Cli, cluster: RedundancyGroup, line: str
) -> None:
    assert cli(f"{line} imp-sub").code == 0
    power.power_off(server=Server.objects.get(name="imp-sub"), actor="tester")
    assert cli(f"{line} imp-sub").errors == ["imp-sub has no power; it does not answer."]
