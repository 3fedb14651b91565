"""The servers of a live rehearsal: made before it, gone after it, in nobody's way."""

import pytest

from redundancy.errors import Refused
from redundancy.models import (
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)
from redundancy.operations import groups, sample
from redundancy.operations.servers import add_server
from redundancy.parameters.writes import parameters
from redundancy.rehearsal.cast import Cast, Parameters
from redundancy.rehearsal.format import parse_scenario
from redundancy.rehearsal.scenario import Scenario

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
    assert (service.activated, service.configured, service.running) == (True, True, True)
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


def test_parameters_are_those_of_the_file_and_then_again_what_they_were(scenario: Scenario) -> None:
    parameters.set_parameter(key="critical_service_delay", value="300", actor="")
    kept = Parameters()
    kept.use(scenario)
    assert dict(ServiceParameter.objects.values_list("key", "value")) == {"heartbeat_timeout": "90"}
    kept.restore()
    stored = dict(ServiceParameter.objects.values_list("key", "value"))
    assert stored == {"critical_service_delay": "300"}
