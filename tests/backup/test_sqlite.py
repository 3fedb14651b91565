"""Backups of SQLite: whole or not there, and a bad one changes nothing."""

import contextlib
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cucm_admin.backup import sqlite
from cucm_admin.backup.files import BackupError, kind_of, whole
from tests.upgrade.keep import KEPT


def make(path: Path) -> Path:
    """Make the database of an earlier release, as a running product keeps it: with a journal beside it."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript((KEPT / "0.2.0.sqlite.sql").read_text())
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("made") / "db.sqlite3")


@pytest.fixture
def writing(made: Path) -> Iterator[sqlite3.Connection]:
    """A process in the middle of a transaction, whose last commit is in the journal only."""
    with closing(sqlite3.connect(made, isolation_level=None)) as writer:
        writer.execute("UPDATE redundancy_server SET description = 'in the journal'")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE redundancy_server SET description = 'not committed'")
        yield writer
        writer.execute("ROLLBACK")


@pytest.fixture
def backup(made: Path, tmp_path: Path) -> Path:
    path = tmp_path / "backup"
    sqlite.back_up(made, path)
    return path


def texts(path: Path, column: str = "description", table: str = "redundancy_server") -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {text for (text,) in database.execute(f"SELECT {column} FROM {table}")}


def test_a_backup_beside_a_writer_holds_what_was_committed(
    made: Path, writing: sqlite3.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "backup"
    told = sqlite.back_up(made, path)
    assert "servers: 2; presence redundancy groups: 1; presence users: 23" in told
    assert [each.name for each in tmp_path.iterdir()] == ["backup"], "one file, and no draft"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kind_of(path) == "sqlite"
    target = tmp_path / "elsewhere" / "db.sqlite3"
    target.parent.mkdir()
    assert sqlite.restore(path, target) == told
    assert texts(target) == {"in the journal"}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_backup_that_fails_leaves_nothing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(BackupError, match="No such file or directory"):
        sqlite.back_up(made, tmp_path / "no folder" / "backup")
    monkeypatch.setattr(sqlite, "_checked", broken)
    with pytest.raises(BackupError, match="was not written: database or disk is full"):
        sqlite.back_up(made, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BackupError, match="there is no database yet"):
        sqlite.back_up(tmp_path / "none", tmp_path / "backup")


def test_a_draft_is_put_into_place_at_the_end_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("as it was")
    with contextlib.suppress(ZeroDivisionError), whole(path) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("cut off", "damaged|malformed"),
        ("bytes", "damaged|malformed"),
        ("later", "made by a later version .*redundancy.9999_later"),
        ("strange", "none of this product"),
        ("without ours", "none of this product"),
    ],
)
def test_a_bad_backup_changes_nothing(backup: Path, tmp_path: Path, what: str, why: str) -> None:
    target = make(tmp_path / "db.sqlite3")
    before = texts(target)
    match what:
        case "cut off":
            backup.write_bytes(backup.read_bytes()[:-50_000])
        case "bytes":
            data = bytearray(backup.read_bytes())
            data[8192:16384] = b"\xff" * 8192
            backup.write_bytes(data)
        case "strange":
            backup.unlink()
            with closing(sqlite3.connect(backup)) as database:
                database.execute("CREATE TABLE other (one)")
        case _:
            with closing(sqlite3.connect(backup)) as database, database:
                if what == "later":
                    row = "('redundancy', '9999_later', '2030-01-01')"
                    database.execute(
                        f"INSERT INTO django_migrations (app, name, applied) VALUES {row}"
                    )
                else:
                    database.execute("DELETE FROM django_migrations WHERE app = 'redundancy'")
    with pytest.raises(BackupError, match=why):
        sqlite.restore(backup, target)
    assert texts(target) == before
    assert {path.name for path in tmp_path.iterdir()} - {"backup"} <= {
        "db.sqlite3",
        "db.sqlite3-wal",
        "db.sqlite3-shm",
    }


def test_a_database_that_a_process_has_open_is_not_replaced(backup: Path, tmp_path: Path) -> None:
    target = make(tmp_path / "db.sqlite3")
    with closing(sqlite3.connect(target)) as idle:
        idle.execute("UPDATE redundancy_server SET description = 'newer'")
        idle.commit()
        with pytest.raises(BackupError, match="a process uses the database"):
            sqlite.restore(backup, target)
    assert texts(target) == {"newer"}
    sqlite.restore(backup, target)
    assert texts(target) == texts(backup)
    assert [path.name for path in tmp_path.glob("db.*")] == ["db.sqlite3"]


def test_a_damaged_database_may_be_replaced(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "db.sqlite3"
    target.write_bytes(b"\xff" * 20_000)
    sqlite.restore(backup, target)
    assert texts(target) == texts(backup)


@pytest.mark.parametrize("text", ["", "-- a plain dump\n"])
def test_a_file_of_another_kind_is_no_backup(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(BackupError, match="is no backup of this product"):
        kind_of(path)
    with pytest.raises(BackupError, match="No such file"):
        kind_of(tmp_path / "none")
