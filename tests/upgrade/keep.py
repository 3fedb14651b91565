"""Keep a dump of this version's database, for later versions to upgrade.

Not collected with the suite. Once for each release, on both databases, whose files are then committed:

    .venv/bin/python -m pytest tests/upgrade/keep.py
    DATABASE_URL=postgres://… .venv/bin/python -m pytest tests/upgrade/keep.py

Needs ``pg_dump`` of PostgreSQL. A dump that exists is never replaced: the release is out.
"""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from redundancy.alarms import writes as alarms
from redundancy.clock import lab_now
from redundancy.operations import actions, measured, sample, services
from redundancy.operations.signins import Outcome, record_sign_in
from redundancy.parameters.writes import parameters
from redundancy.planned import writes as planned
from redundancy.traces import writes as traces
from tests.imports.jobs import GOOD, done
from tests.live.conftest import pair as pair
from tests.live.pair import ROUTER, Pair, server

KEPT = Path(__file__).parent / "kept"
PROJECT = Path(__file__).parents[2] / "pyproject.toml"
# Settings of the session that restores, some of which another PostgreSQL does not know.
_SETTING = re.compile(r"^(SET |SELECT pg_catalog\.set_config|\\|--)")


@pytest.fixture(autouse=True)
def few_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sample cluster be small."""
    monkeypatch.setattr(sample, "USERS", 20)


def test_keep(few_users: None, pair: Pair) -> None:
    live(pair)
    version = tomllib.loads(PROJECT.read_text())["project"]["version"]
    KEPT.mkdir(exist_ok=True)
    with (KEPT / f"{version}.{connection.vendor}.sql").open("x") as file:
        file.writelines(f"{line}\n" for line in dump())


def live(pair: Pair) -> None:
    """Let the cluster live through what there is: a failover and the way back, and one that goes on."""
    pub = server("imp-pub")
    User.objects.create_superuser("ann")
    record_sign_in(username="ann", outcome=Outcome.OK, address="192.0.2.1")
    parameters.set_parameters(values={"relogin_upper": "150"}, server=pub, actor="ann")
    done(GOOD)
    alarms.save_channel(
        channel=None, name="desk", url="json://127.0.0.1/x", enabled=True, actor="ann"
    )
    actions.request_failover(node=pub, serial=None, actor="ann")
    pair.run(5)
    alarms.reconcile()
    pair.run(600)
    measured.keep_complete(lab_now())
    actions.request_fallback(node=pub, serial=None, actor="ann")
    pair.run(5)
    alarms.reconcile()
    planned.begin(server=server("imp-sub"), service=ROUTER, actor="ann")
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(95)
    assert pair.states()[1] == "Running in Backup Mode"
    alarms.reconcile()
    assert pub.group is not None
    traces.begin_collection(group=pub.group, since=lab_now() - 600, until=lab_now(), actor="ann")


def dump() -> Iterator[str]:
    """Yield the lines of the SQL that makes the database as it is."""
    if connection.vendor == "sqlite":
        yield from connection.connection.iterdump()
        return
    made: dict[str, Any] = connection.settings_dict
    command = ["pg_dump", "--inserts", "--rows-per-insert=1000", "--no-owner", "--no-privileges"]
    command += ["-h", made["HOST"], "-p", str(made["PORT"]), "-U", made["USER"], made["NAME"]]
    environment = os.environ | {"PGPASSWORD": made["PASSWORD"]}
    text = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    yield from (
        line for line in text.stdout.split("\n") if line.strip() and not _SETTING.match(line)
    )
