"""The lab's own servers, asked as a cluster is: what is read is what the lab is."""

import asyncio
import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from redundancy import bus
from redundancy.cluster.assembling import assemble
from redundancy.cluster.lab import lab_snapshot
from redundancy.cluster.reader.reading import read_streams
from redundancy.cluster.snapshot import Node, Snapshot
from redundancy.models import RedundancyGroup, Server
from redundancy.operations import actions
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from redundancy.permissions import AXL_READ_ONLY
from redundancy.pull import asking
from redundancy.pull.https import Answer
from redundancy.pull.pulling import pull
from redundancy.pull.sources import SSH, PullFailed, Source, Time
from redundancy.soap import signin
from redundancy.srm.words import english
from redundancy.ssh import shell
from tests.cli.conftest import settle
from tests.pull.cucm import Clock, source
from tests.ssh.conftest import PASSWORD, Play, Site

BANNER = (*shell._BANNER, "We cannot see the nodes: no sweep has run yet.")
PAIR = ("imp-pub", "imp-sub")
AT = datetime(2026, 11, 29, 1, 20)  # noqa: DTZ001


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's states are known, as if a sweep had just run; no password was compared yet."""
    monkeypatch.setattr(signin, "_known", {})
    monkeypatch.setattr("redundancy.selectors.observing.sees", lambda: True)


def read(texts: list[tuple[str, bytes]]) -> Snapshot:
    reading = read_streams((name, io.BytesIO(data)) for name, data in texts)
    assert not reading.refused
    # The banner, and what the lab says where no sweep runs, and of services that have no counters.
    missed = [each.text for each in reading.missed if each.text not in BANNER]
    assert [text for text in missed if not text.endswith("; it has no counters.")] == []
    (found,) = assemble(reading)
    assert not found.disputes
    assert not found.loose
    return found


def of_node(node: Node, *names: str) -> dict[str, object]:
    """What is told of a node, by its text."""
    told: dict[str, object] = {}
    for name in names:
        value = getattr(node, name)
        if isinstance(value, Mapping):
            told[name] = {key: each.text for key, each in value.items()}
        else:
            told[name] = value and value.text
    return told


def of_cluster(snapshot: Snapshot) -> dict[str, object]:
    """What is told of the cluster, by its text."""
    return {
        "groups": {
            group.name: (group.ha and group.ha.text, group.nodes)
            for group in snapshot.groups.values()
        },
        "servers": sorted(snapshot.nodes),
        "users": {user.name: user.node for user in snapshot.users.values()},
        "all": snapshot.all_users and snapshot.all_users.text,
        "parameters": {name: value.text for name, value in snapshot.parameters.items()},
    }


class Posting:
    """The lab's AXL, without a network."""

    def __init__(self) -> None:
        self.http = Client()

    def __call__(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        given = {name: headers[name] for name in ("Authorization", "SOAPAction")}
        response: Any = self.http.post(
            path, body, content_type=headers["Content-Type"], headers=given
        )
        data = b"".join(response.streaming_content) if response.streaming else response.content
        told = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, told, data)


def program(name: str, group: str) -> str:
    """Make a user in a group, and return its name."""
    made = User.objects.create_user(name, password=PASSWORD)
    made.groups.set(Group.objects.filter(name=group))
    return name


def failed_over(group: RedundancyGroup) -> None:
    """Let imp-sub serve for imp-pub, as an administrator wished."""
    # Heartbeats of another test's nodes, which had the same keys.
    bus.client().flushdb()
    enable_ha(group=group, actor="")
    settle()
    actions.request_failover(node=Server.objects.get(name="imp-pub"), serial=None, actor="")
    settle()


def states(snapshot: Snapshot) -> list[str]:
    told = [snapshot.nodes[name].state for name in PAIR]
    return [state.text for state in told if state is not None]


@pytest.mark.parametrize("over", [False, True])
def test_by_axl(
    transactional_db: None, valkey: str, monkeypatch: pytest.MonkeyPatch, over: bool
) -> None:
    group = load_sample_cluster(actor="")
    if over:
        failed_over(group)
    # In parts, too.
    monkeypatch.setattr(asking, "_PART", 400)
    clock = Clock()
    asked = source(user=program("program", AXL_READ_ONLY))
    texts = asking.ask(asked, PASSWORD, Time(300, clock, clock.sleep), AT, Posting())
    found, lab = read(texts), lab_snapshot()
    assert of_cluster(found) == of_cluster(lab)
    assert len(found.users) == 1_000
    told = ("group", "state", "reason", "version", "product", "role", "services", "parameters")
    assert states(found) == (["Idle", "Running in Backup Mode"] if over else ["Unknown"] * 2)
    for name in PAIR:
        assert of_node(found.nodes[name], *told) == of_node(lab.nodes[name], *told)


