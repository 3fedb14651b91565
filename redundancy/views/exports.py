"""Rows as files that a browser saves, written while they are read."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import StreamingHttpResponse

from redundancy.spreadsheets import FORMULA_SIGNS
from redundancy.srm.words import english


class _Echo:
    """What ``csv`` writes into: hands each line back."""

    def write(self, line: str) -> str:
        return line


def cell(value: object) -> str:
    """Return a value, in English, as the text of a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str):
        text = english(value)
    else:
        text = json.dumps(value) if isinstance(value, dict) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(tuple(FORMULA_SIGNS)) else text


def csv_file(
    name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> StreamingHttpResponse:
    """Return ``rows`` as a CSV file, UTF-8, with a header."""

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield writer.writerow(columns)
        for row in rows:
            yield writer.writerow([cell(row[column]) for column in columns])

    return _file(name, lines(), "text/csv; charset=utf-8")


def json_file(name: str, rows: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """Return ``rows`` as a JSON file: a list with an object in each line."""

    def lines() -> Iterator[str]:
        yield "["
        between = "\n"
        for row in rows:
            yield between + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
            between = ",\n"
        yield "\n]\n"

    return _file(name, lines(), "application/json")


def _file(name: str, lines: Iterator[str], content_type: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        _in_blocks(lines),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _in_blocks(lines: Iterator[str], size: int = 64 * 1024) -> Iterator[str]:
    """Yield the lines some at a time: one by one they would each be a chunk on the wire."""
    block: list[str] = []
    length = 0
    for line in lines:
        block.append(line)
        length += len(line)
        if length >= size:
            yield "".join(block)
            block, length = [], 0
    yield "".join(block)
