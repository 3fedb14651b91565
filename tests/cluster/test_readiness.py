"""May a node be restarted now: no where something is against it, unknown where it is not told."""

import pytest

from redundancy.catalog import SERVICES, XCP_ROUTER
from redundancy.cluster.readiness import Readiness, Ready, readiness
from redundancy.srm.words import english
from tests.cluster.inputs import reading_of, table

HA = "Subcluster Name: G\nNode 1 Name : a State: {}\nNode 2 Name : b State: {}\n"
WELL = HA.format("Normal", "Normal")
OFF = HA.format(*["Unknown Reason: High Availability Not Enabled"] * 2)
DATE = "Sun Nov 29, 2026 01:20:00"


def services(node: str, *, down: str = "") -> str:
    lines = [
        f"{each.name}[{'STOPPED' if each.name == down else 'STARTED'}]" for each in SERVICES[:12]
    ]
    return f"admin:utils service list {node}\nNode Name : {node}\n" + "\n".join(lines) + "\n"


RUNNING = services("a") + services("b")
LIMITS = (
    "admin:run sql select * from processnode\n"
    + table("pkid|name|tkprocessnoderole", "1|a|2", "2|b|2")
    + "admin:run sql select paramname,paramvalue,fkprocessnode from processconfig\n"
    + table(
        "paramname|paramvalue|fkprocessnode",
        "Client Re-Login Lower Limit|{0}|1",
        "Client Re-Login Upper Limit|{1}|1",
    )
    .replace("{0}", "120")
    .replace("{1}", "900")
)


def asked(text: str, node: str = "a", users: dict[str, int] | None = None) -> Readiness:
    (snapshot,) = reading_of(text)[1]
    return readiness(snapshot, snapshot.groups["G"], snapshot.nodes[node], users)


def said(sentences: tuple[str, ...]) -> str:
    return " ".join(map(english, sentences))


def test_a_well_pair_may_be_restarted_by_the_routine() -> None:
    found = asked(WELL + RUNNING)
    assert (found.ready, found.against, found.untold) == (Ready.YES, (), ())
    assert "switch it off, wait 2 minutes, restart" in said(found.cautions)


def test_with_high_availability_off_the_states_are_not_asked() -> None:
    assert asked(OFF + RUNNING).ready is Ready.YES


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            HA.format(
                "Running in Backup Mode Reason: Peer Down", "Failed Over Reason: Initialization"
            )
            + RUNNING,
            "The pair is not Normal.",
        ),
        (
            WELL + services("a") + services("b", down="Cisco XCP Router"),
            "Not running on b, the other node: Cisco XCP Router.",
        ),
        (
            WELL
            + RUNNING
            + "admin:show version active a\nNode Name : a\nActive Master Version: 14.0.1.12900-161\n"
            + "admin:show version active b\nNode Name : b\nActive Master Version: 15.0.1.10000-1\n",
            "a runs version 14.0.1.12900-161, b runs 15.0.1.10000-1",
        ),
    ],
)
def test_what_is_against_it(text: str, sentence: str) -> None:
    found = asked(text)
    assert found.ready is Ready.NO
    assert sentence in said(found.against)


@pytest.mark.parametrize("text", [WELL, WELL + services("a"), WELL + services("b")])
def test_without_its_services_it_cannot_be_told(text: str) -> None:
    found = asked(text)
    assert found.ready is Ready.UNKNOWN
    assert "are not told" in said(found.untold)


@pytest.mark.parametrize("node", ["a", "b"])
def test_a_service_that_could_not_be_read_is_neither_running_nor_stopped(node: str) -> None:
    unread = services(node).replace(f"{XCP_ROUTER}[STARTED]", f"{XCP_ROUTER}[UNKNOWN]")
    found = asked(WELL + RUNNING.replace(services(node), unread))
    assert found.ready is Ready.UNKNOWN
    assert f"run on {node} could not be read: {XCP_ROUTER}" in said(found.untold)
    assert "Not running" not in said((*found.against, *found.cautions))


def test_a_state_without_reason_cannot_be_told() -> None:
    found = asked(HA.format("Failed Over", "Normal") + RUNNING)
    assert found.ready is Ready.UNKNOWN


def test_users_and_limits_make_the_forecast() -> None:
    found = asked(WELL + RUNNING + LIMITS, users={"a": 1000, "b": 900})
    notices = said(found.notices)
    assert "1,000 users of a are without service" in notices
    assert "50 % after 8 min 30 s, 95 % after 14 min 21 s, 100 % after 15 min" in notices
    shorter = said(found.shorter)
    assert "for 1,000 users: 453 s on a node for 2,000 users, 287 s on a node for 5,000" in shorter
    assert "With 453 s the last one is back 7 min 27 s sooner, at" in shorter


def test_no_forecast_without_limits_or_users() -> None:
    found = asked(WELL + RUNNING, users={"a": 1000})
    assert "no forecast of the logins is made" in said(found.notices)
    assert found.shorter == ()
    found = asked(WELL + RUNNING + LIMITS)
    assert "How many users are assigned to a is not told." in said(found.notices)
    assert "per second" not in said(found.notices)


def test_limits_that_cannot_be_make_no_forecast() -> None:
    turned = LIMITS.replace("120 ", "950 ", 1)
    assert turned != LIMITS
    found = asked(WELL + RUNNING + turned, users={"a": 10})
    assert "no forecast of the logins is made" in said(found.notices)


BACKUP = HA.format("Running in Backup Mode Reason: Peer Down", "Failed Over Reason: Initialization")


def test_who_notices_is_who_is_served_now() -> None:
    users = {"a": 10, "b": 20}
    everybody = asked(BACKUP + RUNNING + LIMITS, users=users)
    assert "30 users of a and b are without service" in said(everybody.notices)
    nobody = asked(BACKUP + RUNNING, node="b", users=users)
    assert said(nobody.notices) == "b serves nobody now: no user notices."
    unknown = asked(HA.format("Failed Over", "Normal") + RUNNING, users=users)
    assert said(unknown.notices) == "Whom a serves now is not told."
    off = asked(OFF + RUNNING, users=users)
    assert "10 users of a are without service" in said(off.notices)


def test_one_told_state_that_is_not_normal_is_enough_against_it() -> None:
    text = HA.format("Running in Backup Mode Reason: Peer Down", "Failed Over") + RUNNING
    assert "The pair is not Normal." in said(asked(text).against)


def test_versions_apart_are_a_caution_while_high_availability_is_off() -> None:
    versions = "".join(
        f"admin:show version active {node}\nNode Name : {node}\nActive Master Version: {version}\n"
        for node, version in (("a", "14.0.1.12900-161"), ("b", "15.0.1.10000-1"))
    )
    found = asked(OFF + RUNNING + versions)
    assert (found.ready, found.against) == (Ready.YES, ())
    assert "b runs 15.0.1.10000-1" in said(found.cautions)


def test_services_that_are_told_in_part_are_not_told_to_be_well() -> None:
    for part in ("A Cisco DB[STARTED]", "Cisco XCP Router[STARTED]"):
        found = asked(WELL + services("a") + f"admin:utils service list b\n{part}\n")
        absent = "Cisco XCP Router" if "DB" in part else "A Cisco DB"
        assert found.ready is Ready.UNKNOWN
        assert f"Whether these run on b is not told: {absent}." in said(found.untold)


def test_what_srm_stopped_on_an_idle_node_is_not_to_be_mended() -> None:
    states = HA.format(
        "Idle Reason: On Admin Request", "Running in Backup Mode Reason: On Admin Request"
    )
    found = asked(states + services("a", down=XCP_ROUTER) + services("b"), "b")
    assert said(found.against).startswith("The pair is not Normal.")
    assert "Mend that first" not in said(found.against)


def test_of_a_pair_of_which_one_node_is_told_nothing_is_allowed() -> None:
    found = asked(WELL.rpartition("Node 2")[0] + services("a"))
    assert found.ready is Ready.UNKNOWN
    assert "of its two nodes only a is told." in said(found.untold)
    assert found.cautions == ()
    assert said(found.notices) == "Whom a serves now is not told."
    three = asked(WELL + "Node 3 Name : c State: Normal\n" + RUNNING + services("c"))
    assert three.ready is Ready.UNKNOWN
