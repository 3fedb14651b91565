"""Backups of PostgreSQL: a bad one changes nothing, and nobody is overlooked."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

from cucm_admin.backup import postgresql
from cucm_admin.backup.files import BackupError, kind_of
from tests.upgrade.keep import KEPT

GIVEN = os.environ.get("DATABASE_URL", "")

pytestmark = [
    pytest.mark.process,
    pytest.mark.database,
    pytest.mark.skipif(not GIVEN.startswith("postgres"), reason="DATABASE_URL names no PostgreSQL"),
    pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed"),
]


@pytest.fixture
def database(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    """The database of an earlier release, as the one that is backed up and restored into."""
    name = f"cucm_admin_{uuid.uuid4().hex}"
    with psycopg.connect(GIVEN, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    own = connections["default"].copy()
    own.settings_dict = {**own.settings_dict, "NAME": name}
    monkeypatch.setattr(postgresql, "connection", own)
    monkeypatch.setattr(postgresql, "transaction", _Transaction(own))
    with django_db_blocker.unblock():
        _fill(name)
        yield own
        own.close()
    with psycopg.connect(GIVEN, autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


class _Transaction:
    """Django's ``transaction`` for a connection that is not among the settings."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection

    def atomic(self) -> "_Transaction":
        return self

    def __enter__(self) -> None:
        self._connection.ensure_connection()
        self._connection.set_autocommit(False)

    def __exit__(self, *_: object) -> None:
        self._connection.rollback()
        self._connection.set_autocommit(True)


def _fill(name: str) -> None:
    address = urlsplit(GIVEN)._replace(path=f"/{name}").geturl()
    with psycopg.connect(address) as made:
        made.execute((KEPT / "0.2.0.postgresql.sql").read_text().encode())
    with psycopg.connect(address) as made:
        made.execute("SET search_path TO public")
        made.execute("UPDATE redundancy_server SET description = 'as it was'")


def said(database: BaseDatabaseWrapper) -> set[str]:
    with database.cursor() as cursor:
        cursor.execute("SELECT description FROM public.redundancy_server")
        found = {text for (text,) in cursor.fetchall()}
    database.close()
    return found


def say(database: BaseDatabaseWrapper, text: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("UPDATE public.redundancy_server SET description = %s", [text])
    database.close()


def test_a_backup_is_restored_over_what_came_later(
    database: BaseDatabaseWrapper, tmp_path: Path
) -> None:
    path = tmp_path / "backup"
    told = postgresql.back_up(path)
    assert "servers: 2; presence redundancy groups: 1; presence users: 23" in told
    assert (kind_of(path), path.stat().st_mode & 0o777) == ("postgresql", 0o600)
    say(database, "later")
    with database.cursor() as cursor:
        # A later version's table, which holds on to one of the backup's.
        cursor.execute("CREATE TABLE later (server BIGINT REFERENCES redundancy_server (id))")
    assert postgresql.holds_data()
    database.close()
    assert postgresql.restore(path) == told
    assert said(database) == {"as it was"}


@pytest.mark.parametrize("what", ["cut off", "strange", "later"])
def test_a_bad_backup_changes_nothing(
    database: BaseDatabaseWrapper, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "backup"
    if what == "later":
        with database.cursor() as cursor:
            cursor.execute(
                "INSERT INTO public.django_migrations (app, name, applied) "
                "VALUES ('redundancy', '9999_later', now())"
            )
    if what == "strange":
        command = ["pg_dump", "-Fc", "--table=public.redundancy_server", f"--file={path}"]
        subprocess.run(command, env=postgresql._environment(), check=True)
    else:
        postgresql.back_up(path)
    database.close()
    if what == "cut off":
        path.write_bytes(path.read_bytes()[:-20_000])
    say(database, "later")
    with pytest.raises(BackupError):
        postgresql.restore(path)
    assert said(database) == {"later"}


def test_a_restore_that_breaks_in_the_middle_changes_nothing(
    database: BaseDatabaseWrapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "backup"
    postgresql.back_up(path)
    say(database, "later")
    # Gone between the check and the restore: what was read until then must not stay.
    real = postgresql._refuse_company

    def damage() -> None:
        real()
        path.write_bytes(path.read_bytes()[:-20_000])

    monkeypatch.setattr(postgresql, "_refuse_company", damage)
    with pytest.raises(BackupError, match="was not restored"):
        postgresql.restore(path)
    assert said(database) == {"later"}


def test_a_database_that_somebody_uses_is_not_replaced(
    database: BaseDatabaseWrapper, tmp_path: Path
) -> None:
    path = tmp_path / "backup"
    postgresql.back_up(path)
    database.close()
    address = urlsplit(GIVEN)._replace(path=f"/{database.settings_dict['NAME']}").geturl()
    with psycopg.connect(address), pytest.raises(BackupError, match=r"1 other connection\(s\) use"):
        postgresql.restore(path)


def test_a_program_that_is_not_there_is_named(
    database: BaseDatabaseWrapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match=r"^pg_dump is not installed; .* postgresql-client$"):
        postgresql.back_up(tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []
