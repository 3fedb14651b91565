"""The database of each earlier release: migrated, everything is there, and pages tell of it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from cucm_admin.stack.prepare import check_migrations
from redundancy.models import (
    Alarm,
    AlarmNotice,
    ConfiguredFunction,
    Forecast,
    HaEvent,
    Incident,
    LogCollection,
    NodeRuntime,
    PlannedRestart,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    ReloginLimits,
    SessionMove,
    SignIn,
    UserImport,
    UserRecord,
)
from redundancy.monitor.audit import audit
from redundancy.selectors.logins import measured_logins
from tests.pages.html import soup
from tests.upgrade.keep import KEPT

RELEASES = sorted({path.name.rsplit(".", 2)[0] for path in KEPT.glob("*.sql")})


@pytest.fixture(params=["sqlite", "postgresql"])
def vendor(request: pytest.FixtureRequest) -> str:
    vendor: str = request.param
    if vendor == "postgresql" and connection.vendor != vendor:
        pytest.skip("DATABASE_URL names no PostgreSQL")
    return vendor


@pytest.fixture(params=RELEASES)
def upgraded(
    request: pytest.FixtureRequest,
    vendor: str,
    tmp_path: Path,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[dict[str, int]]:
    """The database of a release as this version's own; how many rows each table had before."""
    with django_db_blocker.unblock(), upgrading(request.param, vendor, tmp_path) as counts:
        yield counts


@contextmanager
def upgrading(
    release: str, vendor: str, folder: Path, *, changed: str = ""
) -> Iterator[dict[str, int]]:
    """Migrate the database of ``release``, first changed by the statement ``changed``."""
    before = connections["default"]
    made: Any = type(connections)({"default": database(vendor, folder)})["default"]
    connections["default"] = made
    try:
        load((KEPT / f"{release}.{vendor}.sql").read_text())
        if changed:
            with connection.cursor() as cursor:
                cursor.execute(changed)
        counts = rows()
        check_migrations()
        call_command("migrate", interactive=False, verbosity=0)
        yield counts
    finally:
        made.close()
        connections["default"] = before
        if vendor == "postgresql":
            with before._nodb_cursor() as cursor:
                cursor.execute(f"DROP DATABASE {made.settings_dict['NAME']}")


def database(vendor: str, folder: Path) -> dict[str, Any]:
    """Return the settings of a new, empty database."""
    if vendor == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(folder / "kept.sqlite3"),
            "OPTIONS": settings.SQLITE_OPTIONS,
        }
    given = dict(settings.DATABASES["default"])
    name = f"kept_{os.getpid()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return given | {"NAME": name}


def load(sql: str) -> None:
    if connection.vendor == "sqlite":
        # Without Django's foreign keys: the tables come in the order of their names.
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as file:
            file.executescript(sql)
    else:
        with connection.cursor() as cursor:
            cursor.execute(sql)


def rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        counts = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
            counts[table] = cursor.fetchone()[0]
        return counts


def test_everything_is_there_and_pages_tell_of_it(upgraded: dict[str, int]) -> None:
    now = rows()
    assert {table: now[table] for table, count in upgraded.items() if now[table] < count} == {}
    group = RedundancyGroup.objects.get()
    assert (group.name, group.ha_enabled) == ("DefaultCUPSubCluster", True)
    states = dict(NodeRuntime.objects.values_list("server__name", "state"))
    assert states["imp-sub"] == "Running in Backup Mode"
    # 20 of the sample cluster and three of a file.
    assert PresenceUser.objects.count() == 23
    assert PresenceSession.objects.filter(node__name="imp-sub").count() == 23
    assert UserImport.objects.get().state == "done"
    assert UserRecord.objects.exists()
    assert ReloginLimits.objects.get().upper == 150
    assert Forecast.objects.count() == 2
    came = [measured_logins(move, 2e9).logged_in for move in SessionMove.objects.order_by("pk")]
    assert came[0] == 12
    closed, lasting = Incident.objects.order_by("pk")
    assert (closed.ended, lasting.closed_at) == ("Both nodes are Normal", None)
    assert Alarm.objects.filter(cleared_at=None).exists()
    assert Alarm.objects.exclude(cleared_at=None).exists()
    assert AlarmNotice.objects.exists()
    assert PlannedRestart.objects.exists()
    assert "disk of one machine" in LogCollection.objects.get(state="failed").sentence
    assert SignIn.objects.exists()
    requests = HaEvent.objects.exclude(request="").order_by("pk")
    assert list(requests.values_list("request", flat=True)) == ["failover", "fallback"]
    assert audit() == []

    client = Client()
    client.force_login(User.objects.get(username="ann"))
    for name, row in (("group_edit", group), ("incident", closed), ("incident", lasting)):
        answer = client.get(reverse(name, args=[row.pk]))
        assert answer.status_code == 200
        assert "DefaultCUPSubCluster" in soup(answer).get_text()


def test_what_was_configured_for_a_service_of_a_node_is_so_for_the_cluster(
    vendor: str, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    changed = (
        "UPDATE redundancy_nodeservice SET configured = TRUE WHERE name LIKE '%%Text Conference%%' "
        "AND server_id = (SELECT MIN(id) FROM redundancy_server)"
    )
    with django_db_blocker.unblock(), upgrading("0.2.0", vendor, tmp_path, changed=changed):
        kept = list(ConfiguredFunction.objects.values_list("key", flat=True))
    assert kept == ["persistent_chat"]
