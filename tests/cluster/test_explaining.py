"""What the states of a pair mean, who serves whom and what comes next: said only where it is told."""

import pytest

from redundancy.cluster.explaining import Explained, explained
from redundancy.cluster.snapshot import Snapshot
from redundancy.srm.advice import ROWS, explain
from redundancy.srm.states import Reason, State
from redundancy.srm.types import Policy
from redundancy.srm.words import english
from tests.cluster.inputs import reading_of, table

STATES = "Subcluster Name: G\nNode 1 Name : a State: {}\nNode 2 Name : b State: {}\n"
SERVICES = "admin:utils service list a\nNode Name : a\n{}\n"


def parameter(name: str, value: str) -> str:
    return "admin:run sql select paramname,paramvalue from processconfig\n" + table(
        "paramname|paramvalue", f"{name}|{value}"
    )


def only(text: str) -> Snapshot:
    (snapshot,) = reading_of(text)[1]
    return snapshot


def told(text: str) -> Explained:
    snapshot = only(text)
    return explained(snapshot, snapshot.groups["G"])


def said(sentences: tuple[str, ...]) -> str:
    return " ".join(map(english, sentences))


def test_every_row_of_the_table_is_explained_with_its_number() -> None:
    rows = [row for row in ROWS if row.number > 1 and None not in row.one and row.number != 24]
    assert len(rows) > 15
    for row in rows:
        states = [min(map(str, each)) for each in (row.one, row.two)]
        reasons = [min(map(str, each)) for each in (row.one_reasons, row.two_reasons)]
        sides = [f"{state} Reason: {reason}" for state, reason in zip(states, reasons, strict=True)]
        found = told(STATES.format(*sides))
        expected = explain(
            ("a", State(states[0]), Reason(reasons[0])),
            ("b", State(states[1]), Reason(reasons[1])),
            Policy(),
        )
        assert (found.number, found.cause, found.advice) == (
            expected.number,
            expected.cause,
            expected.advice,
        )
        assert found.holders
        assert found.coming, row


NEXT = {
    ("Normal", "Normal"): "Nothing while both nodes are well. A node that is not heard for 1 min "
    "(Keep Alive (Heartbeat) Timeout; not told, the vendor's default)",
    (
        "Idle Reason: On Admin Request",
        "Running in Backup Mode Reason: On Admin Request",
    ): "a was failed over by hand and waits for Fallback",
    (
        "Failed Over Reason: Critical Service Down",
        "Running in Backup Mode Reason: Critical Service Down",
    ): "Whether automatic fallback is enabled is not told.",
    (
        "Failed Over with Critical Services not Running Reason: Critical Service Down",
        "Running in Backup Mode Reason: Critical Service Down",
    ): "a becomes Failed Over when its critical services run again.",
    ("Failed Reason: Split Brain", "Failed Reason: Split Brain"): "until somebody presses Recover",
    (
        "Cisco Server Recovery Manager Not Responding",
        "Running in Backup Mode Reason: Peer Down",
    ): "b goes on until the SRM of a reports again.",
    (
        "Cisco Server Recovery Manager Not Responding",
        "Normal",
    ): "b takes over when it has not heard a for 1 min",
    (
        "Initializing Reason: Initialization",
        "Normal",
    ): "waits for its peer for 2 min (Initialization Keep Alive (Heartbeat) Timeout; not told",
    (
        "Taking Back Reason: On Admin Request",
        "Falling Back Reason: On Admin Request",
    ): "The move ends by itself",
    (
        "Unknown Reason: High Availability Not Enabled",
        "Unknown Reason: High Availability Not Enabled",
    ): "Nobody takes over from a node that fails while High Availability is off.",
}


@pytest.mark.parametrize("states", NEXT)
def test_what_comes_next(states: tuple[str, str]) -> None:
    assert NEXT[states] in said(told(STATES.format(*states)).coming)


FAILED_OVER = STATES.format(*list(NEXT)[2])


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("True", "a takes its users back when it has been healthy for 30 min without a break."),
        ("False", "Automatic fallback is off: a waits until somebody presses Fallback."),
    ],
)
def test_automatic_fallback_is_said_as_it_is_told(value: str, sentence: str) -> None:
    found = told(FAILED_OVER + parameter("Enable Automatic Fallback", value))
    assert sentence in said(found.coming)


def test_a_told_limit_is_no_default() -> None:
    found = told(
        STATES.format("Normal", "Normal") + parameter("Keep Alive (Heartbeat) Timeout", "90")
    )
    assert "not heard for 1 min 30 s (Keep Alive (Heartbeat) Timeout), or" in said(found.coming)


