"""Measure a part in a process of its own on each database: settings are read once a process."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import psycopg

from cucm_admin import garbage
from tests.bench.figures import Figure
from tests.stacks import find_port, own_environment

# Where a PostgreSQL is looked for when DATABASE_URL names none.
LOCAL = "postgres://postgres@127.0.0.1:5432/postgres"


def on_each(module: str, databases: Collection[str] = ("SQLite", "PostgreSQL")) -> Iterator[Figure]:
    """Run ``python -m module NAME`` on these databases, and yield the figures it tells.

    PostgreSQL is the server of DATABASE_URL, or one on this machine. Where there is none, a figure
    says so.
    """
    given = os.environ.pop("DATABASE_URL", None)
    if "SQLite" in databases:
        yield from _told(module, "SQLite")
    part = module.rpartition(".")[2]
    try:
        with psycopg.connect(given or LOCAL, connect_timeout=2) as server:
            if server.execute("SHOW autovacuum").fetchone() == ("off",):
                text = "autovacuum is off: tables grow, and plans are made without counts"
                yield Figure(part, "PostgreSQL", text)
    except psycopg.Error as error:
        yield Figure(part, "PostgreSQL", f"not measured: {str(error).splitlines()[0]}")
        return
    os.environ["DATABASE_URL"] = given or LOCAL
    try:
        yield from _told(module, "PostgreSQL")
    finally:
        if given is None:
            del os.environ["DATABASE_URL"]


def set_up() -> None:
    """Let this process be one of the product, with a database that is migrated."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    # As its processes do when they have loaded.
    garbage.settle()


def tell(figures: Iterable[Figure]) -> None:
    """Hand the figures to the process that asked for them."""
    for figure in figures:
        print(json.dumps(asdict(figure)), flush=True)


def _told(module: str, name: str) -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="cucm-admin-bench-") as folder,
        own_environment(Path(folder), find_port()) as variables,
    ):
        variables |= {"DJANGO_SETTINGS_MODULE": "cucm_admin.settings", "LOG_LEVEL": "ERROR"}
        process = subprocess.Popen(
            [sys.executable, "-m", module, name], env=variables, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            yield Figure(**json.loads(line))
        if process.wait():
            raise RuntimeError(f"{module} on {name} ended with {process.returncode}")
