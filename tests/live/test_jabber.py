"""Clients that really log in, against the running system: they fail over by themselves, within their limits."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from cucm_admin.stack.run import BASE_DIR
from tests.live.lab import REST, Lab, running
from tests.ready import Ready
from tests.stacks import find_port, own_environment

CLIENTS, LOWER, UPPER = 20, 20, 100
# Its limits are a second and five of the wall clock.
RATE = 20
AGENT = "Cisco Client Profile Agent"


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory,
    given_redis: redis.Redis | None,
    begun: Ready,
) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with (
        own_environment(begun.fill(folder / "var"), find_port(), begun.template) as variables,
        running(variables, folder, RATE, web=True) as made,
    ):
        made.ask("sample.load_sample_cluster(actor='')")
        made.rest()
        for name in ("imp-pub", "imp-sub"):
            values = {"relogin_lower": str(LOWER), "relogin_upper": str(UPPER)}
            made.ask(
                f"parameters.set_parameters(values={values!r}, server=server({name!r}), actor='')"
            )
        yield made
    if given_redis is not None:
        given_redis.flushdb()


class Jabber:
    """The command, in a process of its own."""

    def __init__(self, lab: Lab, *arguments: str) -> None:
        variables = lab.processes.variables
        self._lab = lab
        command = [sys.executable, "manage.py", "jabber", str(CLIENTS), "--json", *arguments]
        url = f"http://127.0.0.1:{variables['PORT']}"
        self.process = subprocess.Popen(
            [*command, "--url", url, "--seconds", "300"],
            cwd=BASE_DIR,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ends(self) -> dict[str, Any]:
        out, err = self.process.communicate(timeout=400)
        assert self.process.returncode == 0, err + out + self._lab.processes.log()
        found: dict[str, Any] = json.loads(out)
        return found


@pytest.fixture
def jabber(lab: Lab) -> Iterator[Callable[..., Jabber]]:
    started: list[Jabber] = []

    def start(*arguments: str) -> Jabber:
        started.append(Jabber(lab, *arguments))
        until(lab, real("relogin_at__lte=clock.lab_now()"), CLIENTS)
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


def real(conditions: str = "") -> str:
    return f"PresenceSession.objects.filter(by_client=True, {conditions}).count()"


def until(lab: Lab, question: str, wanted: int, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while (found := lab.ask(question)) != wanted:
        assert time.monotonic() < deadline, f"{question}: {found}\n{lab.processes.log()}"
        time.sleep(0.2)


def test_all_log_in_at_the_peer_and_at_home_again(lab: Lab, jabber: Callable[..., Jabber]) -> None:
    playing = jabber("--moves", "2")
    lab.request("failover")
    lab.until("Idle", "Running in Backup Mode")
    there = "node__name='imp-sub', relogin_at__lte=clock.lab_now()"
    until(lab, real(there), CLIENTS)
    assert lab.ask("breaches()") == []
    lab.request("fallback")
    lab.until("Normal", "Normal")
    told = playing.ends()
    assert (told["connected"], told["away"], len(told["moves"])) == (CLIENTS, 0, 2)
    failover, _fallback = told["moves"]
    # The users of the sample cluster are at home on both nodes by turns.
    assert failover["lost"] == failover["back"] > 0
    assert (failover["lower"], failover["upper"]) == (LOWER, UPPER)
    assert failover["first"] >= LOWER - 0.1
    assert failover["until"]["100"] >= failover["until"]["50"] >= LOWER - 0.1
    assert lab.ask(real()) == 0
    assert lab.ask("breaches()") == []


def test_nobody_is_let_in_without_the_login_services(
    lab: Lab, jabber: Callable[..., Jabber]
) -> None:
    lab.until("Normal", "Normal", REST)
    playing = jabber("--moves", "1")
    lab.ask(f"services.stop_service(server=server('imp-sub'), name={AGENT!r}, actor='')")
    lab.request("failover")
    lab.until("Idle", "Running in Backup Mode")
    lost = lab.ask(real("user__home__name='imp-pub'"))
    waits = "node__name='imp-sub', relogin_at__gt=clock.lab_now()"
    # Each has tried once at least.
    lab.wait_lab(UPPER + 50)
    assert lab.ask(real(waits)) == lost > 0
    assert lab.ask("breaches()") == []
    lab.ask(f"services.start_service(server=server('imp-sub'), name={AGENT!r}, actor='')")
    told = playing.ends()
    (failover,) = told["moves"]
    assert failover["back"] == failover["lost"] == lost
    assert failover["failures"]["no-service"] >= lost
    assert lab.ask("breaches()") == []
