"""The vendor's names and numbers, and what each set of states and of reasons stands for."""

from redundancy.srm import states, take
from redundancy.srm.states import NUMBERS, Reason, State
from redundancy.srm.when import Situation
from tests.srm.one_node import NOW, POLICY, beat, node, services

# As the published schema has them.
SCHEMA = (
    "Unknown",
    "Initializing",
    "Idle",
    "Normal",
    "Running in Backup Mode",
    "Taking Over",
    "Taking Back",
    "Failing Over",
    "Failed Over",
    "Failed Over with Critical Services not Running",
    "Falling Back",
    "Running in Failed Mode",
)


def test_names_and_numbers_are_those_of_the_published_schema() -> None:
    assert {number: state.value for state, number in NUMBERS.items()} == dict(enumerate(SCHEMA))
    assert set(State) - set(NUMBERS) == {"Backup Activated", "Failover Affected Services"}
    assert states.NOT_RESPONDING == "Cisco Server Recovery Manager Not Responding"


def test_every_state_is_calm_or_failed_or_one_part_of_a_failover() -> None:
    parts = (
        states.FAILOVER_IN_PROGRESS,
        states.FALLBACK_IN_PROGRESS,
        states.BACKUP_MODES,
        states.FAILED_OVER_STATES,
    )
    assert sorted(state for part in parts for state in part) == sorted(states.AWAY)
    assert {"Normal", "Initializing", "Unknown"} == states.CALM
    assert set(State) - states.AWAY - states.CALM == {State.FAILED}


def test_who_is_in_which_part() -> None:
    assert {"Failing Over", "Taking Over"} == states.FAILOVER_IN_PROGRESS
    assert {"Falling Back", "Taking Back"} == states.FALLBACK_IN_PROGRESS
    assert {"Running in Backup Mode", "Backup Activated"} == states.BACKUP_MODES
    assert {"Failed Over", "Failover Affected Services"} == states.AWAITING_FALLBACK
    assert {
        "Initializing",
        *states.FAILOVER_IN_PROGRESS,
        *states.FALLBACK_IN_PROGRESS,
    } == states.TRANSITIONS


def test_who_serves_whom() -> None:
    assert {"Normal", *states.BACKUP_MODES} == states.SERVING
    assert {"Taking Over", *states.BACKUP_MODES} == states.SERVING_FOR_PEER
    assert {
        "Idle",
        "Failed Over",
        "Failed Over with Critical Services not Running",
        "Failover Affected Services",
        "Running in Failed Mode",
    } == states.SERVES_NOBODY


def test_reasons_of_silence_are_those_a_node_gives_when_its_peer_is_gone() -> None:
    nodes = [
        node(State.NORMAL),
        node(State.NORMAL, peer=beat(State.NORMAL)),
        node(State.NORMAL, peer=beat(State.NORMAL, leaving=True)),
    ]
    given = {take.GONE.reason(Situation(each, NOW, POLICY)) for each in nodes}
    assert given == states.SILENCE_REASONS


def test_reasons_of_services_are_those_a_node_gives_when_one_is_down() -> None:
    nodes = [node(State.NORMAL, services=down) for down in (services(95), services(None, 95))]
    given = {
        source: {source.reason(Situation(each, NOW, POLICY)) for each in nodes}
        for source in (take.FAULT, take.AUTO)
    }
    assert given[take.AUTO] == states.AUTO_REASONS
    assert given[take.AUTO] | given[take.FAULT] == states.SERVICE_REASONS
    assert Reason.DATABASE_FAILURE in given[take.FAULT]
