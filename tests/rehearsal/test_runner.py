"""What at, by, until and refused mean, judged on scenarios whose timeline is known."""

import pytest

from redundancy.rehearsal import report
from redundancy.rehearsal.format import parse_scenario
from redundancy.rehearsal.runner import Playthrough, Snapshot, Verdict
from redundancy.rehearsal.virtual import play

HEAD = """\
name: A router dies
users: {imp-pub: 3, imp-sub: 2}
steps:
  - {at: 0s, do: enable ha}
  - {at: 1m40s, do: stop Cisco XCP Router on imp-pub}
"""
# The node fails over at 3m10s, in no time: Failing Over, Taking Over, moved, Backup.
N = "{imp-pub: Normal / Normal, imp-sub: Normal / Normal}"
GONE = "{imp-pub: Failed Over with Critical Services not Running}"
PASSING = "{imp-pub: Failing Over, imp-sub: Taking Over / Critical Service Down}"


def played(*steps: str) -> Playthrough:
    return play(parse_scenario(HEAD + "".join(f"  - {step}\n" for step in steps), "a.yaml"))


CASES = [
    (f"{{at: 3m9s, expect: {N}}}", True),
    (f"{{at: 3m10s, expect: {N}}}", False),
    (f"{{at: 3m10s, expect: {GONE}}}", True),
    # A state that passes at one moment is met by `by`, not by `at`.
    (f"{{at: 3m10s, expect: {PASSING}}}", False),
    (f"{{by: 3m10s, expect: {PASSING}}}", True),
    (f"{{by: 3m9s, expect: {GONE}}}", False),
    (f"{{by: 10m, expect: {GONE}}}", True),
    (f"{{until: 3m9s, expect: {N}}}", True),
    (f"{{until: 3m10s, expect: {N}}}", False),
    (f"{{until: 10m, expect: {N}}}", False),
    # A list is any of its values; a state may stand without its reason.
    ("{at: 5m, expect: {imp-sub: [Idle, Running in Backup Mode]}}", True),
    ("{at: 5m, expect: {imp-sub: [Idle, Running in Backup Mode / Peer Down]}}", False),
    ("{at: 5m, expect: {sessions: {imp-pub: 0, imp-sub: [4, 5]}}}", True),
    ("{at: 5m, expect: {sessions: {imp-sub: 4}}}", False),
    # Everything must hold at the same moment.
    ("{by: 5m, expect: {imp-pub: Failing Over, sessions: {imp-sub: 5}}}", True),
    ("{by: 5m, expect: {imp-pub: Normal, imp-sub: Running in Backup Mode}}", False),
]


@pytest.mark.parametrize(("step", "held"), CASES)
def test_an_expectation_is_judged_by_its_moment(step: str, held: bool) -> None:
    outcome = played(step)
    assert [verdict.held for verdict in outcome.verdicts] == [held]
    assert outcome.held is held


def test_by_is_over_as_soon_as_it_holds_and_until_goes_on_from_there() -> None:
    outcome = played(f"{{by: 10m, expect: {GONE}}}", f"{{until: 20m, expect: {GONE}}}")
    assert [verdict.at for verdict in outcome.verdicts] == [190, 1200]
    assert outcome.held


def test_a_broken_until_tells_when_and_the_rehearsal_goes_on() -> None:
    outcome = played(
        f"{{until: 20m, expect: {N}}}",
        "{at: 20m, do: start Cisco XCP Router on imp-pub}",
        "{at: 20m, expect: {imp-pub: Failed Over / Critical Service Down}}",
    )
    broken, last = outcome.verdicts
    assert (broken.held, broken.snapshot.at, broken.snapshot.states["imp-pub"][0]) == (
        False,
        190,
        "Failing Over",
    )
    assert last.held
    assert "line 6; at 0:03:10" in "\n".join(report.text(outcome, live=False))


def test_steps_at_the_same_moment_run_in_order_each_after_what_the_one_before_caused() -> None:
    outcome = played(
        "{at: 10m, do: start Cisco XCP Router on imp-pub}",
        "{at: 10m, do: fallback imp-pub}",
        f"{{at: 10m, expect: {N}}}",
        "{at: 10m, do: failover imp-sub}",
        "{at: 10m, expect: {imp-sub: Idle, imp-pub: Running in Backup Mode}}",
    )
    assert outcome.held


def test_refused_is_about_the_last_try() -> None:
    outcome = played(
        "{at: 4m, do: fallback imp-pub}",
        "{at: 4m, expect: {refused: fallback imp-pub}}",
        "{at: 5m, do: start Cisco XCP Router on imp-pub}",
        "{at: 5m, do: fallback imp-pub}",
        "{at: 5m, expect: {refused: fallback imp-pub}}",
    )
    assert [verdict.held for verdict in outcome.verdicts] == [True, False]
    assert any("refused: Fallback needs all critical services" in line for line in _text(outcome))


def test_the_timeline_has_each_change_with_its_sentence_and_the_sessions() -> None:
    lines = played(f"{{at: 4m, expect: {GONE}}}").lines
    changes = [line for line in lines if isinstance(line, Snapshot) and line.at == 190]
    assert [
        (line.node, line.states[line.node][0], line.sessions["imp-sub"]) for line in changes
    ] == [
        ("imp-pub", "Failing Over", 2),
        ("imp-sub", "Taking Over", 2),
        ("imp-sub", "Running in Backup Mode", 5),
        ("imp-pub", "Failed Over with Critical Services not Running", 5),
    ]
    assert all(line.sentence for line in changes)
    assert isinstance(lines[-1], Verdict)


def test_one_seed_is_one_history() -> None:
    def lossy(seed: int) -> Playthrough:
        text = HEAD.replace("  - {at: 1m40s, do: stop Cisco XCP Router on imp-pub}\n", "")
        steps = "  - {at: 1m, do: lose 60% of heartbeats}\n  - {at: 2h, do: restore link}\n"
        return play(parse_scenario(f"seed: {seed}\n{text}{steps}", "a.yaml"))

    assert lossy(1).lines == lossy(1).lines
    assert lossy(1).lines != lossy(2).lines


def _text(outcome: Playthrough) -> list[str]:
    return report.text(outcome, live=False)
