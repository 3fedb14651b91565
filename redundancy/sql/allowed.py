"""What of a statement reaches the database: a list of the parts, tables, columns and functions that may.

It is a list of what is allowed, so that nothing is let through for being unknown.
"""

from collections.abc import Iterator, Mapping

from sqlglot import exp

from redundancy.errors import Refused
from redundancy.sql.dialect import FUNCTIONS, Statement

# The parts of a statement, and what each may carry: the names of sqlglot.
_BOTH = frozenset({"this", "expression"})
_THIS = frozenset({"this"})
_PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Select: frozenset(
        {"expressions", "from_", "joins", "where", "group", "having", "order", "limit", "distinct"}
    ),
    exp.Union: _BOTH | {"distinct", "order"},
    exp.Subquery: _THIS | {"alias"},
    exp.From: _THIS,
    exp.Join: _THIS | {"on", "side", "kind"},
    exp.Table: _THIS | {"alias"},
    exp.TableAlias: _THIS,
    exp.Identifier: _THIS,
    exp.Column: _THIS | {"table"},
    exp.Alias: _THIS | {"alias"},
    exp.Literal: _THIS | {"is_string"},
    exp.Group: frozenset({"expressions"}),
    exp.Order: frozenset({"expressions"}),
    exp.Ordered: _THIS | {"desc", "nulls_first"},
    exp.Limit: frozenset({"expression"}),
    exp.Distinct: frozenset({"expressions"}),
    exp.In: _THIS | {"expressions", "query"},
    exp.Between: _THIS | {"low", "high"},
    exp.Case: _THIS | {"ifs", "default"},
    exp.If: _THIS | {"true"},
    exp.Cast: _THIS | {"to"},
    exp.DataType: _THIS | {"expressions", "nested"},
    exp.DataTypeParam: _THIS,
    exp.Count: _THIS | {"big_int"},
    exp.Coalesce: _THIS | {"expressions"},
    exp.Substring: _THIS | {"start", "length"},
    exp.Round: _THIS | {"decimals"},
    exp.ToChar: _THIS | {"format"},
    exp.CurrentTimestamp: frozenset(),
    exp.Star: frozenset(),
    exp.Null: frozenset(),
    **dict.fromkeys((exp.Where, exp.Having, exp.Not, exp.Neg, exp.Paren, exp.Exists), _THIS),
    **dict.fromkeys((exp.And, exp.Or, exp.Add, exp.Sub, exp.Mul, exp.Is), _BOTH),
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), _BOTH),
    **dict.fromkeys((exp.Like, exp.Glob, exp.Nullif), _BOTH),
    exp.DPipe: _BOTH | {"safe"},
    exp.Div: _BOTH | {"typed", "safe"},
    **dict.fromkeys((exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Abs, exp.Length), _THIS),
    **dict.fromkeys((exp.Lower, exp.Upper, exp.Trim), _THIS),
}
# The type that a value is cast to: a whole number, a number, or a text.
TYPES = {
    **dict.fromkeys(("INT", "SMALLINT", "BIGINT"), "bigint"),
    **dict.fromkeys(("DECIMAL", "FLOAT", "DOUBLE"), "double precision"),
    **dict.fromkeys(("CHAR", "VARCHAR", "NVARCHAR", "NCHAR", "TEXT", "LVARCHAR"), "text"),
}
_JOINS = {("", ""), ("", "INNER"), ("LEFT", ""), ("LEFT", "OUTER")}


def check(statement: Statement, tables: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the tables that a statement reads, each once; ``tables``: all there are, with their columns.

    Raises:
        Refused: A part of it is not allowed, or a table, column or function is not there.

    """
    tree = statement.tree
    for part in tree.walk():
        _check_part(part)
    used = tuple(dict.fromkeys(_used(tree, tables)))
    columns = {column for table in used for column in tables[table]}
    names = {alias.alias.lower() for alias in tree.find_all(exp.Alias)}
    for column in tree.find_all(exp.Column):
        name = column.name.lower()
        if not isinstance(column.this, exp.Star) and name not in columns | names:
            known = ", ".join(column for table in used for column in tables[table])
            raise Refused(f"there is no column {name[:60]!r}; there are {known}.")
    return used


def _check_part(part: exp.Expr) -> None:
    allowed = _PARTS.get(type(part))
    if allowed is None:
        if isinstance(part, exp.Func):
            name = part.name if isinstance(part, exp.Anonymous) else part.sql_name()
            raise Refused(f"there is no function {name[:60]!r}; there are {', '.join(FUNCTIONS)}.")
        raise Refused(f"{part.key.upper()[:40]} is not understood.")
    for name, value in part.args.items():
        if value and name not in allowed:
            raise Refused(f"{name.strip('_').upper()[:40]} is not understood.")
    if isinstance(part, exp.DataType) and part.this.name not in TYPES:
        raise Refused(f"there is no type {part.this.name[:40]!r} to cast to.")
    if isinstance(part, exp.Join) and (part.side, part.kind) not in _JOINS:
        raise Refused(f"{part.side or part.kind} JOIN is not understood.")
    if isinstance(part, exp.Limit) and isinstance(part.parent and part.parent.parent, exp.Union):
        raise Refused("SKIP and FIRST do not go with UNION.")
    if isinstance(part, exp.Glob) and not part.expression.is_string:
        raise Refused("MATCHES takes a pattern in quotation marks.")
    if isinstance(part, exp.Glob) and part.expression.name.count("[") != part.expression.name.count(
        "]"
    ):
        raise Refused("MATCHES takes a pattern whose brackets are closed.")
    if isinstance(part, exp.ToChar) and part.args.get("format"):
        raise Refused("TO_CHAR takes one value here, and no format.")


def _used(tree: exp.Expr, tables: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for select in tree.find_all(exp.Select):
        if "from_" not in select.args:
            raise Refused("FROM must follow.")
    for table in tree.find_all(exp.Table):
        name = table.name.lower()
        if name not in tables:
            raise Refused(f"there is no table {name[:60]!r}; there are {', '.join(tables)}.")
        yield name
