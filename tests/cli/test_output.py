"""Values become lines."""

import re
from decimal import Decimal
from typing import Any

import pytest

from redundancy.catalog import SRM, ServiceKind
from redundancy.cli import output
from redundancy.cli.grammar import Style
from redundancy.models import ServiceStatus
from redundancy.selectors.live import GroupLive, NodeRow
from redundancy.selectors.presence import Presence
from redundancy.selectors.services import ServiceRow
from redundancy.srm.states import NOT_RESPONDING, Reason, State


def node(name: str, state: str, reason: str) -> NodeRow:
    return NodeRow(
        server_id=1,
        name=name,
        is_publisher=False,
        assigned=0,
        presence=Presence(),
        state=state,
        reason=reason,
        tone="ok",
        action=None,
        serial=0,
        sentence="",
        since=0,
    )


def group(*rows: NodeRow) -> GroupLive:
    return GroupLive(1, "DefaultCUPSubCluster", True, rows, "", "", (), ())


def test_ha_status_of_a_pair() -> None:
    shown = output.ha_status(
        group(
            node("imp-pub", State.FAILED_OVER_DOWN, Reason.CRITICAL_SERVICE_DOWN),
            node("imp-sub", State.BACKUP, Reason.CRITICAL_SERVICE_DOWN),
        ),
        Style.GUIDE,
    )
    assert "\n".join(shown) == (
        "Subcluster Name: DefaultCUPSubCluster\n"
        "Node 1 Name : imp-pub State: Failed Over with Critical Services not Running"
        " Reason: Critical Service Down\n"
        "Node 2 Name : imp-sub State: Running in Backup Mode Reason: Critical Service Down"
    )


def test_ha_status_as_public_scripts_read_it() -> None:
    """By ``\\tName:`` and what follows, a State and a Reason for each node."""
    shown = "\n".join(
        output.ha_status(
            group(
                node("imp-pub", State.FAILED, Reason.SPLIT_BRAIN),
                node("imp-sub", State.NORMAL, Reason.NORMAL),
                node("imp-x", NOT_RESPONDING, ""),
            ),
            Style.FIELD,
        )
    )
    found = re.findall(
        r"\tName:\s+(\S+).*?State:\s+([^\n]+).*?Reason:\s+([^\n]+)", shown, flags=re.DOTALL
    )
    assert found == [
        ("imp-pub", "Running in Failed Mode", "Split Brain"),
        ("imp-sub", "Normal", "Normal"),
        ("imp-x", NOT_RESPONDING, NOT_RESPONDING),
    ]


@pytest.mark.parametrize(
    ("state", "reason", "line"),
    [
        (State.NORMAL, Reason.NORMAL, "State: Normal"),
        # The reason of a healthy node is not shown, whatever it is.
        (State.NORMAL, Reason.AUTOMATIC_FALLBACK, "State: Normal"),
        (State.FAILING_OVER, Reason.ON_ADMIN_REQUEST, "State: Failover Reason: On Admin Request"),
        (State.FAILED, Reason.SPLIT_BRAIN, "State: Failed Reason: Split Brain"),
        (
            State.UNKNOWN,
            Reason.HA_NOT_ENABLED,
            "State: Unknown Reason: High Availability Not Enabled",
        ),
        (NOT_RESPONDING, "", "State: Cisco Server Recovery Manager Not Responding"),
    ],
)
def test_ha_status_of_a_node(state: str, reason: str, line: str) -> None:
    shown = output.ha_status(group(node("imp-pub", state, reason)), Style.GUIDE)
    assert shown[1:] == [f"Node 1 Name : imp-pub {line}"]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (ServiceStatus.STARTED, "A Cisco DB[STARTED]"),
        (ServiceStatus.STOPPED, "A Cisco DB[STOPPED]  Commanded Out of Service"),
        (ServiceStatus.NOT_ACTIVATED, "A Cisco DB[STOPPED]  Service Not Activated"),
        (ServiceStatus.UNKNOWN, "A Cisco DB[UNKNOWN]  Node Powered Off"),
    ],
)
def test_a_service(status: ServiceStatus, line: str) -> None:
    row = ServiceRow("A Cisco DB", ServiceKind.NETWORK, status, True, True, None, None)
    assert output.service(row) == line


def test_an_srm_that_cannot_be_read() -> None:
    row = ServiceRow(SRM, ServiceKind.NETWORK, ServiceStatus.UNKNOWN, True, False, None, None)
    assert output.service(row) == f"{SRM}[UNKNOWN]  Not Responding"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, "NULL"),
        (True, "t"),
        (False, "f"),
        (7, "7"),
        (2.5, "2.5"),
        (Decimal("2.5000000000000000"), "2.5"),
        (Decimal("3.0000"), "3"),
        ("a\nb\x1b[31m", "a b [31m"),
        ("日本", "日本"),
    ],
)
def test_a_cell(value: Any, cell: str) -> None:
    assert output.table(["value"], [[value]])[2] == cell


def test_a_table_is_as_wide_as_its_widest_cells() -> None:
    rows = [(1, "DefaultCUPSubCluster", True), (1000, "Rome", False)]
    assert output.table(["id", "name", "haenabled"], rows) == [
        "id   name                 haenabled",
        "==== ==================== =========",
        "1    DefaultCUPSubCluster t",
        "1000 Rome                 f",
    ]
    assert output.table(["id", "name"], []) == ["id name", "== ===="]
