"""Backup and restore of a PostgreSQL database, by its own ``pg_dump``, ``pg_restore`` and ``psql``."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psycopg
from django.db import connection, transaction

from cucm_admin.backup.contents import check_schema, counted
from cucm_admin.backup.files import BackupError, whole

# How Django's names of the settings are called for PostgreSQL's programs.
VARIABLES = {
    "HOST": "PGHOST",
    "PORT": "PGPORT",
    "USER": "PGUSER",
    "PASSWORD": "PGPASSWORD",
    "NAME": "PGDATABASE",
}


def back_up(path: Path) -> str:
    """Write ``path``, one moment of the database, while others read and write; return what is in it."""
    with whole(path) as draft, transaction.atomic(), connection.cursor() as cursor:
        # The counts are those of the very moment that is written.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        with draft.open("wb") as file:
            _run("pg_dump", "-Fc", "-O", "-x", f"--snapshot={snapshot}", out=file)
        return _counts()


def restore(path: Path) -> str:
    """Put the backup ``path`` in the place of the tables of the database; return what is in it.

    All of it is one transaction.

    Raises:
        BackupError: The backup is damaged or of another version, or a process uses the database.

    """
    _run("pg_restore", "--file=/dev/null", str(path))
    check_schema(_migrations(path))
    _refuse_company()
    command = [_program("pg_restore"), "-O", "-x", "--file=-", str(path)]
    with (
        # What it could complain of was seen when the file was read before.
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source,
        subprocess.Popen(
            [_program("psql"), "-qXw", "-v", "ON_ERROR_STOP=1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(),
        ) as target,
    ):
        assert source.stdout is not None
        assert target.stdin is not None
        assert target.stderr is not None
        try:
            target.stdin.write(f"BEGIN;\n{_drop_tables()}\n".encode())
            shutil.copyfileobj(source.stdout, target.stdin)
            if source.wait() == 0:
                target.stdin.write(b"\nCOMMIT;\n")
            target.stdin.close()
        except BrokenPipeError:
            # It says why below; without its COMMIT nothing was changed.
            source.kill()
        why = target.stderr.read().decode(errors="replace").strip()
    if source.returncode or target.returncode:
        raise BackupError(f"{path} was not restored: {_first(why) or 'pg_restore failed'}")
    return _counts()


def holds_data() -> bool:
    """Return whether the database has tables of this product."""
    return "django_migrations" in connection.introspection.table_names()


def _counts() -> str:
    def count(statement: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.fetchone()[0])

    return counted(count)


def _migrations(path: Path) -> Iterator[tuple[str, str]]:
    listed = _run(
        "pg_restore", "--data-only", "--table=django_migrations", "--file=-", str(path)
    ).decode(errors="replace")
    rows = False
    for line in listed.splitlines():
        if line.startswith("COPY "):
            rows = True
        elif line == r"\.":
            rows = False
        elif rows:
            _, app, name, *_ = line.split("\t")
            yield app, name


def _refuse_company() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
            # Of other users' connections the kind is not told.
            "AND pid <> pg_backend_pid() AND COALESCE(backend_type, 'client backend') = 'client backend'"
        )
        (others,) = cursor.fetchone()
    # It would wait for this connection, which need not be open any more.
    connection.close()
    if others:
        raise BackupError(
            f"{others} other connection(s) use the database; stop all processes first"
        )


def _drop_tables() -> str:
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
    connection.close()
    listed = ", ".join(connection.ops.quote_name(name) for name in names)
    return f"DROP TABLE {listed} CASCADE;" if names else ""


def _environment() -> dict[str, str]:
    """Return what PostgreSQL's programs need to find the database. No password is in a command."""
    made = connection.settings_dict
    given = {name: str(made[key]) for key, name in VARIABLES.items() if made[key]}
    # Such as sslmode.
    known = {each.keyword.decode(): each.envvar for each in psycopg.pq.Conninfo.get_defaults()}
    for key, value in made["OPTIONS"].items():
        if variable := known.get(key):
            given[variable.decode()] = str(value)
    return {**os.environ, **given}


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise BackupError(
            f"{name} is not installed; on Debian and Ubuntu it is in the package postgresql-client"
        )
    return path


def _run(name: str, *arguments: str, out: IO[bytes] | int = subprocess.PIPE) -> bytes:
    done = subprocess.run(
        [_program(name), *arguments], env=_environment(), stdout=out, stderr=subprocess.PIPE
    )
    if done.returncode:
        raise BackupError(f"{name}: {_first(done.stderr.decode(errors='replace'))}")
    return done.stdout or b""


def _first(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""
