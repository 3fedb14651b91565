"""Backup and restore of a SQLite database.

A copy of the file alone is none: what was written last is in the journal beside it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from cucm_admin.backup.contents import check_schema, counted
from cucm_admin.backup.files import BackupError, whole

# Seconds that a lock of another process is waited for.
PATIENCE = 20.0


def back_up(database: Path, path: Path) -> str:
    """Write ``path``, one moment of ``database``, while others read and write; return what is in it."""
    if not database.is_file():
        raise BackupError(f"{database}: there is no database yet")
    try:
        with whole(path) as draft:
            _copy(database, draft)
            return _checked(draft)
    except sqlite3.Error as error:
        raise BackupError(f"{path} was not written: {error}") from None


def restore(path: Path, database: Path) -> str:
    """Put the backup ``path`` in the place of ``database``; return what is in it.

    Nothing is changed unless the copy was made whole and is in order.

    Raises:
        BackupError: The backup is damaged or of another version, or a process uses the database.

    """
    try:
        with whole(database) as draft:
            _copy(path, draft)
            told = _checked(draft)
            _close(database)
        return told
    except sqlite3.Error as error:
        raise BackupError(f"{path} was not restored: {error}") from None


def holds_data(database: Path) -> bool:
    """Return whether there is a database."""
    return database.is_file() and database.stat().st_size > 0


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=PATIENCE)


def _copy(source: Path, target: Path) -> None:
    with closing(_open(source)) as read, closing(sqlite3.connect(target)) as written:
        # All pages at once: in portions it would begin anew with each write of another process.
        read.backup(written)
        # One file, that needs none beside it to be read.
        written.execute("PRAGMA journal_mode=DELETE")


def _checked(path: Path) -> str:
    with closing(_open(path)) as database:
        (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise BackupError(f"the file is damaged: {verdict.splitlines()[-1]}")
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if "django_migrations" not in tables:
            raise BackupError("the file is a database, but none of this product")
        check_schema(database.execute("SELECT app, name FROM django_migrations"))
        return counted(lambda statement: int(database.execute(statement).fetchone()[0]))


def _close(database: Path) -> None:
    """Take the journal of the database that is replaced into it; refuse while another process has it open."""
    if not database.is_file():
        return
    with closing(sqlite3.connect(database, timeout=1)) as old:
        try:
            (mode,) = old.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError:
            mode = ""
        except sqlite3.DatabaseError:
            # It is damaged itself; that is why something is restored.
            mode = "delete"
    if mode != "delete":
        raise BackupError("a process uses the database; stop all processes first")
    for beside in ("-wal", "-shm"):
        database.with_name(database.name + beside).unlink(missing_ok=True)
