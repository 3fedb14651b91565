"""The files of an input, also those within a ZIP file, within limits of size and number. Nothing is written.

What a file is, is told by its first bytes. A ZIP file may hold ZIP files, and those may hold none.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from redundancy.cluster.reader.text import Bytes
from redundancy.srm.words import say

# Bytes of one given file, unpacked.
LARGEST = 32 * 1024 * 1024
# Files in all of an input.
MOST_FILES = 2_000
_DEEPEST = 1
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
# What else is often collected and is no text.
_OTHERS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf", b"Rar!", b"%PDF", b"\x89PNG")
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
# The directory of a ZIP file is read into memory by zipfile, whatever the directory says of its length.
_LARGEST_DIRECTORY = 1024 * 1024
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Unreadable(Exception):
    """The input cannot be used, or not safely. ``file``: which; ``rule``: what is required."""

    def __init__(self, file: str, rule: str) -> None:
        super().__init__(f"{file}: {rule}")
        self.file = file
        self.rule = rule


class Damaged(Exception):
    """A file ends before its end. ``rule``: why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Source:
    """One file: how it is called (``bundle.zip/folder/name.txt``), and what it is read from.

    ``refused``: why it is not read; empty where it is.
    """

    name: str
    stream: Bytes
    refused: str = ""


class _Budget:
    """What may still be unpacked of one given file, and counted of the whole input."""

    def __init__(self, name: str, files: "_Files") -> None:
        self.name = name
        self.left = LARGEST
        self.files = files

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            limit = LARGEST // 1024 // 1024
            raise Unreadable(
                self.name, say("It must not be larger than {limit} MB, unpacked.", limit=limit)
            )


class _Files:
    def __init__(self) -> None:
        self.number = 0

    def count(self, name: str) -> None:
        self.number += 1
        if self.number > MOST_FILES:
            raise Unreadable(
                name, say("There must not be more than {most:,} files.", most=MOST_FILES)
            )


class _Counted:
    """A stream whose bytes are counted, and whose faults have one name."""

    def __init__(self, raw: BinaryIO, budget: _Budget, before: bytes = b"") -> None:
        self._raw, self._budget, self._before = raw, budget, before

    def read(self, size: int, /) -> bytes:
        # What was read to see what it is, and what follows: how a text is written, its beginning tells.
        before, self._before = self._before[:size], self._before[size:]
        try:
            data = self._raw.read(size - len(before)) if len(before) < size else b""
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise Damaged(say("It is damaged ({error}).", error=str(error)[:100])) from None
        self._budget.spend(len(data))
        return before + data


def open_files(paths: list[Path]) -> Iterator[Source]:
    """Yield the files of ``paths``: of a folder those in it, of a ZIP file those within.

    Each is to be read before the next one is asked for.

    Raises:
        Unreadable: A path cannot be opened, or a limit is passed. Nothing of the input may be used.

    """
    files = _Files()
    for path in paths:
        for each in _in_folder(path):
            try:
                with each.open("rb") as raw:
                    yield from _open(_shown(str(each)), raw, _Budget(_shown(str(each)), files), 0)
            except OSError as error:
                why = error.strerror or type(error).__name__
                raise Unreadable(
                    _shown(str(each)), say("It cannot be read: {why}.", why=why)
                ) from None


def open_streams(named: Iterable[tuple[str, BinaryIO]]) -> Iterator[Source]:
    """Yield the files of these streams, by their names, within one limit of size for all of them together.

    Each is to be read before the next one is asked for. Raises Unreadable, as ``open_files``.
    """
    files = _Files()
    budget = _Budget("", files)
    for name, raw in named:
        budget.name = _shown(name)
        yield from _open(budget.name, raw, budget, 0)


def _in_folder(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    try:
        yield from sorted(each for each in path.iterdir() if each.is_file())
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unreadable(_shown(str(path)), say("It cannot be read: {why}.", why=why)) from None


def _open(name: str, raw: BinaryIO, budget: _Budget, depth: int) -> Iterator[Source]:
    budget.files.count(name)
    stream = _Counted(raw, budget)
    try:
        first = stream.read(16)
    except Damaged as damaged:
        yield Source(name, io.BytesIO(), damaged.rule)
        return
    if first.startswith((_ZIP, _EMPTY_ZIP)):
        if depth > _DEEPEST:
            yield Source(
                name, io.BytesIO(), say("It is a ZIP file within a ZIP file within another.")
            )
            return
        yield from _unzip(name, raw, first, budget, depth)
    elif first.startswith(_OTHERS):
        yield Source(name, io.BytesIO(), say("It is neither text nor a ZIP file."))
    else:
        yield Source(name, _Counted(raw, budget, first))


def _unzip(name: str, raw: BinaryIO, first: bytes, budget: _Budget, depth: int) -> Iterator[Source]:
    data: BinaryIO = raw
    if depth:
        stream = _Counted(raw, budget, first)
        whole = io.BytesIO()
        try:
            while block := stream.read(65_536):
                whole.write(block)
        except Damaged as damaged:
            yield Source(name, io.BytesIO(), damaged.rule)
            return
        data = whole
    try:
        _check_directory(data)
        zipped = zipfile.ZipFile(data)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        yield Source(name, io.BytesIO(), say("It is damaged ({error}).", error=str(error)[:100]))
        return
    for entry in zipped.infolist():
        if entry.is_dir():
            continue
        inner = f"{name}/{_shown(entry.filename)}"
        if entry.flag_bits & 1 or entry.compress_type not in _PLAIN:
            budget.files.count(inner)
            rule = (
                say("It is encrypted.")
                if entry.flag_bits & 1
                else say("It is packed in a way that is not read; use the usual one (deflate).")
            )
            yield Source(inner, io.BytesIO(), rule)
            continue
        try:
            opened = zipped.open(entry)
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
            budget.files.count(inner)
            yield Source(
                inner, io.BytesIO(), say("It is damaged ({error}).", error=str(error)[:100])
            )
            continue
        with opened:
            yield from _open(inner, opened, budget, depth + 1)  # type: ignore[arg-type]


def _check_directory(data: BinaryIO) -> None:
    """Refuse a directory that would take too much memory, before it is read."""
    size = data.seek(0, io.SEEK_END)
    data.seek(max(0, size - 65_557 - 20))
    tail = data.read()
    data.seek(0)
    end = tail.rfind(_END)
    if end < 0 or len(tail) < end + 22:
        raise zipfile.BadZipFile("it has no end")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    if _END_64 in tail[max(0, end - 20) : end] or directory > _LARGEST_DIRECTORY:
        raise zipfile.BadZipFile("its directory is too large")


def _shown(name: str) -> str:
    """Return a name of a file as one that can be printed."""
    return "".join(c if c.isprintable() else "?" for c in name.replace("\\", "/"))[:200]
