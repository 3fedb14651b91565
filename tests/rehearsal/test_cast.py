"""The servers of a live rehearsal: made before it, gone after it, in nobody's way."""

import pytest

from redundancy.errors import Refused
from redundancy.models import (
    EnterpriseParameter,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)
from redundancy.operations import groups, sample
from redundancy.operations.functions import set_functions
from redundancy.operations.servers import add_server
from redundancy.parameters.writes import enterprise, parameters
from redundancy.rehearsal.actions import parse_action
from redundancy.rehearsal.cast import Cast, Functions, Parameters, set_on
from redundancy.rehearsal.format import parse_scenario
from redundancy.rehearsal.live import LiveStage, _batches
from redundancy.rehearsal.scenario import Scenario
from redundancy.selectors import watching
from redundancy.selectors.enterprise import ClientSettings, clients
from redundancy.selectors.functions import configured
from redundancy.srm.states import State

pytestmark = pytest.mark.django_db
ARCHIVER = "Cisco XCP Message Archiver"


@pytest.fixture
def scenario() -> Scenario:
    return parse_scenario(
        "name: A\nusers: {imp-pub: 3, imp-sub: 2}\n"
        f"services: {{imp-sub: [{ARCHIVER}]}}\n"
        "parameters: {Keep Alive (Heartbeat) Timeout: 90}\n"
        "steps:\n  - {at: 0s, do: enable ha}\n",
        "a.yaml",
    )


def counts() -> list[int]:
    models = (Server, RedundancyGroup, PresenceUser, PresenceSession)
    return [model.objects.count() for model in models]


def test_on_an_empty_system_it_brings_the_publisher_and_takes_it_away(scenario: Scenario) -> None:
    cast = Cast(scenario)
    made = cast.make()
    assert [(name, server.name, server.slot) for name, server in made.items()] == [
        ("imp-pub", "imp-pub", 1),
        ("imp-sub", "imp-sub", 2),
    ]
    assert made["imp-pub"].group == made["imp-sub"].group == cast.group
    assert counts() == [2, 1, 5, 5]
    assert PresenceSession.objects.filter(node=made["imp-pub"]).count() == 3
    service = NodeService.objects.get(server=made["imp-sub"], name=ARCHIVER)
    assert (service.activated, service.running) == (True, True)
    assert not NodeService.objects.get(server=made["imp-pub"], name=ARCHIVER).activated
    cast.remove()
    cast.remove()
    assert counts() == [0, 0, 0, 0]


def test_beside_others_it_leaves_them_alone(scenario: Scenario) -> None:
    sample.load_sample_cluster(actor="")
    before = counts()
    cast = Cast(scenario, "-7")
    made = cast.make()
    assert [server.name for server in made.values()] == ["imp-pub-7", "imp-sub-7"]
    assert cast.group is not None
    assert cast.group.name == "rehearsal-imp-pub-7"
    groups.enable_ha(group=cast.group, actor="")
    cast.remove()
    assert counts() == before


def test_names_that_exist_are_refused_and_nothing_is_made(scenario: Scenario) -> None:
    add_server(name="other", server_type="imp", actor="")
    add_server(name="IMP-SUB", server_type="cucm", actor="")
    before = counts()
    with pytest.raises(Refused, match="A server named imp-sub exists already"):
        Cast(scenario).make()
    assert counts() == before


def test_while_another_pair_is_failed_over_it_is_refused_and_nothing_is_made(
    scenario: Scenario,
) -> None:
    sample.load_sample_cluster(actor="")
    NodeRuntime.objects.filter(server__name="imp-pub").update(state=State.FAILED_OVER)
    before = counts()
    cast = Cast(scenario, "-7")
    with pytest.raises(Refused, match="No user can be added or assigned while a node"):
        cast.make()
    # What was rolled back is not there to be removed.
    cast.remove()
    assert counts() == before


def test_parameters_are_those_of_the_file_and_then_again_what_they_were(scenario: Scenario) -> None:
    parameters.set_parameter(key="critical_service_delay", value="300", actor="")
    kept = Parameters()
    kept.use(scenario)
    assert dict(ServiceParameter.objects.values_list("key", "value")) == {"heartbeat_timeout": "90"}
    kept.restore()
    stored = dict(ServiceParameter.objects.values_list("key", "value"))
    assert stored == {"critical_service_delay": "300"}


def test_functions_are_configured_as_before_when_it_is_over(scenario: Scenario) -> None:
    set_functions(configured={"sip_federation": True}, actor="ann")
    before = configured()
    mine = Functions()
    Cast(scenario).make()
    assert configured() == before | {"compliance"}
    set_functions(configured={"sip_federation": False}, actor="ann")
    mine.restore()
    assert configured() == before == {"sip_federation"}


def test_clients_are_those_of_the_file_and_then_again_what_they_were() -> None:
    scenario = parse_scenario(
        'name: A\nparameters: {"Lab: Push Clients": 25}\nsteps:\n  - {at: 0s, do: enable ha}\n',
        "a.yaml",
    )
    enterprise.set_enterprise_parameters(
        values={"clients_per_user": "3", "assignment_mode": "None"}, actor=""
    )
    kept = Parameters()
    kept.use(scenario)
    # What is no matter of clients stays as it is.
    mine = {"push_clients": "25", "assignment_mode": "None"}
    assert dict(EnterpriseParameter.objects.values_list("key", "value")) == mine
    set_on(nodes=[], key="push_clients", value="75", actor="")
    set_on(nodes=[], key="clients_per_user", value="2", actor="")
    assert clients() == ClientSettings(2, 75)
    kept.restore()
    before = {"clients_per_user": "3", "assignment_mode": "None"}
    assert dict(EnterpriseParameter.objects.values_list("key", "value")) == before


def test_a_live_rehearsal_counts_the_clients_of_its_users(scenario: Scenario) -> None:
    enterprise.set_enterprise_parameters(values={"clients_per_user": "2"}, actor="")
    stage = LiveStage(scenario, Cast(scenario), 0)
    assert stage.present().sessions == stage.present().active == {"imp-pub": 6, "imp-sub": 4}
    action = parse_action("set Lab: Clients per User to 5", scenario.nodes)
    assert stage.do(action) is None
    assert clients().per_user == 5
    stage.see(stage.now(), watching.watch([stage.group_id], 0)[2][stage.group_id])
    assert stage.present().sessions == {"imp-pub": 15, "imp-sub": 10}


def test_files_with_other_clients_are_not_played_at_the_same_time() -> None:
    text = 'name: A\nparameters: {"Lab: Push Clients": %s}\nsteps:\n  - {at: 0s, do: enable ha}\n'
    files = [parse_scenario(text % push, "a.yaml") for push in (0, 25, 25)]
    assert [len(batch) for batch in _batches(files, 3)] == [1, 2]
