"""Files that are there whole or not at all, and what kind of backup a file is."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

SQLITE, POSTGRESQL = "sqlite", "postgresql"
# The first bytes of what each writes.
BEGINNINGS = {SQLITE: b"SQLite format 3\0", POSTGRESQL: b"PGDMP"}


class BackupError(Exception):
    """A backup or a restore is not possible; the message is one line for a terminal."""


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a draft beside ``path``, readable by its owner alone, that becomes ``path`` at the end.

    After an error the draft is gone and ``path`` is as it was.

    Raises:
        BackupError: The draft cannot be made or put into its place.

    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror or error}") from None
    finally:
        # SQLite writes beside its file, too.
        for beside in ("", "-journal", "-wal", "-shm"):
            draft.with_name(draft.name + beside).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def kind_of(path: Path) -> str:
    """Return which database wrote the backup ``path``."""
    try:
        with path.open("rb") as file:
            begins = file.read(16)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    for kind, beginning in BEGINNINGS.items():
        if begins.startswith(beginning):
            return kind
    raise BackupError(f"{path} is no backup of this product")
