"""The SELECT that ``run sql`` accepts: a grammar of its own, so that nothing else gets through.

A statement is taken apart and written anew from what was understood: four relations, a handful of
functions, quoted names and literals. A word this grammar does not know reaches no database.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from redundancy.cli.sql_tokens import Token, TokenKind, refused, tokens
from redundancy.errors import Refused

DEEPEST = 30
# Of the numbers after SKIP and FIRST: so many fit a database's integer.
MOST_DIGITS = 18
# One that fits a database's integer; stands for no limit.
_NO_LIMIT = 2**63 - 1

_FUNCTIONS = {
    **{name: name for name in ("count", "sum", "min", "max", "avg", "abs", "round")},
    **{name: name for name in ("lower", "upper", "length", "trim", "coalesce", "nullif")},
    "substr": "substr",
    "nvl": "coalesce",
}
_TYPES = {"int": "integer", "integer": "integer", "char": "text", "varchar": "text", "text": "text"}
_COMPARISONS = ("=", "<>", "!=", "<=", ">=", "<", ">")
_RESERVED = frozenset(
    {"all", "and", "as", "asc", "between", "by", "case", "cast", "desc", "distinct", "else", "end"}
    | {"exists", "from", "group", "having", "in", "inner", "is", "join", "left", "like", "not"}
    | {"null", "on", "or", "order", "outer", "select", "then", "union", "unique", "when", "where"}
)


@dataclass(frozen=True, slots=True)
class Select:
    """An accepted statement: ``sql`` is written anew; ``relations`` are those it reads."""

    sql: str
    relations: tuple[str, ...]


def parse_select(text: str, relations: Collection[str], quote: str) -> Select:
    """Return the statement in the words of the database.

    Args:
        text: One SELECT, as Informix has it: ``skip`` and ``first``, texts in ' or ".
        relations: What may stand after FROM and JOIN.
        quote: The character that the database wants around a name.

    Raises:
        Refused: It is something else.

    """
    return _Parser(tokens(text), relations, quote).statement()


class _Parser:
    """Recursive descent; every method takes its part of the statement and returns it rewritten."""

    def __init__(self, tokens: list[Token], relations: Collection[str], quote: str) -> None:
        self._tokens = tokens
        self._allowed = relations
        self._quote = quote
        self._at = 0
        self._depth = 0
        self._used: list[str] = []

    def statement(self) -> Select:
        if self._now.word != "select":
            raise refused(f"only SELECT is allowed, not {self._now.text.upper()[:40] or 'nothing'}")
        sql = self._query()
        if self._taken_sign(";") and self._now.kind is not TokenKind.END:
            raise refused("only one statement is allowed")
        if self._now.kind is not TokenKind.END:
            raise self._unexpected()
        return Select(sql, tuple(dict.fromkeys(self._used)))

    # Reading.

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._now
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _taken(self, *words: str) -> bool:
        """Take these words if they are what follows."""
        ahead = [token.word for token in self._tokens[self._at : self._at + len(words)]]
        if ahead != list(words):
            return False
        self._at += len(words)
        return True

    def _taken_sign(self, *signs: str) -> str:
        """Take one of these signs and return it; return nothing if something else follows."""
        if self._now.kind is TokenKind.SIGN and self._now.text in signs:
            return self._next().text
        return ""

    def _need(self, word: str) -> None:
        if not self._taken(word):
            raise self._unexpected(word.upper())

    def _need_sign(self, sign: str) -> None:
        if not self._taken_sign(sign):
            raise self._unexpected(repr(sign))

    def _unexpected(self, wanted: str = "") -> Refused:
        found = repr(self._now.text[:40]) if self._now.text else "the end"
        return refused(f"{found} was not expected" + (f"; {wanted} must follow" * bool(wanted)))

    def _list(self, part: Callable[[], str]) -> str:
        parts = [part()]
        while self._taken_sign(","):
            parts.append(part())
        return ", ".join(parts)

    def _inside(self, part: Callable[[], str]) -> str:
        """Read a part up to its closing parenthesis; the opening one is taken."""
        text = self._deeper(part)
        self._need_sign(")")
        return f"({text})"

    def _deeper(self, part: Callable[[], str]) -> str:
        """Read a part within a part, a limited number of times."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise refused(f"more than {DEEPEST} parts are nested")
        text = part()
        self._depth -= 1
        return text

    def _name(self) -> str:
        if self._now.kind is not TokenKind.WORD or self._now.word in _RESERVED:
            raise self._unexpected("a name")
        # Quoted, so that no word of the database's own can be meant.
        return f"{self._quote}{self._next().word}{self._quote}"

    # The statement.

    def _query(self) -> str:
        core, limit = self._core()
        parts = [core]
        while self._taken("union"):
            word = "UNION ALL" if self._taken("all") else "UNION"
            core, other = self._core()
            if limit or other:
                raise refused("SKIP and FIRST do not go with UNION")
            parts += [word, core]
        if self._taken("order", "by"):
            parts += ["ORDER BY", self._list(self._sort_key)]
        return " ".join(parts) + limit

    def _core(self) -> tuple[str, str]:
        """Return a SELECT without its order, and the limit that belongs after the order."""
        self._need("select")
        skip, first = self._count("skip"), self._count("first")
        parts = ["SELECT"]
        if self._taken("distinct") or self._taken("unique"):
            parts.append("DISTINCT")
        else:
            self._taken("all")
        parts.append(self._list(self._item))
        self._need("from")
        parts += ["FROM", self._list(self._joined)]
        if self._taken("where"):
            parts += ["WHERE", self._condition()]
        if self._taken("group", "by"):
            parts += ["GROUP BY", self._list(self._condition)]
        if self._taken("having"):
            parts += ["HAVING", self._condition()]
        limit = f" LIMIT {_NO_LIMIT if first is None else first}"
        limit += f" OFFSET {skip}" if skip else ""
        return " ".join(parts), "" if skip is first is None else limit

    def _count(self, word: str) -> int | None:
        """Take ``skip n`` or ``first n``; without a number it is an ordinary name."""
        if self._now.word != word or self._tokens[self._at + 1].kind is not TokenKind.NUMBER:
            return None
        self._next()
        text = self._next().text
        if not text.isdigit() or len(text) > MOST_DIGITS:
            raise refused(f"{word.upper()} takes a whole number, not {text[:40]}")
        return int(text)

    def _item(self) -> str:
        if self._taken_sign("*"):
            return "*"
        if [token.text for token in self._tokens[self._at + 1 : self._at + 3]] == [".", "*"]:
            name = self._name()
            self._at += 2
            return f"{name}.*"
        return self._condition() + self._alias()

    def _alias(self, *, needed: bool = False) -> str:
        if self._taken("as") or needed or self._now.word not in _RESERVED | {""}:
            return f" AS {self._name()}"
        return ""

    def _joined(self) -> str:
        parts = [self._relation()]
        while True:
            if self._taken("left", "outer", "join") or self._taken("left", "join"):
                word = "LEFT JOIN"
            elif self._taken("inner", "join") or self._taken("join"):
                word = "JOIN"
            else:
                return " ".join(parts)
            parts += [word, self._relation()]
            self._need("on")
            parts += ["ON", self._condition()]

    def _relation(self) -> str:
        if self._taken_sign("("):
            return self._inside(self._query) + self._alias(needed=True)
        name = self._name()
        word = name.strip(self._quote)
        if word not in self._allowed:
            known = ", ".join(self._allowed)
            raise refused(f"there is no table {word[:60]!r}; there are {known}")
        self._used.append(word)
        return name + self._alias()

    def _sort_key(self) -> str:
        text = self._condition()
        if self._taken("desc"):
            return f"{text} DESC"
        self._taken("asc")
        return text

    # Expressions, from the loosest binding to the closest.

    def _condition(self) -> str:
        text = self._both()
        while self._taken("or"):
            text += f" OR {self._both()}"
        return text

    def _both(self) -> str:
        text = self._negated()
        while self._taken("and"):
            text += f" AND {self._negated()}"
        return text

    def _negated(self) -> str:
        negations = 0
        while self._taken("not"):
            negations += 1
        return "NOT " * (negations % 2) + self._predicate()

    def _predicate(self) -> str:
        if self._taken("exists"):
            self._need_sign("(")
            return f"EXISTS {self._inside(self._query)}"
        text = self._sum()
        if sign := self._taken_sign(*_COMPARISONS):
            return f"{text} {sign} {self._sum()}"
        if self._taken("is"):
            return f"{text} IS {'NOT ' * self._taken('not')}{self._null()}"
        negated = "NOT " * self._taken("not")
        if self._taken("in"):
            self._need_sign("(")
            return f"{text} {negated}IN {self._inside(self._values)}"
        if self._taken("like"):
            return f"{text} {negated}LIKE {self._sum()}"
        if self._taken("between"):
            low = self._sum()
            self._need("and")
            return f"{text} {negated}BETWEEN {low} AND {self._sum()}"
        if negated:
            raise self._unexpected("IN, LIKE or BETWEEN")
        return text

    def _null(self) -> str:
        self._need("null")
        return "NULL"

    def _values(self) -> str:
        return self._query() if self._now.word == "select" else self._list(self._condition)

    def _sum(self) -> str:
        text = self._product()
        while sign := self._taken_sign("+", "-", "||"):
            text += f" {sign} {self._product()}"
        return text

    def _product(self) -> str:
        text = self._factor()
        while sign := self._taken_sign("*", "/"):
            text += f" {sign} {self._factor()}"
        return text

    def _factor(self) -> str:
        # A blank before each minus: two together would begin a comment.
        minus = " -" if self._taken_sign("-") else ""
        return minus + self._atom()

    def _atom(self) -> str:
        token = self._now
        if token.kind is TokenKind.NUMBER:
            return self._next().text
        if token.kind is TokenKind.TEXT:
            mark = token.text[0]
            value = self._next().text[1:-1].replace(mark * 2, mark)
            return "'" + value.replace("'", "''") + "'"
        if self._taken_sign("("):
            return self._inside(self._values)
        if self._taken("null"):
            return "NULL"
        if self._taken("case"):
            return self._deeper(self._case)
        if self._taken("cast"):
            self._need_sign("(")
            return f"CAST{self._inside(self._cast)}"
        ahead = self._tokens[self._at + 1] if token.word else token
        if ahead.kind is TokenKind.SIGN and ahead.text == "(" and token.word not in _RESERVED:
            return self._call()
        name = self._name()
        return f"{name}.{self._name()}" if self._taken_sign(".") else name

    def _case(self) -> str:
        parts = ["CASE"]
        if self._now.word != "when":
            parts.append(self._condition())
        while self._taken("when"):
            parts += ["WHEN", self._condition()]
            self._need("then")
            parts += ["THEN", self._condition()]
        if self._taken("else"):
            parts += ["ELSE", self._condition()]
        self._need("end")
        return " ".join([*parts, "END"])

    def _cast(self) -> str:
        text = self._condition()
        self._need("as")
        sort = _TYPES.get(self._now.word)
        if sort is None:
            raise self._unexpected(" or ".join(_TYPES))
        self._next()
        return f"{text} AS {sort}"

    def _call(self) -> str:
        name = self._next().word
        function = _FUNCTIONS.get(name)
        if function is None:
            raise refused(f"there is no function {name[:60]!r}; there are {', '.join(_FUNCTIONS)}")
        self._need_sign("(")
        return function + self._inside(self._arguments if function != "count" else self._counted)

    def _counted(self) -> str:
        return "*" if self._taken_sign("*") else self._arguments()

    def _arguments(self) -> str:
        return "DISTINCT " * self._taken("distinct") + self._list(self._condition)
