"""Answers of AXL as the command line would print them, for the one reader. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from redundancy.columns import aligned, printable
from redundancy.pull.sources import LARGEST, PullFailed
from redundancy.srm.words import say

# What a value may have; the rest would be a line that nobody reads.
_LONGEST = 2_000
# By reason codes of the vendor's Control Center.
_NOTES = {"-1068": "Service Not Activated", "-1069": "Commanded Out of Service"}


class Text:
    """A text that grows. ``at``: when it was begun, by the clock of this machine; no answer of AXL tells a time."""

    def __init__(self, at: datetime) -> None:
        self._lines = [f"=~=~=~=~=~=~= cucm-admin log {at:%Y.%m.%d %H:%M:%S} =~=~=~=~=~=~="]
        self._size = 0

    def data(self) -> bytes:
        """Return the text."""
        return "".join(f"{line}\n" for line in self._lines).encode("utf-8", "replace")

    def table(self, statement: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a result of SQL."""
        cells = [[_line(cell) for cell in row] for row in rows]
        self._add(f"admin:run sql {statement}", *aligned(columns, cells))

    def states(self, group: str, nodes: Iterable[tuple[str, str, str]]) -> None:
        """Add the states of a group's nodes: name, state and reason of each."""
        lines = [f"Subcluster Name: {_line(group)}"]
        for number, (name, state, reason) in enumerate(nodes, start=1):
            lines += [f"Node {number}", f"\tName: {_line(name)}", f"\tState: {_line(state)}"]
            lines += [f"\tReason: {_line(reason)}"] if reason else []
        self._add("admin:utils ha status", *lines)

    def services(self, node: str, services: Iterable[tuple[str, str, str]]) -> None:
        """Add the services of a node: name, status and reason code of each."""
        lines = [f"Node Name : {_line(node)}"]
        for name, status, code in services:
            note = _NOTES.get(code, "")
            lines.append(f"{_line(name)}[{_line(status).upper()}]  {note}".rstrip())
        self._add("admin:utils service list", *lines)

    def version(self, node: str, version: str) -> None:
        """Add the version of a node."""
        self._add(
            f"admin:show version active {_line(node)}", f"Active Master Version: {_line(version)}"
        )

    def _add(self, *lines: str) -> None:
        self._lines += [*lines, ""]
        self._size += sum(4 * len(line) for line in lines if not line.isascii())
        self._size += sum(len(line) + 1 for line in lines)
        if self._size > LARGEST:
            limit = LARGEST // 1024 // 1024
            raise PullFailed(
                say("Host: its answers must not be larger than {limit} MB together.", limit=limit)
            )


def _line(text: str) -> str:
    return printable(text)[:_LONGEST]
