"""An allowed statement in the words of the database."""

import re
from collections.abc import Callable
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.dialects.sqlite import SQLite

from redundancy.sql.allowed import TYPES
from redundancy.sql.dialect import Statement, skip_and_first


class _Sqlite(SQLite):
    class Tokenizer(SQLite.Tokenizer):
        # A name in double quotes that it does not know SQLite takes for a text; one in backticks never.
        IDENTIFIERS: ClassVar = ["`"]


_DIALECTS = {"sqlite": _Sqlite, "postgresql": Postgres}


def write(statement: Statement, vendor: str, present: str) -> tuple[str, dict[str, str]]:
    """Return a checked statement for a database, and what the columns of its answer are called.

    Args:
        statement: What ``allowed.check`` let through.
        vendor: ``sqlite`` or ``postgresql``.
        present: What CURRENT stands for.

    """
    tree = statement.tree.copy()
    headings = _named(tree, statement.headings)
    # A part before the one it belongs to: what is put in its place takes it as it is by then.
    for part in reversed(list(tree.walk(bfs=False))):
        if isinstance(part, exp.CurrentTimestamp):
            part.replace(exp.Literal.string(present))
        elif rewrite := _REWRITES.get(type(part)):
            rewrite(part, vendor)
    return tree.sql(dialect=_DIALECTS[vendor], identify=True), headings


def _named(tree: exp.Query, typed: tuple[str, ...]) -> dict[str, str]:
    """Name the items that are neither columns nor named, as databases name them differently."""
    select = tree
    while isinstance(select, exp.Union):
        select = select.this
    headings = {}
    for number, (item, text) in enumerate(zip(select.expressions, typed, strict=True)):
        if not isinstance(item, exp.Column | exp.Alias | exp.Star):
            # No alias of a script has brackets.
            name = f"({number})"
            headings[name] = text
            item.replace(exp.alias_(item.copy(), exp.to_identifier(name, quoted=True)))
    return headings


def _name(part: exp.Expr, _vendor: str) -> None:
    # Names have no case in Informix; those of its catalogue are in small letters.
    if not part.args.get("quoted"):
        part.set("this", part.name.lower())


def _limit(part: exp.Expr, _vendor: str) -> None:
    assert isinstance(part, exp.Limit)
    assert isinstance(part.parent, exp.Select)
    skip, first = skip_and_first(part)
    part.set("expression", exp.Literal.number(first))
    if skip:
        part.parent.set("offset", exp.Offset(expression=exp.Literal.number(skip)))


def _cast(part: exp.Expr, vendor: str) -> None:
    sort, lengths = part.args["to"].this.name, part.args["to"].expressions
    if TYPES[sort] == "double precision" and vendor == "sqlite":
        cast = exp.cast(part.this.copy(), "real")
    else:
        cast = exp.cast(part.this.copy(), TYPES[sort])
    if TYPES[sort] == "text" and lengths:
        start, length = exp.Literal.number(1), lengths[0].this.copy()
        part.replace(exp.Substring(this=cast, start=start, length=length))
    else:
        part.replace(cast)


def _to_char(part: exp.Expr, _vendor: str) -> None:
    part.replace(exp.cast(part.this.copy(), "text"))


def _matches(part: exp.Expr, vendor: str) -> None:
    if vendor == "postgresql":
        pattern = exp.Literal.string(_regular(part.expression.name))
        part.replace(exp.RegexpLike(this=part.this.copy(), expression=pattern))


def _regular(pattern: str) -> str:
    """Return a pattern of MATCHES, of ``*``, ``?`` and ``[a-z]``, as a regular expression."""
    written, inside = "", False
    for character in pattern:
        if inside:
            inside = character != "]"
            written += character
        elif character == "[":
            inside = True
            written += character
        else:
            written += {"*": ".*", "?": "."}.get(character) or re.escape(character)
    return f"^{written}$"


_REWRITES: dict[type[exp.Expr], Callable[[exp.Expr, str], None]] = {
    exp.Identifier: _name,
    exp.Limit: _limit,
    exp.Cast: _cast,
    exp.ToChar: _to_char,
    exp.Glob: _matches,
}
