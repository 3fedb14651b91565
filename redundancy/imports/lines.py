"""Read the lines of a file of users: from its pieces in the database, into rows and errors."""

from collections.abc import Iterator

from redundancy.errors import Refused
from redundancy.imports.users_csv import BOM, delimiter_of, is_header, read_line
from redundancy.models import ImportPiece, ImportProblem, ImportRow, UserImport
from redundancy.names import NodeNames
from redundancy.operations.users import checked_texts
from redundancy.selectors.nodes import nodes
from redundancy.srm.words import listed, say

# Bytes of a line; three times what the longest fields need.
LONGEST = 8192
_COLUMN = {"userid": 1, "display_name": 2, "im_address": 3}


def read_lines(job: UserImport, piece: int, most: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield up to ``most`` lines from where ``job`` is: number, where it ends in the file, its bytes.

    Holds one piece of the file, of ``piece`` bytes, at a time. Of a line that is too long only so
    much is yielded that this can be seen.
    """
    number, end, line = job.line, job.read, bytearray()
    last = number + most
    for part in _parts(job, piece):
        end += len(part)
        if len(line) <= LONGEST:
            line += part[: LONGEST + 1]
        if part.endswith(b"\n") or end == job.size:
            number += 1
            yield number, end, bytes(line)
            line.clear()
            if number == last:
                return


def _parts(job: UserImport, piece: int) -> Iterator[bytes]:
    """Yield lines, with their ends; one that lies on two pieces comes in two parts."""
    first, skip = divmod(job.read, piece)
    pieces = ImportPiece.objects.filter(job=job, number__gte=first).order_by("number")
    for number in pieces.values_list("number", flat=True):
        data, start = bytes(pieces.get(number=number).data), skip
        while start < len(data):
            end = data.find(b"\n", start) + 1 or len(data)
            yield data[start:end]
            start = end
        skip = 0


class LineReader:
    """Judges lines: ``rows`` are the users of good ones, ``problems`` what is wrong with others.

    ``readable``: False once a line is no text; the ones after it need not be looked at.
    """

    def __init__(self, job: UserImport) -> None:
        self._job = job
        self.delimiter = job.delimiter
        self.rows: list[ImportRow] = []
        self.problems: list[ImportProblem] = []
        self.readable = True
        self._nodes = NodeNames(nodes().values_list("pk", "name"))

    def take(self, number: int, data: bytes) -> None:
        """Judge the line ``number`` of the file."""
        if len(data) > LONGEST:
            rule = say("A line must not be longer than {bytes:,} bytes.", bytes=LONGEST)
            self._blame(number, 0, rule)
            return
        try:
            text = data.removeprefix(BOM if number == 1 else b"").decode().rstrip("\r\n")
        except UnicodeDecodeError:
            # Of a file of another kind or encoding each line would have the same error.
            rule = say("The file is no text in UTF-8; it was not read any further.")
            self._blame(number, 0, rule)
            self.readable = False
            return
        if not text.strip():
            return
        self.delimiter = self.delimiter or delimiter_of(text)
        try:
            fields = read_line(text, self.delimiter)
            if number == 1 and is_header(fields):
                return
        except Refused as refused:
            self._blame(number, 0, refused.rule)
            return
        self._keep(number, *fields)

    def _keep(
        self, number: int, userid: str, display_name: str, im_address: str, node: str = ""
    ) -> None:
        before = len(self.problems)
        homes = self._nodes.meant(node) if node else []
        if node and not homes:
            rule = say("Assigned Node {node!r} is no IM and Presence server.", node=node[:63])
            self._blame(number, 4, rule)
        elif len(homes) > 1:
            names = {"node": node[:63], "names": listed(sorted(name for _, name in homes))}
            rule = say("Assigned Node {node!r} may be {names}; give the whole name.", **names)
            self._blame(number, 4, rule)
        try:
            texts = checked_texts(userid, display_name, im_address)
        except Refused as refused:
            for rule, field in refused.rules:
                self._blame(number, _COLUMN[field or "userid"], rule)
            return
        if len(self.problems) == before:
            home = homes[0][0] if homes else None
            self.rows.append(ImportRow(job=self._job, line=number, node=home, **texts))

    def _blame(self, line: int, column: int, rule: str) -> None:
        self.problems.append(ImportProblem(job=self._job, line=line, column=column, rule=rule))
