"""The database ends everybody's connection, again and again: the pair must not suffer for it."""

import os
import time

import psycopg
import pytest

from tests.live.lab import MISSED, REST, Lab
from tests.live.transitions import BACKUP, TRANSITIONS, Transition, check

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"),
        reason="SQLite has no connections that others could end",
    ),
]

# Longer than the silence that a node bears.
LAB_SECONDS = 300
EVERY = 0.05


def end_connections(lab: Lab) -> int:
    """End all connections to the database of the lab for five lab minutes; return how many those were."""
    ended = 0
    until = time.monotonic() + LAB_SECONDS / lab.rate
    with psycopg.connect(lab.processes.variables["DATABASE_URL"], autocommit=True) as server:
        while time.monotonic() < until:
            rows = server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            ended += len(rows.fetchall())
            time.sleep(EVERY)
    return ended


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.name)
def test_the_end_of_all_connections_in_a_transition_is_survived(
    lab: Lab, transition: Transition
) -> None:
    before = transition.enter(lab)
    assert end_connections(lab) > 10
    lab.until_watched()
    lab.wait_lab(MISSED)
    check(lab, before)
    transition.leave(lab, before)


def test_a_pair_turns_over_though_connections_end_all_the_time(lab: Lab) -> None:
    """Both nodes are stepped by one observer: with two, one may be cut off while the other is not."""
    before = lab.last_event()
    lab.request("failover")
    end_connections(lab)
    lab.until("Idle", BACKUP, REST)
    lab.request("fallback")
    end_connections(lab)
    lab.until("Normal", "Normal", REST)
    turning = {"Failing Over", "Taking Over", "Idle", BACKUP, "Taking Back", "Falling Back"}
    check(lab, before, turning | {"Normal"})
    moved = [event for event in lab.ask(f"history({before})") if event[1] == "move"]
    assert len(moved) == 2
