"""What our command line prints, in both dialects, is read as it was."""

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redundancy.catalog import PARAMETERS, SERVICES
from redundancy.cli import output
from redundancy.cli.grammar import Session, Style
from redundancy.cli.run import run
from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import Reading, read_source
from redundancy.cluster.reader.sources import Source
from redundancy.cluster.snapshot import Snapshot
from redundancy.models import PresenceUser, RedundancyGroup, Server, ServiceStatus
from redundancy.operations import servers, users
from redundancy.operations.sample import load_sample_cluster
from redundancy.selectors.live import GroupLive, NodeRow
from redundancy.selectors.presence import Presence
from redundancy.selectors.services import services_of
from redundancy.srm.states import NUMBERS, Reason, State


def read_text(text: str) -> tuple[Reading, Snapshot]:
    reading = Reading()
    read_source(Source("log", io.BytesIO(text.encode())), reading)
    (snapshot,) = assemble(reading)
    return reading, snapshot


@dataclass(frozen=True)
class Made:
    """A node of a made cluster."""

    name: str
    state: State
    reason: Reason
    services: dict[str, ServiceStatus]


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,30}[a-z0-9](\.example\.com)?", fullmatch=True)
STATUSES = st.sampled_from(
    [ServiceStatus.STARTED, ServiceStatus.STOPPED, ServiceStatus.NOT_ACTIVATED]
)
STATES = st.tuples(
    st.sampled_from(sorted(State)), st.sampled_from(sorted(set(Reason) - {Reason.HA_NOT_ENABLED}))
)
OFF = (State.UNKNOWN, Reason.HA_NOT_ENABLED)


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, list[Made]]:
    names = draw(
        st.lists(NAMES, min_size=1, max_size=6, unique_by=lambda name: name.partition(".")[0])
    )
    groups = draw(
        st.lists(
            st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True),
            min_size=3,
            max_size=3,
            unique_by=str.lower,
        )
    )
    made: dict[str, list[Made]] = {}
    ha = True
    for number, name in enumerate(names):
        if not number % 2:
            ha = draw(st.booleans())
        state, reason = draw(STATES) if ha else OFF
        reason = Reason.NORMAL if state is State.NORMAL else reason
        chosen = draw(st.lists(st.sampled_from(SERVICES), max_size=4, unique=True))
        services = {service.name: draw(STATUSES) for service in chosen}
        made.setdefault(groups[number // 2], []).append(Made(name, state, reason, services))
    return made


def _row(node: Made) -> NodeRow:
    return NodeRow(
        1, node.name, False, 0, Presence(), node.state, node.reason, "ok", None, 0, "", 0
    )


def printed(cluster: dict[str, list[Made]], style: Style) -> str:
    """The transcript of a session that looks at the whole cluster."""
    lines = ["Command Line Interface is starting up, please wait ...", "", "admin:utils ha status"]
    for name, nodes in cluster.items():
        rows = tuple(_row(node) for node in nodes)
        lines += [*output.ha_status(GroupLive(1, name, True, rows, "", "", (), ()), style), ""]
    ids = {name: number for number, name in enumerate(cluster, start=5)}
    on = {name: nodes[0].reason is not Reason.HA_NOT_ENABLED for name, nodes in cluster.items()}
    groups = [(ids[name], name, on[name]) for name in cluster]
    lines += [
        "admin:run sql select * from enterprisesubcluster",
        *output.table(["id", "name", "haenabled"], groups),
    ]
    known = [
        (number, node.name, ids[name], number == 1, NUMBERS.get(node.state))
        for number, (name, node) in enumerate(
            ((name, node) for name, nodes in cluster.items() for node in nodes), start=1
        )
    ]
    columns = ["id", "name", "subclusterid", "isprimary", "tkhaserverstate"]
    lines += ["", "admin:run sql select * from enterprisenode", *output.table(columns, known)]
    for each in (node for nodes in cluster.values() for node in nodes):
        lines += ["", f"admin:utils service list {each.name}", f"Node Name : {each.name}"]
        lines += [f"{name}{_status(status)}" for name, status in each.services.items()]
    return "\r\n".join([*lines, "", "admin:"])


def _status(status: ServiceStatus) -> str:
    notes = {
        ServiceStatus.STARTED: "[STARTED]",
        ServiceStatus.STOPPED: "[STOPPED]  Commanded Out of Service",
        ServiceStatus.NOT_ACTIVATED: "[STOPPED]  Service Not Activated",
    }
    return notes[status]


@pytest.mark.parametrize("style", Style)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cluster=clusters())
def test_a_printed_cluster_is_read_as_it_was(style: Style, cluster: dict[str, list[Made]]) -> None:
    reading, snapshot = read_text(printed(cluster, style))
    assert reading.missed == []
    assert {name: group.nodes for name, group in snapshot.groups.items()} == {
        name: tuple(node.name for node in nodes) for name, nodes in cluster.items()
    }
    assert set(snapshot.nodes) == {node.name for nodes in cluster.values() for node in nodes}
    for node in (node for nodes in cluster.values() for node in nodes):
        told = snapshot.nodes[node.name]
        assert told.state is not None
        assert (told.state.text, told.state.disputed) == (node.state, False)
        if node.state is not State.NORMAL or style is Style.FIELD:
            assert told.reason is not None
            assert told.reason.text == node.reason
        assert {name: value.text for name, value in told.services.items()} == {
            name: _status(status)[1:].replace("]", "") for name, status in node.services.items()
        }


COMMANDS = (
    "utils ha status",
    "run sql select * from enterprisesubcluster",
    "run sql select * from enterprisenode",
    "run sql select * from processnode",
    "run sql select * from processconfig",
    "run sql select * from enduser",
    "run sql select count(*) from enduser",
    "utils service list {node}",
    "show version active {node}",
    "show status {node}",
    'show perf query counter "Cisco XCP CM" "CmConnectedSockets" {node}',
    "show network cluster",
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("style", Style)
def test_a_lab_is_read_as_it_is(
    style: Style, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 20)
    load_sample_cluster(actor="tester")
    servers.add_server(name="imp-3", server_type="imp", actor="tester")
    users.add_users(rows=[("=odd", "Odd One", "odd@example.com", None)], actor="tester")
    transcript = ""
    for command in COMMANDS:
        for node in ("imp-pub", "imp-sub") if "{node}" in command else ("",):
            line = command.format(node=node)
            shown = run(line, actor="tester", warn=lambda _: None, session=Session(style))
            transcript += f"admin:{line}\n" + "".join(f"{each}\n" for each in shown) + "\n"
    reading, snapshot = read_text(transcript)
    assert reading.missed == []
    assert {name: group.nodes for name, group in snapshot.groups.items()} == {
        group.name: tuple(group.servers.order_by("slot").values_list("name", flat=True))
        for group in RedundancyGroup.objects.all()
    }
    for server in Server.objects.all():
        read_node = snapshot.nodes[server.name]
        assert read_node.role is not None
        assert (read_node.role.text == "Publisher") is server.is_publisher
        if server.name == "imp-3":
            assert read_node.group is not None
            assert read_node.group.text == ""
            continue
        assert read_node.version is not None
        assert read_node.version.text == server.version
        expected = {row.name: output.service(row) for row in services_of(server)}
        assert {
            name: f"{name}[{value.text.replace('  ', ']  ', 1)}".removesuffix("]")
            for name, value in read_node.services.items()
        } == {name: text.removesuffix("]") for name, text in expected.items()}
        assert "CmConnectedSockets" in read_node.counters
        assert len(read_node.parameters) == sum(parameter.per_node for parameter in PARAMETERS)
    assert {name: value.text for name, value in snapshot.parameters.items()} == {
        each.name: each.default for each in PARAMETERS if not each.per_node
    }
    homes = PresenceUser.objects.values_list("userid", "home__name")
    assert {user.name: user.node for user in snapshot.users.values()} == {
        name: home or "" for name, home in homes
    }
    assert snapshot.all_users is not None
    assert snapshot.all_users.text == str(PresenceUser.objects.count())
    assert isinstance(snapshot.taken, datetime)
    assert snapshot.disputes == ()
    assert snapshot.loose == ()
