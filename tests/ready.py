"""What every start of the product makes first, made once a run: a migrated database and collected static files.

Making them takes two seconds of a processor, for each worker and for each system that a test starts;
a copy takes none.
"""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import psycopg
from django.test import override_settings

from cucm_admin import settings as product
from cucm_admin.stack import statics


class Ready:
    """The copies, in a folder that all workers of a run share; the first worker makes them.

    As a context, nobody else looks for them or makes them: who finds that there are none makes them.
    """

    def __init__(self, shared: Path) -> None:
        self._database = shared / "migrated.sqlite3"
        self._folder = shared / "collected"
        self._lock = (shared / "ready.lock").open("w")
        # The migrated database of a PostgreSQL server, of this worker alone.
        self.template = ""

    def __enter__(self) -> Self:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def copy_database(self, to: Path) -> bool:
        """Copy the migrated SQLite database to ``to``; return False where there is none yet."""
        if not self._database.exists():
            return False
        shutil.copyfile(self._database, to)
        return True

    def keep_database(self, migrated: Path) -> None:
        """Keep a copy of ``migrated``, whoever is connected to it."""
        with (
            closing(sqlite3.connect(migrated)) as made,
            closing(sqlite3.connect(self._database)) as kept,
        ):
            made.backup(kept)

    def fill(self, folder: Path) -> Path:
        """Return ``folder``, a data folder as after a first start, but for what that start writes into the database."""
        folder.mkdir()
        with self:
            self.copy_database(folder / "db.sqlite3")
            if not self._folder.exists():
                self._collect()
        # A new collection would remove these names, and not write into the files.
        shutil.copytree(self._folder, folder, copy_function=os.link, dirs_exist_ok=True)
        return folder

    def _collect(self) -> None:
        self._folder.mkdir()
        with override_settings(
            VAR_DIR=self._folder, STATIC_ROOT=self._folder / "static", STORAGES=product.STORAGES
        ):
            statics.collect()


@contextmanager
def template_of(migrated: str) -> Iterator[str]:
    """Copy a database of the PostgreSQL server in ``DATABASE_URL``, to which nobody is connected; drop the copy at the end."""
    name = f"{migrated}_begun"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    yield name
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
