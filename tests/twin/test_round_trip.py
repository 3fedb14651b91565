"""A lab that is told by its own command line, read and applied is the same lab."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redundancy.catalog import SERVICES, SRM, ServiceKind
from redundancy.cli.grammar import Style
from redundancy.cluster.lab_plan import (
    Plan,
    PlannedGroup,
    PlannedServer,
    PlannedService,
    PlannedUser,
)
from redundancy.functions import FUNCTION_OF_SERVICE
from redundancy.models import ServerType
from redundancy.operations import servers, users
from redundancy.operations.sample import load_sample_cluster
from redundancy.twin.reads import planned
from redundancy.twin.writes import apply_cluster, undo
from tests.twin.lab import described, read, transcript

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9](\.example\.com)?", fullmatch=True)
GROUPS = st.from_regex(r"[A-Za-z0-9_-]{1,30}", fullmatch=True)
VERSIONS = st.sampled_from(["14.0.1", "12.5.1.14900-63", "15.0.1.10000-1"])
USERS = st.from_regex(r"[a-z=+\u00e9][a-zA-Z0-9._\u00e9-]{0,20}", fullmatch=True)
SMALL = {
    "service_port": "22999",
    "critical_service_delay": "120",
    "automatic_fallback": "True",
    "heartbeat_timeout": "90",
}


@st.composite
def services(draw: st.DrawFn) -> dict[str, PlannedService]:
    made = {}
    for service in SERVICES:
        activated = service.kind is ServiceKind.NETWORK or draw(st.booleans())
        made[service.name] = PlannedService(activated, activated and draw(st.booleans()))
    return made


@st.composite
def labs(draw: st.DrawFn) -> Plan:
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=lambda n: n.partition(".")[0]))
    titles = draw(st.lists(GROUPS, min_size=3, max_size=3, unique_by=str.lower))
    groups: list[PlannedGroup] = []
    nodes: list[PlannedServer] = []
    for number in range(0, len(names), 2):
        pair, title = tuple(names[number : number + 2]), titles[number // 2]
        groups.append(PlannedGroup(title, len(pair) == 2 and draw(st.booleans()), pair))
        for slot, name in enumerate(pair, start=1):
            made = draw(services())
            limits = {"relogin_lower": "60", "relogin_upper": "600"} if draw(st.booleans()) else {}
            nodes.append(
                PlannedServer(
                    name,
                    True,
                    publisher=not nodes,
                    group=title,
                    slot=slot,
                    version=draw(VERSIONS),
                    srm_running=made[SRM].running,
                    services=made,
                    parameters=limits,
                )
            )
    people = draw(st.lists(USERS, max_size=6, unique_by=str.lower))
    homes = st.sampled_from(["", *names])
    active = {name for node in nodes for name, each in node.services.items() if each.activated}
    return Plan(
        servers=(*nodes, *([PlannedServer("cucm-pub", False)] if draw(st.booleans()) else [])),
        groups=tuple(groups),
        parameters=draw(
            st.dictionaries(st.sampled_from(sorted(SMALL)), st.none()).map(
                lambda keys: {key: SMALL[key] for key in keys}
            )
        ),
        functions=tuple(f.key for name, f in FUNCTION_OF_SERVICE.items() if name in active),
        users=tuple(PlannedUser(each, f"{each}@example.com", draw(homes)) for each in people),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("style", Style)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(lab=labs())
def test_a_lab_told_read_and_applied_is_the_same(style: Style, lab: Plan) -> None:
    apply_cluster(plan=lab, name="made", actor="tester")
    before = described()
    plan = planned(read(transcript(style)))
    assert plan.refusals == ()
    apply_cluster(plan=plan, name="read", actor="tester")
    assert described() == before
    undo(actor="tester")
    assert described() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("style", Style)
def test_the_sample_cluster_is_the_same(style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 20)
    load_sample_cluster(actor="tester")
    servers.add_server(name="imp-3", server_type=ServerType.IMP, actor="tester")
    users.add_users(rows=[("zoe", "Zoe", "zoe@example.com", None)], actor="tester")
    before = described()
    apply_cluster(plan=planned(read(transcript(style))), name="read", actor="tester")
    assert described() == before
