"""``file build``, ``list``, ``view`` and ``get``: the logs of a node, as scripts collect them for a case."""

from collections.abc import Iterator, Sequence
from itertools import count

from redundancy.cli import output
from redundancy.cli.grammar import Call, Command, Kind
from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import CollectionState, LogCollection
from redundancy.srm.words import english
from redundancy.traces import activelog
from redundancy.traces.activelog import File, Folder
from redundancy.traces.reads import LONGEST, collections

_DAY = 86_400
_MOST_DAYS = LONGEST // _DAY
# Real seconds to wait for a log collection.
_BUILD = 120.0
_LOOK_EVERY = 0.2
# Lines of a file that are shown at once.
PAGE = 20
VIEW_KEYS = "qnpbe"
_NOTHING = "No Files were found"


def _build(call: Call) -> Iterator[str]:
    # It loads Celery, and the other commands do without it.
    from redundancy.traces import collecting

    node, text = call.running_node, call.values[Kind.DAYS]
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MOST_DAYS):
        raise Refused(f"The days are a whole number from 1 to {_MOST_DAYS}, of lab time.")
    if node.group is None:
        raise Refused(f"{node.name} is in no presence redundancy group; there is nothing to build.")
    now = lab_now()
    job = collecting.begin(
        group=node.group, since=now - int(text) * _DAY, until=now, actor=call.actor
    )
    yield f"Building the log collection of {node.group.name}, please wait"
    yield from _await(call, job, [name for name, _ in collecting.PIECES])
    yield f"Log file: /{activelog.FOLDER}/{activelog.name_of(job)}"


def _await(call: Call, job: LogCollection, pieces: Sequence[str]) -> Iterator[str]:
    """Tell each piece of a log collection that is made. Raises Refused when it is not made in time."""
    told = 0
    for waited in count():
        now = collections().filter(pk=job.pk).first()
        if now is None:
            raise Refused("The log collection was deleted before it was ready.")
        if now.state == CollectionState.FAILED:
            raise Refused(english(now.sentence))
        for name in pieces[told : now.step]:
            yield f"{english(name)}... done"
        told = max(told, now.step)
        if now.state == CollectionState.DONE:
            return
        if waited * _LOOK_EVERY >= _BUILD:
            raise Refused(
                f"It takes longer; 'file list activelog {activelog.FOLDER}' lists it when it is ready."
            )
        call.pause(_LOOK_EVERY)


def _found(call: Call) -> list[File | Folder]:
    found = activelog.find(call.running_node, call.values[Kind.PATH])
    if not found:
        raise Refused(_NOTHING)
    return found


def _list(call: Call) -> Iterator[str]:
    options = call.values.get(Kind.OPTIONS, "").split()
    found = _found(call)
    if "date" in options:
        found.sort(key=lambda each: each.at)
    elif "size" in options:
        found.sort(key=lambda each: each.size if isinstance(each, File) else 0)
    if "reverse" in options:
        found.reverse()
    shown = output.files_in_detail if "detail" in options else output.files
    yield from shown([(each.name, each.at, getattr(each, "size", None)) for each in found])


def _view(call: Call) -> Iterator[str]:
    files = [each for each in _found(call) if isinstance(each, File)]
    if len(files) != 1:
        raise Refused(f"The path must name one file; it names {len(files)}.")
    lines = activelog.lines_of(files[0])
    if call.look is None:
        yield from (*lines, "", output.END_OF_FILE)
        return
    last, at, key = max(0, len(lines) - 1) // PAGE * PAGE, 0, ""
    while key != "q":
        key = call.look(*output.page(lines, at, PAGE), VIEW_KEYS)
        at = {"n": min(at + PAGE, last), "p": max(at - PAGE, 0), "b": 0, "e": last}.get(key, at)


def _get(call: Call) -> Iterator[str]:
    found, deep = _found(call), "recurs" in call.values.get(Kind.OPTIONS, "").split()
    flat = (each for each in found if isinstance(each, File))
    files = list(activelog.files_below(found) if deep else flat)
    if not files:
        raise Refused(_NOTHING)
    size = sum(file.size for file in files)
    yield "Please wait while the system is gathering files info ...done."
    yield f"Sub-directories were{'' if deep else ' not'} traversed."
    yield f"Number of files affected: {len(files)}"
    yield f"Total size in Bytes: {size}"
    yield f"Total size in Kbytes: {size / 1024:.9g}"
    yield "The pages offer them, a log collection as one ZIP file, at:"
    yield from dict.fromkeys(file.page for file in files)
    raise Refused("Nothing was sent: this system has no SFTP client.")


COMMANDS = (
    Command("file build log ha <days> [node]", "collect the logs of a node's group", _build),
    Command(
        "file get activelog <path> [options] [node]",
        "say where log files can be had: nothing is sent (options: recurs)",
        _get,
        writes=False,
        options=("recurs", "compress"),
    ),
    Command(
        "file list activelog <path> [options] [node]",
        "list log files (options: page, detail, reverse, date, size)",
        _list,
        writes=False,
        options=("page", "detail", "reverse", "date", "size"),
    ),
    Command("file view activelog <path> [node]", "look through a log file", _view, writes=False),
)
