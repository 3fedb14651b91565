"""Keep the lab as one compressed text, and put it back as it was, with the keys that its rows had.

The text: a line with the form, then for each table a line with its name and columns, and lines of rows, up to
``_CHUNK`` in each. Memory is bounded by a chunk on the way in; the whole text is held compressed.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, F, Field, Model

from redundancy.errors import Refused
from redundancy.models import (
    LabCopy,
    NodeRuntime,
    PresenceUser,
    RedundancyGroup,
    Server,
)
from redundancy.models.fields import SentenceField
from redundancy.operations.pairs import Pairs
from redundancy.srm.words import from_text, say, to_text
from redundancy.twin.tables import LAB, REFERRING, forget_traces, reference

FORM = 1
# Compressed bytes: a lab of 75,000 users takes about 3 MB.
LARGEST = 64 * 1024 * 1024
# Of a table that refers to the lab, the newest rows whose references are kept.
MOST_REFERENCES = 200_000
_CHUNK = 2_000
_Columns = Sequence["Field[Any, Any]"]


def keep(*, cause: str, actor: str) -> LabCopy:
    """Keep the present lab in place of the copy kept before; refused where it is too large.

    Call it within the transaction that replaces the lab.
    """
    data = _compressed(_lines())
    LabCopy.objects.all().delete()
    forget_traces()
    return LabCopy.objects.create(
        actor=actor,
        cause=cause,
        servers=Server.objects.count(),
        groups=RedundancyGroup.objects.count(),
        users=PresenceUser.objects.count(),
        form=FORM,
        data=data,
    )


def put_back(copy: LabCopy) -> None:
    """Make the rows of a copy; the tables of the lab are empty.

    SRM remembers what it did then: the time that has passed is one in which nobody looked.
    """
    if copy.form != FORM:
        rule = say(
            "The copy was made by another version of the lab, and cannot be read by this one."
        )
        raise Refused(rule, field="copy")
    _read(_decompressed(bytes(copy.data)))
    # A step that was under way when the lab was replaced is void.
    NodeRuntime.objects.update(version=F("version") + 1, due_at=0)


# --- writing -------------------------------------------------------------------------------------


def _lines() -> Iterator[str]:
    yield json.dumps({"form": FORM})
    for model in LAB:
        columns = _columns(model)
        names = [column.attname for column in columns]
        yield json.dumps({"table": model._meta.model_name, "columns": names})
        rows = model._default_manager.order_by("pk").values_list(*names).iterator(_CHUNK)
        yield from _chunks(
            [_plain(column, value) for column, value in zip(columns, row, strict=True)]
            for row in rows
        )
    for model, name in REFERRING:
        yield json.dumps({"references": model._meta.model_name, "columns": [name]})
        referring = model._default_manager.exclude(**{name: None}).order_by("-pk")
        keys = referring.values_list("pk", f"{name}_id")[:MOST_REFERENCES].iterator(_CHUNK)
        yield from _chunks(list(pair) for pair in keys)


def _chunks(rows: Iterator[list[Any]]) -> Iterator[str]:
    chunk: list[list[Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield json.dumps(chunk)
            chunk = []
    if chunk:
        yield json.dumps(chunk)


def _compressed(lines: Iterator[str]) -> bytes:
    packer, parts, size = zlib.compressobj(3), [], 0
    for line in lines:
        part = packer.compress(f"{line}\n".encode())
        size += len(part)
        if size > LARGEST:
            limit = LARGEST // 1024 // 1024
            raise Refused(
                say("The present lab is too large to be kept: more than {limit} MB.", limit=limit),
                field="copy",
            )
        parts.append(part)
    return b"".join([*parts, packer.flush()])


def _columns(model: type[Model]) -> list["Field[Any, Any]"]:
    # What the database fills by itself follows from the others.
    return [column for column in model._meta.concrete_fields if not column.generated]


def _plain(column: "Field[Any, Any]", value: Any) -> Any:
    if isinstance(column, DateTimeField):
        return None if value is None else value.isoformat()
    if isinstance(column, SentenceField):
        return None if value is None else to_text(value)
    return value


# --- reading -------------------------------------------------------------------------------------


def _decompressed(data: bytes) -> Iterator[Any]:
    unpacker, rest = zlib.decompressobj(), b""
    for start in range(0, len(data), 65_536):
        rest += unpacker.decompress(data[start : start + 65_536])
        *lines, rest = rest.split(b"\n")
        for line in lines:
            yield json.loads(line)


def _read(lines: Iterator[Any]) -> None:
    tables = {model._meta.model_name: model for model in LAB}
    references = {model._meta.model_name: model for model, _ in REFERRING}
    model: type[Model] = Server
    columns: list[Field[Any, Any] | None] = []
    name = ""
    for line in lines:
        if isinstance(line, list):
            if name:
                _refer(model, name, line)
            else:
                _make(model, columns, line)
        elif "table" in line:
            model, name = tables[line["table"]], ""
            known = {column.attname: column for column in _columns(model)}
            columns = [known.get(each) for each in line["columns"]]
        elif "references" in line:
            model, name = references[line["references"]], line["columns"][0]


def _make(
    model: type[Model], columns: list["Field[Any, Any] | None"], rows: list[list[Any]]
) -> None:
    model._default_manager.bulk_create(
        model(
            **{
                column.attname: _value(column, value)
                for column, value in zip(columns, row, strict=True)
                if column is not None
            }
        )
        for row in rows
    )


def _value(column: "Field[Any, Any]", value: Any) -> Any:
    if isinstance(column, DateTimeField):
        return None if value is None else datetime.fromisoformat(value)
    if isinstance(column, SentenceField):
        return None if value is None else from_text(value)
    return value


def _refer(model: type[Model], name: str, pairs: list[list[int]]) -> None:
    table, column = model._meta.db_table, reference(model, name).column
    key, pairs_of = model._meta.pk.column, Pairs.of((each, row) for each, row in pairs)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = p.node_id FROM {pairs_of.sql} p WHERE {key} = p.item_id",
            [pairs_of.param],
        )
