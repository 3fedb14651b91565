"""Whole conversations, byte by byte, as files: what scripts match must not change unseen.

A file that is not there is written, and the test fails once: look at it before you keep it.
"""

import asyncio
from pathlib import Path

import pytest
from django.conf import settings

from redundancy import bus
from redundancy.models import RedundancyGroup, Server
from redundancy.operations.actions import request_failover
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from tests.cli.conftest import settle
from tests.ssh.conftest import PATIENCE, Play, Site

pytestmark = [pytest.mark.django_db(transaction=True)]

FOLDER = Path(__file__).parent / "transcripts"


@pytest.fixture
def normal(play: Play, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    """The sample cluster, both nodes Normal; somebody has just looked at them."""
    group = load_sample_cluster(actor="tester")
    enable_ha(group=group, actor="tester")
    settle()
    monkeypatch.setattr(bus, "sweep_age", lambda: 0.1)
    return group


@pytest.fixture
def failed_over(normal: RedundancyGroup) -> None:
    """imp-pub was failed over by hand."""
    request_failover(node=Server.objects.get(name="imp-pub"), serial=None, actor="tester")
    settle()


def compare(play: Play, name: str, typed: str, *, term: str = "vt100", rows: int = 24) -> None:
    """Type all of it and compare what came, to the end of the session, with the file of that name."""
    said = b""

    async def talk(site: Site) -> None:
        nonlocal said
        async with await site.connect() as connection:
            process = await connection.create_process(
                term_type=term, term_size=(20, rows), encoding=None
            )
            process.stdin.write(typed.encode())
            said = await asyncio.wait_for(process.stdout.read(), PATIENCE)

    play(talk)
    file = FOLDER / name
    if not file.exists():
        file.write_bytes(said)
        pytest.fail(f"{file} was not there and is written", pytrace=False)
    assert said.decode().split("\r\n") == file.read_bytes().decode().split("\r\n")


STATUS = "\rutils ha status\rutils ha status defaultcupsubcluster\rexit\r"


@pytest.mark.parametrize("style", ["guide", "field"])
@pytest.mark.parametrize("pair", ["normal", "failed_over"])
def test_a_pair(
    play: Play,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    pair: str,
    style: str,
) -> None:
    request.getfixturevalue(pair)
    monkeypatch.setattr(settings, "CLI_STYLE", style)
    compare(play, f"{pair.replace('_', '-')}.{style}", STATUS)


@pytest.mark.parametrize("style", ["guide", "field"])
def test_errors(
    play: Play, normal: RedundancyGroup, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    monkeypatch.setattr(settings, "CLI_STYLE", style)
    lines = (
        "nonsense",
        "utils ha",
        "utils ha nonsense",
        "utils ha failover",
        "utils ha failover nowhere",
        "utils ha fallback imp-pub",
        "utils ha status nowhere",
        "utils service stop Cisco Nothing",
        'utils service list "imp-pub',
        "run sql delete from enduser",
        "set cli session timeout 0",
        "utils system shutdown imp-sub",
        "n",
    )
    # Both dialects have the same ones.
    compare(play, "errors", "".join(f"{line}\r" for line in lines) + "quit\r")


def test_pages(play: Play, normal: RedundancyGroup) -> None:
    listing = "utils service list imp-pub\r"
    off = "set cli pagination off\r"
    compare(play, "pages", f"{listing} \rx q{listing}q{off}{listing}exit\r", rows=8)


@pytest.mark.parametrize("term", ["dumb", "vt100"])
def test_keys(play: Play, normal: RedundancyGroup, term: str) -> None:
    typed = (
        "nothing\x15utlis\x7f\x7f\x7fils\x1b[A cli\x08\x08\x08core active list\rab\x03\r\n\n\x04"
    )
    compare(play, "keys", typed, term=term)


def test_help(play: Play, normal: RedundancyGroup) -> None:
    compare(play, "help.vt100", "utils ha ?sta\t\x15utils ha fai\tpub\x15utils ha f\t\x15exit\r")
