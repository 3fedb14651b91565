"""What an earlier start left running, and how to end it without touching anybody else's process.

A process number alone proves nothing: the system gives it to somebody else later. With the moment
the process started, and the boot that moment belongs to, it names one process for ever.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """One started process: its number, and its start in clock ticks since the boot."""

    name: str
    pid: int
    started: int


def start_ticks(pid: int) -> int | None:
    """Return when process ``pid`` started, or ``None`` when it does not run (any more)."""
    fields = _stat(pid)
    return None if fields is None else int(fields[19])


def _stat(pid: int) -> list[str] | None:
    """Return what the system tells of process ``pid``, from its state on, while it runs."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The program's name, in brackets, may hold blanks and brackets itself.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields


def boot_id() -> str:
    """Return the name of this boot of the system; empty where the system does not tell."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def save(path: Path, marks: Sequence[ProcessMark]) -> None:
    """Write down what runs, in one step: a reader sees the old list or the new one."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"boot": boot_id(), "processes": [asdict(mark) for mark in marks]}))
    draft.replace(path)


def load(path: Path, boot: str) -> list[ProcessMark]:
    """Return what an earlier start of this ``boot`` wrote down; nothing when it is unreadable."""
    try:
        record = json.loads(path.read_text())
        if record["boot"] != boot:
            return []
        return [
            ProcessMark(str(entry["name"]), int(entry["pid"]), int(entry["started"]))
            for entry in record["processes"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def still_running(
    marks: Sequence[ProcessMark], start_of: Callable[[int], int | None] = start_ticks
) -> list[ProcessMark]:
    """Return those of ``marks`` that still are the very same process."""
    return [mark for mark in marks if start_of(mark.pid) == mark.started]


def still_there(marks: Sequence[ProcessMark], env_line: bytes) -> list[ProcessMark]:
    """Return those of ``marks`` that still run, and what they started and did not take along.

    The supervisor makes every child the leader of a session of its own, and as long as somebody is
    in it, the system gives its number to nobody else. ``env_line`` must be in the environment of
    what is found by that number: after that somebody it could be a stranger's.
    """
    left = still_running(marks)
    by_session = {mark.pid: mark for mark in marks if start_ticks(mark.pid) is None}
    for path in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(path.name))
        leader = by_session.get(int(fields[3])) if fields else None
        if fields and leader and env_line in _environment(path):
            left.append(ProcessMark(leader.name, int(path.name), int(fields[19])))
    return left


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def stop(marks: Sequence[ProcessMark], grace: float = 2.0) -> None:
    """End the processes of ``marks`` with their groups: ask, and after ``grace`` seconds force."""
    _signal(marks, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (left := still_running(marks)) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal(left, signal.SIGKILL)


def _signal(marks: Sequence[ProcessMark], number: signal.Signals) -> None:
    for mark in still_running(marks):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            # The supervisor makes every child the leader of a group of its own.
            if os.getpgid(mark.pid) == mark.pid:
                os.killpg(mark.pid, number)
            else:
                os.kill(mark.pid, number)