def test_a_role_without_axl_is_refused(db: None, valkey: str) -> None:
    for name, group, password, rule in (
        ("program", "", PASSWORD, "User: program may not use AXL on 127.0.0.1."),
        ("other", AXL_READ_ONLY, "wrong", "lets nobody in with these by AXL."),
    ):
        clock = Clock()
        asked = source(user=program(name, group))
        with pytest.raises(PullFailed) as failed:
            asking.ask(asked, password, Time(300, clock, clock.sleep), AT, Posting())
        assert rule in english(failed.value.rule)


def known(folder: Path, port: int, *keys: Path) -> str:
    """Return the path of a list of host keys."""
    path = folder / "known_hosts"
    lines = [f"[127.0.0.1]:{port} {key.with_suffix('.pub').read_text()}" for key in keys]
    path.write_text("\n".join(lines))
    return str(path)


def public(keys: list[Path]) -> list[Path]:
    """Write the public parts of host keys beside them."""
    for key in keys:
        asyncssh.read_private_key(str(key)).write_public_key(str(key.with_suffix(".pub")))
    return keys


@pytest.mark.parametrize(("style", "over"), [("guide", False), ("guide", True), ("field", True)])
def test_over_ssh(
    play: Play,
    keys: list[Path],
    cluster: RedundancyGroup,
    tmp_path: Path,
    settings: Any,
    style: str,
    over: bool,
) -> None:
    settings.CLI_STYLE = style
    if over:
        failed_over(cluster)
    texts: list[tuple[str, bytes]] = []

    async def conversation(site: Site) -> None:
        hosts = known(tmp_path, site.port, *public(keys))
        for who in ("admin", "looker"):
            asked = Source(SSH, "127.0.0.1", who, site.port, known_hosts=hosts)
            texts[:] = await asyncio.to_thread(pull, asked, PASSWORD)

    play(conversation)
    ((name, data),) = texts
    assert name == "127.0.0.1.ssh.txt"
    assert PASSWORD.encode() not in data
    found, lab = read(texts), lab_snapshot()
    assert of_cluster(found) == of_cluster(lab)
    told = ("group", "state", "reason", "product", "role", "address", "reached", "parameters")
    assert states(found) == (["Idle", "Running in Backup Mode"] if over else ["Unknown"] * 2)
    for node in PAIR:
        assert of_node(found.nodes[node], *told) == of_node(lab.nodes[node], *told)
    # Of the one that is asked, these.
    own = ("version", "services")
    assert of_node(found.nodes["imp-pub"], *own) == of_node(lab.nodes["imp-pub"], *own)
    assert not found.nodes["imp-sub"].services
    counters = set() if over else {"CmConnectedSockets", "ActiveJsmSessions"}
    assert set(found.nodes["imp-pub"].counters) == counters


def test_an_unknown_host_key_is_refused_with_its_fingerprint(
    play: Play, keys: list[Path], people: None, tmp_path: Path
) -> None:
    said: list[str] = []
    other = asyncssh.generate_private_key("ssh-ed25519")
    other.write_public_key(str(tmp_path / "other.pub"))

    async def conversation(site: Site) -> None:
        for hosts in (known(tmp_path, site.port), known(tmp_path, site.port, tmp_path / "other")):
            asked = Source(SSH, "127.0.0.1", "admin", site.port, known_hosts=hosts)
            with pytest.raises(PullFailed) as failed:
                await asyncio.to_thread(pull, asked, PASSWORD)
            said.append(english(failed.value.rule))

    play(conversation)
    fingerprints = [asyncssh.read_private_key(str(key)).get_fingerprint() for key in keys]
    for rule in said:
        assert rule.startswith("Host key: 127.0.0.1 shows SHA256:")
        assert any(fingerprint in rule for fingerprint in fingerprints)


def test_a_wrong_password_is_refused(
    play: Play, keys: list[Path], people: None, tmp_path: Path
) -> None:
    said: list[str] = []

    async def conversation(site: Site) -> None:
        hosts = known(tmp_path, site.port, *public(keys))
        asked = Source(SSH, "127.0.0.1", "admin", site.port, known_hosts=hosts)
        with pytest.raises(PullFailed) as failed:
            await asyncio.to_thread(pull, asked, "wrong-password-1")
        said.append(english(failed.value.rule))

    play(conversation)
    assert said == ["User, Password: 127.0.0.1 lets nobody in with these by SSH."]


def test_a_cluster_without_a_group_is_told(
    play: Play, keys: list[Path], people: None, tmp_path: Path
) -> None:
    """Nothing to read is no failure: ``utils ha status`` refuses, and the tables are empty."""
    texts: list[tuple[str, bytes]] = []

    async def conversation(site: Site) -> None:
        hosts = known(tmp_path, site.port, *public(keys))
        asked = Source(SSH, "127.0.0.1", "admin", site.port, known_hosts=hosts)
        texts[:] = await asyncio.to_thread(pull, asked, PASSWORD)

    play(conversation)
    assert b"There is no presence redundancy group yet." in texts[0][1]
