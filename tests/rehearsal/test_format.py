"""Every error of a scenario file names the file, the line, and what was expected there."""

from pathlib import Path

import pytest

from redundancy.rehearsal.actions import FAULTS, Action, Verb, parse_action
from redundancy.rehearsal.format import BadFile, load_scenario
from redundancy.rehearsal.format import parse_scenario as read
from redundancy.rehearsal.scenario import When

NODES = ("imp-pub", "imp-sub")
GOOD = """\
name: A test
users: {imp-pub: 3}
services: {imp-pub: [Cisco XCP Text Conference Manager]}
parameters: {Enable Automatic Fallback: true, Keep Alive (Heartbeat) Timeout: 90}
seed: 7
steps:
  - {at: 0s, do: enable ha}
  - {at: 1m40s, do: failover imp-pub}
  - {by: 1h, expect: {imp-pub: [Idle, Normal / Normal], sessions: {imp-sub: [3, 4]}, refused: failover imp-pub}}
  - {until: 2h, expect: {imp-sub: Cisco Server Recovery Manager Not Responding}}
"""


def test_a_good_file_is_read_as_it_says() -> None:
    scenario = read(GOOD, "a.yaml")
    assert (scenario.name, scenario.nodes, scenario.seed) == ("A test", NODES, 7)
    assert scenario.users == {"imp-pub": 3, "imp-sub": 0}
    assert scenario.services["imp-pub"] == ("Cisco XCP Text Conference Manager",)
    assert scenario.parameters == {"automatic_fallback": "True", "heartbeat_timeout": "90"}
    assert [(step.when, step.moment, step.line) for step in scenario.steps] == [
        (When.AT, 0, 7),
        (When.AT, 100, 8),
        (When.BY, 3600, 9),
        (When.UNTIL, 7200, 10),
    ]
    expected = scenario.steps[2].expectation
    assert expected is not None
    assert expected.states == {"imp-pub": (("Idle", None), ("Normal", "Normal"))}
    assert expected.sessions == {"imp-sub": ((3, 3), (4, 4))}
    assert expected.refused == Action(Verb.FAILOVER, "failover imp-pub", node="imp-pub")


def test_how_clients_are_is_among_the_parameters() -> None:
    text = GOOD.replace("Timeout: 90", 'Timeout: 90, "Lab: Clients per User": 2').replace(
        "do: failover imp-pub", 'do: "set Lab: Push Clients to 25"'
    )
    scenario = read(text.replace(", refused: failover imp-pub", ""), "a.yaml")
    assert scenario.parameters == {"automatic_fallback": "True", "heartbeat_timeout": "90"}
    assert scenario.clients == {"clients_per_user": "2"}
    action = scenario.steps[1].action
    assert action is not None
    assert (action.parameter, action.value) == ("push_clients", "25")


