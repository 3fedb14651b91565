"""The files of the SRM traces: one folder a node under ``VAR_DIR/trace``, rotated by size.

Each machine writes, and shows, the traces of the SRMs that ran on it.
"""

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from concurrent_log_handler import ConcurrentRotatingFileHandler
from django.conf import settings

NAME = "srm.log"
FILE_BYTES = 1_000_000
# Files kept of a node, besides the one that is written.
FILES = 9

logger = logging.getLogger(__name__)


def folder(node_id: int) -> Path:
    """Return the folder of a node's trace; it need not exist."""
    path: Path = settings.VAR_DIR / "trace" / str(node_id)
    return path


def append(node_id: int, lines: Iterable[str]) -> None:
    """Write lines to a node's trace. A disk that is full is told, and harms nobody."""
    text = "\n".join(lines)
    if not text:
        return
    home = folder(node_id)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        logger.warning("no trace is written: %s", error)
        return
    _handler(home).emit(logging.makeLogRecord({"msg": text}))


def files(node_id: int) -> list[Path]:
    """Return the files of a node's trace, the oldest first."""
    home = folder(node_id)
    older = [home / f"{NAME}.{number}" for number in range(FILES, 0, -1)]
    return [path for path in (*older, home / NAME) if path.is_file()]


def read(node_id: int) -> Iterator[str]:
    """Yield the lines of a node's trace, the oldest first, each without its end."""
    for path in files(node_id):
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    yield line.rstrip("\n")
        except FileNotFoundError:
            # Rotated away meanwhile.
            continue


def version(node_id: int) -> str:
    """Return what changes whenever something is written."""
    try:
        stat = (folder(node_id) / NAME).stat()
    except FileNotFoundError:
        return "none"
    return f"{stat.st_ino:x}-{stat.st_size:x}"


class _Handler(ConcurrentRotatingFileHandler):
    """Several workers of one machine may write into one file."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of logging
        """Tell what went wrong where the product tells it."""
        logger.warning("the trace was not written: %s", record.msg, exc_info=True)


@lru_cache(maxsize=256)
def _handler(home: Path) -> _Handler:
    handler = _Handler(
        home / NAME, maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8", keep_file_open=False
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler
