"""Service and enterprise parameters by AXL."""

from typing import Any

import pytest
from lxml import etree

from redundancy.catalog import ENTERPRISE_PARAMETERS, PARAMETERS, SRM
from redundancy.models import HaEvent, RedundancyGroup, Server
from redundancy.selectors import enterprise, parameters
from tests.soap.asking import Asking, fault, fields

WIDE, MODE = "EnterpriseWideData", "User Assignment Mode for Presence Server"
TIMEOUT, UPPER = "Keep Alive (Heartbeat) Timeout", "Client Re-Login Upper Limit"


def rows(answer: etree._Element) -> list[dict[str, Any]]:
    return [{str(child.tag): child.text for child in each} for each in answer.iterfind("return/*")]


def search(**criteria: str) -> str:
    return f"<searchCriteria>{fields(**criteria)}</searchCriteria>"


def key(node: str, name: str, service: str = SRM) -> str:
    return fields(processNodeName=node, name=name, service=service)


def value(axl: Asking, node: str, name: str, service: str = SRM) -> str:
    (row,) = rows(axl.ask("getServiceParameter", key(node, name, service)))
    return str(row["value"])


def test_all_parameters_are_listed_at_their_nodes(axl: Asking, group: RedundancyGroup) -> None:
    answer = axl.ask("listServiceParameter")
    found = [(row["processNodeName"], row["name"]) for row in rows(answer)]
    wide = [each.name for each in PARAMETERS if not each.per_node]
    wide += [each.name for each in ENTERPRISE_PARAMETERS]
    own = [each.name for each in PARAMETERS if each.per_node]
    assert found == [
        *((WIDE, name) for name in wide),
        *((node, name) for node in ("imp-pub", "imp-sub") for name in own),
    ]
    assert {tuple(row) for row in rows(answer)} == {
        ("processNodeName", "name", "service", "value", "valueType")
    }
    for each in answer.iterfind("return/serviceParameter"):
        again = axl.ask("getServiceParameter", fields(uuid=str(each.get("uuid"))))
        got = again.find("return/serviceParameter")
        assert got is not None
        assert etree.tostring(got) == etree.tostring(each)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (search(service="Enterprise%"), [(WIDE, each.name) for each in ENTERPRISE_PARAMETERS]),
        (search(processNodeName="imp-sub", name="%Upper%"), [("imp-sub", UPPER)]),
        (search(service=SRM, name="keep%timeout"), [(WIDE, TIMEOUT)]),
        (
            search(processNodeName="imp-%", name="%upper%") + fields(skip="1", first="1"),
            [("imp-sub", UPPER)],
        ),
        (search(service="Cisco CallManager"), []),
    ],
)
def test_parameters_are_found(
    axl: Asking, group: RedundancyGroup, content: str, found: list[tuple[str, str]]
) -> None:
    answer = axl.ask("listServiceParameter", content)
    assert [(row["processNodeName"], row["name"]) for row in rows(answer)] == found


def test_parameters_are_set_and_reset(axl: Asking, group: RedundancyGroup) -> None:
    sub = Server.objects.get(name="imp-sub")
    axl.ask("updateServiceParameter", key(WIDE, TIMEOUT) + fields(value="75"))
    axl.ask("updateServiceParameter", key("imp-sub", UPPER) + fields(value="600"))
    axl.ask("updateServiceParameter", key(WIDE, "enable automatic fallback") + fields(value="t"))
    axl.ask("updateServiceParameter", key(WIDE, MODE, "Enterprise Wide") + fields(value="None"))
    texts = parameters.texts(sub)
    assert (texts["heartbeat_timeout"], texts["relogin_upper"]) == ("75", "600")
    assert value(axl, WIDE, "Enable Automatic Fallback") == "True"
    assert value(axl, "imp-pub", UPPER) == "537"
    assert enterprise.values()["assignment_mode"] == "None"
    reset = axl.ask("doServiceParametersReset", fields(processNodeName="imp-sub", service=SRM))
    assert reset.findtext("return") == "Success"
    assert value(axl, "imp-sub", UPPER) == "537"
    assert value(axl, WIDE, TIMEOUT) == "75"
    axl.ask("doServiceParametersReset", fields(processNodeName=WIDE, service=SRM))
    assert value(axl, WIDE, TIMEOUT) == "60"
    axl.ask("doEnterpriseParametersReset")
    assert enterprise.values()["assignment_mode"] == "Balanced"


@pytest.mark.parametrize(
    ("where", "text", "code", "said"),
    [
        (
            key(WIDE, TIMEOUT),
            "5",
            "5000",
            "value: Keep Alive (Heartbeat) Timeout must be a whole number",
        ),
        (
            key(WIDE, TIMEOUT),
            "16",
            "5000",
            "value: Keep Alive (Heartbeat) Timeout (16) must be at least",
        ),
        (key(WIDE, "Enable Automatic Fallback"), "maybe", "5000", "value: "),
        (key(WIDE, MODE, "Enterprise Wide"), "Random", "5000", f"value: {MODE} must be"),
        (key("imp-sub", TIMEOUT), "75", "5003", "The specified ServiceParameter was not found"),
        (key(WIDE, UPPER), "600", "5003", "The specified ServiceParameter was not found"),
        (key("nowhere", UPPER), "600", "-691", "processNodeName: The specified server"),
        (key(WIDE, MODE), "None", "5003", "The specified ServiceParameter was not found"),
        (fields(uuid="{00000000}"), "1", "5003", "The specified ServiceParameter was not found"),
        ("", "1", "-1", "name with processNodeName and service, or uuid: must be given."),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    axl: Asking, group: RedundancyGroup, where: str, text: str, code: str, said: str
) -> None:
    before = HaEvent.objects.count()
    told = fault(axl.ask("updateServiceParameter", where + fields(value=text), 500))
    assert told[0] == code
    assert said in told[1]
    assert HaEvent.objects.count() == before


def test_nothing_is_reset_where_there_is_nothing(axl: Asking, group: RedundancyGroup) -> None:
    content = fields(processNodeName="imp-pub", service="Enterprise Wide")
    assert fault(axl.ask("doServiceParametersReset", content, 500))[0] == "5003"