def test_a_service_that_is_down_announces_a_failover() -> None:
    down = SERVICES.format("Cisco XCP Router[STOPPED]  Commanded Out of Service")
    found = told(STATES.format("Normal", "Normal") + down)
    assert (
        "Cisco XCP Router on a does not run: a fails over when it has been down for 1 min 30 s"
        in (said(found.coming))
    )
    assert "a has its own users, and nobody can log in there." in said(found.holders)


def test_a_backup_at_which_nobody_can_log_in_serves_nobody() -> None:
    down = SERVICES.replace(" a\n", " b\n").format("Cisco XCP Connection Manager[STOPPED]")
    found = told(FAILED_OVER + down)
    assert "b has all users, and nobody can log in there" in said(found.holders)
    assert "nobody can log in there" in english(found.cause)


def test_what_is_not_told_is_not_explained() -> None:
    without_reason = told(STATES.format("Failed Over", "Running in Backup Mode Reason: Peer Down"))
    assert (without_reason.number, without_reason.cause, without_reason.coming) == (None, "", ())
    assert "The reason of a is not told" in said(without_reason.untold)
    disputed = only(STATES.format("Normal", "Normal"))
    assert "Whether clients can log in at a is not told" in (
        said(explained(disputed, disputed.groups["G"]).untold)
    )


def test_a_group_of_one_node_has_no_failover() -> None:
    found = told(
        "Subcluster Name: G\nNode 1 Name : a State: Unknown Reason: High Availability Not Enabled\n"
    )
    assert "A group of one node has no failover" in said(found.untold)


LOST = SERVICES.replace(" a\n", " b\n").format("Cisco XCP Router[STOPPED]")
BACKUP = "Running in Backup Mode Reason: {}"


@pytest.mark.parametrize(
    ("other", "reason", "sentence"),
    [
        (
            "Failed Over Reason: Critical Service Down",
            "Critical Service Down",
            "a takes everybody when that has been so for 1 min 30 s",
        ),
        (
            "Idle Reason: On Admin Request",
            "On Admin Request",
            "a takes everybody when that has been so for 1 min 30 s",
        ),
        (
            "Failed Over with Critical Services not Running Reason: Critical Service Down",
            "Critical Service Down",
            "Both nodes go to failed mode when that has been so for 1 min 30 s",
        ),
    ],
)
def test_a_backup_that_loses_a_service_is_not_said_to_wait(
    other: str, reason: str, sentence: str
) -> None:
    found = told(STATES.format(other, BACKUP.format(reason)) + LOST)
    coming = said(found.coming)
    assert coming.startswith("Not running on b, which serves everybody: Cisco XCP Router. ")
    assert sentence in coming
    assert "waits" not in coming


def test_a_backup_whose_peer_is_silent_keeps_the_users_though_it_lacks_a_service() -> None:
    silent = "Cisco Server Recovery Manager Not Responding"
    found = told(STATES.format(silent, BACKUP.format("Peer Down")) + LOST)
    assert "b goes on until the SRM of a reports again." in said(found.coming)


OFF = STATES.format(*["Unknown Reason: High Availability Not Enabled"] * 2)


def test_with_high_availability_off_it_is_said_who_serves_nobody_all_the_same() -> None:
    found = told(OFF + LOST)
    assert said(found.holders) == (
        "a serves the users that are assigned to it. b has its own users, and nobody can log in there."
    )
    assert said(found.untold) == (
        "Whether clients can log in at a is not told: its services are not."
    )
    network = (
        "admin:show network cluster\n"
        "10.0.0.2 b.example.com b Subscriber cups DBSub not authenticated\n"
    )
    assert "Whether b serves anybody is not known: it is not reached." in (
        said(told(OFF + network).holders)
    )


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        ("Node 2 Name : b State: Normal\n", "of its two nodes only b is told."),
        ("", "No node of G is told."),
        (
            "".join(f"Node {n} Name : {name} State: Normal\n" for n, name in enumerate("abc", 1)),
            "Of G 3 nodes are told, and a group has one or two: a, b and c.",
        ),
    ],
)
def test_nodes_that_are_no_pair_are_not_explained(nodes: str, sentence: str) -> None:
    found = told(f"Subcluster Name: G\n{nodes}")
    assert (found.number, found.cause, found.coming) == (None, "", ())
    assert said(found.untold).endswith(sentence)
