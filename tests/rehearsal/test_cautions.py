"""What an administrator would be asked about before a step, in the timeline of a rehearsal."""

import pytest

from redundancy.models import Server
from redundancy.operations import sample, services
from redundancy.rehearsal import report
from redundancy.rehearsal.format import parse_scenario
from redundancy.rehearsal.virtual import play
from redundancy.selectors.effects import shut_after

MANAGER = "Cisco XCP Connection Manager"
SAID = (
    f"Nobody can log in at imp-sub: {MANAGER} does not run there. Server Recovery Manager does not "
    "monitor that: no failover follows, and users wait until somebody starts them."
)


def told(*steps: str, more: str = "") -> list[str]:
    text = "".join(f"  - {{{step}}}\n" for step in steps)
    scenario = parse_scenario(
        f"name: A\n{more}steps:\n  - {{at: 0s, do: enable ha}}\n{text}", "a.yaml"
    )
    lines = report.text(play(scenario), live=False)
    return [line.split("caution: ")[1] for line in lines if "caution: " in line]


def test_a_failover_to_a_node_where_nobody_can_log_in() -> None:
    stop = f"at: 1m, do: stop {MANAGER} on imp-sub"
    assert told(stop, "at: 2m, do: failover imp-pub") == [SAID]
    # Of the node that is left nothing is said.
    assert told(stop, "at: 2m, do: failover imp-sub") == []


def test_one_that_is_refused_is_not_asked_about() -> None:
    assert told(f"at: 0s, do: stop {MANAGER} on imp-sub", "at: 0s, do: failover imp-sub") == []
    assert (
        told("at: 1m, do: stop Cisco XCP Router on imp-sub", "at: 2m, do: failover imp-pub") == []
    )


def test_a_fallback_starts_what_stopped_with_the_router() -> None:
    steps = ("at: 1m, do: failover imp-pub", "at: 5m, do: fallback imp-pub")
    assert told(*steps) == []
    missing = "Cisco Client Profile Agent"
    stop = f"at: 3m, do: stop {missing} on imp-pub"
    [said] = told(steps[0], stop, steps[1])
    assert said.startswith(f"Nobody can log in at imp-pub: {missing} does not run there.")


EARLY = (
    "logged in at imp-sub; 2 clients have not logged in again yet. The presence of clients whose "
    "sessions are not there again is broken when High Availability is enabled before."
)


def test_high_availability_that_is_enabled_before_the_sessions_are_back() -> None:
    restart = ("at: 1m, do: disable ha", "at: 3m, do: restart Cisco XCP Router on imp-sub")
    users = "users: {imp-pub: 2, imp-sub: 2}\n"
    assert told(*restart, "at: 3m10s, do: enable ha", more=users) == [f"0 {EARLY}"]
    # With the longest wait they are back.
    assert told(*restart, "at: 13m, do: enable ha", more=users) == []
    # It is on already; nobody can be back where a login is impossible.
    assert told("at: 1m, do: restart Cisco XCP Router on imp-sub", "at: 2m, do: enable ha") == []
    stop = "at: 3m, do: stop Cisco XCP Router on imp-sub"
    assert told(restart[0], stop, "at: 3m10s, do: enable ha", more=users) == []


@pytest.mark.django_db
def test_the_running_system_says_the_same() -> None:
    sample.load_sample_cluster(actor="")
    first, second = Server.objects.select_related("group").order_by("slot").exclude(slot=None)
    assert shut_after("failover", first, second) == []
    services.stop_service(server=second, name=MANAGER, actor="")
    assert [str(each) for each in shut_after("failover", first, second)] == [SAID]
    assert [str(each) for each in shut_after("fallback", second, first)] == [SAID]
    assert shut_after("fallback", first, second) == []
    services.stop_service(server=second, name="Cisco XCP Router", actor="")
    assert shut_after("fallback", second, first) == []
