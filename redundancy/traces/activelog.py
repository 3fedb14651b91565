"""The log files of a node under the paths of ``file list activelog``: its SRM trace, and its group's log collections.

No path reaches a file system: it is compared with names in a tree that is made of the database, and there is nothing
else in it. ``epas/trace`` and the names that begin with ``log_ha_`` are those of public scripts; the rest is ours. A
log collection is listed as the one file that it is, and as a folder with what is in it.
"""

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial

from django.urls import reverse

from redundancy import trace_store
from redundancy.clock import lab_datetime
from redundancy.errors import Refused
from redundancy.models import CollectionState, LogCollection, Server
from redundancy.traces import reads
from redundancy.traces.reads import SHAPE

FOLDER = "epas/trace"
# Characters and parts of a path: more than any has.
LONGEST = 500
_DEEPEST = 12
# Bytes of a file whose text is read: more than a whole trace. It is held in memory while somebody looks at it.
READABLE = 2_000_000
# Bytes of a collection that are held in memory while its table of contents is read; more go to a temporary file.
_IN_MEMORY = 1_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A file. ``size`` in bytes; ``at``: lab time of its last change; ``page``: where the pages offer it.

    ``text`` opens it; None of one that is no text.
    """

    name: str
    size: int
    at: datetime
    page: str
    text: Callable[[], Iterator[str]] | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder. ``entries`` looks into it."""

    name: str
    at: datetime
    entries: "Callable[[], Sequence[File | Folder]]"


def find(node: Server, path: str) -> list[File | Folder]:
    """Return what a path names: the entries of a folder, or what fits a name with ``*``, by name.

    Raises:
        Refused: The path is none, or a ``*`` in it stands for several folders.

    """
    parts = [part for part in path.split("/") if part]
    if len(path) > LONGEST or len(parts) > _DEEPEST:
        raise Refused(f"A path has at most {LONGEST} characters and {_DEEPEST} parts.")
    if {".", ".."} & {*parts}:
        raise Refused("A path must not contain '.' or '..'.")
    found: Sequence[File | Folder] = _top(node)
    for part in parts[:-1]:
        folders = [each for each in _fitting(found, part) if isinstance(each, Folder)]
        if len(folders) > 1:
            raise Refused(f"{part[:60]!r} stands for {len(folders)} folders; name one.")
        found = folders[0].entries() if folders else ()
    if parts:
        found = _fitting(found, parts[-1])
        if "*" not in parts[-1] and found and isinstance(found[0], Folder):
            found = found[0].entries()
    return sorted(found, key=lambda each: each.name)


def files_below(found: Sequence[File | Folder]) -> Iterator[File]:
    """Yield the files of ``found``, and those in its folders."""
    for each in found:
        if isinstance(each, File):
            yield each
        else:
            yield from files_below(each.entries())


def lines_of(file: File) -> list[str]:
    """Return the lines of a file, without what cannot be printed.

    Raises:
        Refused: It is no text, or larger than READABLE.

    """
    if file.text is None:
        raise Refused(f"{file.name} is no text; the pages offer it at {file.page}.")
    if file.size > READABLE:
        raise Refused(
            f"{file.name} has {file.size:,} bytes, and at most {READABLE:,} are shown; "
            f"the pages offer it at {file.page}."
        )
    return ["".join(c if c.isprintable() else " " for c in line) for line in file.text()]


def name_of(job: LogCollection) -> str:
    """Return the name under which a log collection is listed."""
    return f"{_stem(job)}.tar.gz"


def _stem(job: LogCollection) -> str:
    return f"log_ha_{lab_datetime(job.until):%Y-%m-%d_%H-%M-%S}_{job.pk}"


def _fitting(found: Sequence[File | Folder], pattern: str) -> list[File | Folder]:
    # Only the asterisk is a wildcard.
    literal = pattern.replace("[", "[[]").replace("?", "[?]")
    return [each for each in found if fnmatchcase(each.name, literal)]


def _top(node: Server) -> list[Folder]:
    jobs = list(
        reads.collections().filter(group=node.group_id, state=CollectionState.DONE)
        if node.group_id
        else ()
    )
    trace = _trace(node)
    collected = [each for job in jobs for each in (_packed(job), _unpacked(job))]
    at = max([each.at for each in (*trace, *collected)], default=lab_datetime())
    made: list[File | Folder] = [*collected]
    made.append(Folder("srm", at, lambda: [Folder("log4j", at, lambda: trace)]))
    first, second = FOLDER.split("/")
    return [Folder(first, at, lambda: [Folder(second, at, lambda: made)])]


def _trace(node: Server) -> list[File]:
    """Return the trace of a node; of one that has written nothing there is none."""
    size = trace_store.size(node.pk)
    if not size:
        return []
    page = reverse("srm_trace_download", args=[node.pk])
    newest = next(trace_store.read_back(node.pk), "")
    return [File("srm.log", size, _moment(newest), page, partial(trace_store.read, node.pk))]


def _moment(line: str) -> datetime:
    """Return the time that a line of a trace begins with."""
    try:
        return datetime.strptime(line[:19], SHAPE).replace(tzinfo=UTC)
    except ValueError:
        return lab_datetime()


def _page(job: LogCollection) -> str:
    return reverse("log_collection_download", args=[job.pk])


def _packed(job: LogCollection) -> File:
    return File(name_of(job), job.size, lab_datetime(job.until), _page(job))


def _unpacked(job: LogCollection) -> Folder:
    return Folder(_stem(job), lab_datetime(job.until), partial(_entries, job, ""))


def _entries(job: LogCollection, folder: str) -> list[File | Folder]:
    """Return what is in a folder of a collection; its name ends with ``/``, that of the first is empty."""
    at, page = lab_datetime(job.until), _page(job)
    found: dict[str, File | Folder] = {}
    with _opened(job) as zipped:
        for info in zipped.infolist():
            if not info.filename.startswith(folder):
                continue
            name, below, _ = info.filename[len(folder) :].partition("/")
            if below:
                found.setdefault(name, Folder(name, at, partial(_entries, job, f"{folder}{name}/")))
            else:
                text = partial(_text, job, info.filename)
                found[name] = File(name, info.file_size, at, page, text)
    return list(found.values())


def _text(job: LogCollection, name: str) -> Iterator[str]:
    with _opened(job) as zipped, zipped.open(name) as file:
        for line in io.TextIOWrapper(file, encoding="utf-8", errors="replace"):
            yield line.rstrip("\n")


@contextmanager
def _opened(job: LogCollection) -> Iterator[zipfile.ZipFile]:
    """Open the file of a collection. Raises Refused when it was deleted meanwhile."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        for piece in reads.file_of(job):
            file.write(piece)
        if not file.tell():
            raise Refused(f"{name_of(job)} was deleted; a number of collections is kept.")
        with zipfile.ZipFile(file) as zipped:
            yield zipped