# What is replaced in the good file, by what, the line of the error, and what it says.
BAD = [
    (GOOD, "", 1, "expected a scenario, found nothing"),
    (GOOD, "- a", 1, "a scenario: a mapping, not a list"),
    (GOOD, "name: [", 1, "not YAML"),
    (GOOD, "a: 1\n---\nb: 2", 2, "not YAML"),
    (GOOD, "name: &a [*a]\nsteps: *a", 1, "a name, not a list"),
    ("name: A test\n", "", 1, "the key 'name'"),
    ("name: A test", "name:", 1, "a name, not nothing"),
    ("seed: 7", "speed: 7", 5, "one of the keys name"),
    ("seed: 7", "seed: -7", 5, "a whole number from 0"),
    ("seed: 7", "name: B", 5, "stands there twice"),
    ("seed: 7", "nodes: [imp-pub]", 5, "two different nodes"),
    ("seed: 7", "nodes: [imp-pub, IMP-PUB]", 5, "two different nodes"),
    ("seed: 7", "nodes: [imp-pub, sessions]", 5, "the name of a node, not 'sessions'"),
    ("seed: 7", "nodes: [imp-pub, -x-]", 5, "host name"),
    ("{imp-pub: 3}", "{imp-sup: 3}", 2, "a node: one of imp-sub, imp-pub"),
    ("{imp-pub: 3}", "{imp-pub: 3.5}", 2, "a number of users"),
    ("{imp-pub: 3}", "3", 2, "users: a mapping, not '3'"),
    ("Cisco XCP Text Conference Manager", "Cisco XCP Router", 3, "an optional service"),
    ("Enable Automatic Fallback: true", "Automatic Fallback: true", 4, "Enable Automatic Fallback"),
    ("Fallback: true", "Fallback: maybe", 4, "must be True or False"),
    ("Timeout: 90", "Timeout: 5", 4, "from 15 to 3600 seconds"),
    ("Timeout: 90", "Timeout: 500", 4, "must not be below"),
    ("{at: 0s, do: enable ha}", "enable ha", 7, "a step: a mapping"),
    ("{at: 0s, do: enable ha}", "{do: enable ha}", 7, "exactly one of at, by and until"),
    ("{at: 0s, do: enable ha}", "{at: 0s, by: 1s, do: enable ha}", 7, "exactly one of at"),
    ("{at: 0s, do: enable ha}", "{at: 0s}", 7, "exactly one of do and expect"),
    ("{at: 0s, do: enable ha}", "{at: 0s, doo: enable ha}", 7, "at, by or until"),
    ("{at: 0s, do: enable ha}", "{by: 0s, do: enable ha}", 7, "only at goes with do"),
    ("at: 0s", "at: 0", 7, "a time such as 90s"),
    ("at: 0s", "at: 1s2m", 7, "a time such as 90s"),
    ("at: 0s", "at: 2000h", 7, "at most 1000h"),
    ("at: 0s", "at: 5m", 8, "not before that of the step above"),
    ("enable ha", "enable hal", 7, "one of enable ha, disable ha"),
    ("do: failover imp-pub", "do: failover imp-pup", 8, "one of imp-pub"),
    ("do: failover imp-pub", "do: stop Cisco XCP Ruter on imp-pub", 8, "one of Cisco XCP Router"),
    ("do: failover imp-pub", "do: activate Cisco XCP Router on imp-pub", 8, "a feature service"),
    ("do: failover imp-pub", "do: cut link from imp-pub to imp-pub", 8, "two different nodes"),
    ("do: failover imp-pub", "do: lose 130% of heartbeats", 8, "a percentage from 1%"),
    ("do: failover imp-pub", "do: pause observer soon", 8, "a time such as"),
    ("do: failover imp-pub", "do: set Critical Service Delay to 2", 8, "from 15 to 3600"),
    ("Timeout: 90", 'Timeout: 90, "Lab: Push Clients": 30', 4, "must be 0, 10, 25, 50, 75, 100"),
    ("Timeout: 90", "Timeout: 90, User Assignment Mode for Presence Server: None", 4, "a parameter"),
    ("do: failover imp-pub", 'do: "set Lab: Clients per User to 9"', 8, "must be 1, 2, 3, 4, 5"),
    ("do: failover imp-pub", "do: [recover, recover]", 8, "an action, not a list"),
    ("refused: failover imp-pub", "refused: failover imp-sub", 9, "an earlier step does"),
    ("[Idle, Normal / Normal]", "[Idle, Normal / Idel]", 9, "a reason: one of"),
    ("[Idle, Normal / Normal]", "Sleeping", 9, "a state: one of"),
    ("[Idle, Normal / Normal]", "[]", 9, "a state, not a list"),
    ("imp-sub: Cisco Server", "imp-sup: Cisco Server", 10, "imp-pub or imp-sub, sessions, active or refused"),
    ("Not Responding", "Not Responding / Normal", 10, "no reason after"),
    ("{imp-sub: [3, 4]}", "{imp-sub: many}", 9, "a number of sessions"),
    ("{imp-sub: Cisco Server Recovery Manager Not Responding}", "{}", 10, "a state, sessions"),
    ("sessions: {imp-sub: [3, 4]}", "active: {imp-sub: 9 to 3}", 9, "400 to 600"),
    ("sessions: {imp-sub: [3, 4]}", "active: {imp-sub: 1 to 2 to 3}", 9, "400 to 600"),
    ("sessions: {imp-sub: [3, 4]}", "active: {imp-sub: ~}", 9, "400 to 600"),
    ("sessions: {imp-sub: [3, 4]}", "active: {imp-sub: 999999}", 9, "400 to 600"),
    ("sessions: {imp-sub: [3, 4]}", "active: {imp-sup: 3}", 9, "a node"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "expected"), BAD)
def test_a_bad_file_is_refused_with_its_line(old: str, new: str, line: int, expected: str) -> None:
    assert old in GOOD
    with pytest.raises(BadFile) as caught:
        read(GOOD.replace(old, new), "a.yaml")
    assert str(caught.value).startswith(f"a.yaml:{line}: ")
    assert expected in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(BadFile, match=f"^{path}: "):
            load_scenario(path)
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe9")
    with pytest.raises(BadFile, match="UTF-8"):
        load_scenario(tmp_path / "latin.yaml")


SENTENCES = {
    Verb.STOP_SERVICE: "stop A Cisco DB on imp-sub",
    Verb.START_SERVICE: "start A Cisco DB on imp-sub",
    Verb.RESTART_SERVICE: "restart A Cisco DB on imp-sub",
    Verb.ACTIVATE: "activate Cisco XCP Message Archiver on imp-sub",
    Verb.DEACTIVATE: "deactivate Cisco Presence Engine on imp-sub",
    "cut link from NODE to OTHER": "cut link from imp-sub to imp-pub",
    "delay link DURATION": "delay link 20s",
    "lose PERCENT of heartbeats": "lose 30% of heartbeats",
    Verb.SIGN_OUT: "sign out 10% of imp-sub",
    Verb.SIGN_IN: "sign in 100% of imp-sub",
    "pause observer DURATION": "pause observer 10m",
    Verb.SET_PARAMETER: "set Keep Alive (Heartbeat) Timeout to 90",
}


def test_a_percentage_may_stand_apart_from_its_sign() -> None:
    assert parse_action("sign out 10 % of imp-sub", NODES) == parse_action(
        "sign out 10% of imp-sub", NODES
    )


@pytest.mark.parametrize("verb", [*Verb, *FAULTS])
def test_each_verb_is_read_from_its_sentence(verb: str) -> None:
    text = SENTENCES.get(verb, verb.replace("NODE", "imp-sub"))
    action = parse_action(f"  {text} ".replace(" ", "  "), NODES)
    assert (action.verb, action.text) == (verb, text)
    assert action.node == ("imp-sub" if "imp-sub" in text else "")
    if {"DURATION", "PERCENT"} & set(verb.split()) and not text.startswith("sign"):
        assert (action.seconds or action.percent) in {20, 600, 30}
        assert verb in FAULTS
