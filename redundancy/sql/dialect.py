"""The dialect of Informix, as far as scripts for the vendor's system use it: from text to a tree.

sqlglot reads it. What is special: texts stand in either quotation mark; ``SKIP n FIRST m`` follows SELECT;
UNIQUE is DISTINCT; MATCHES compares with a pattern; CURRENT is the present time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp, parser, tokens
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from redundancy.errors import Refused

LONGEST = 32_000
# sqlglot and the databases descend once for each.
DEEPEST = 30
# Of the numbers after SKIP and FIRST: so many fit a database's integer.
_MOST_DIGITS = 18
# One that fits a database's integer; stands for no limit.
NO_LIMIT = 2**63 - 1

# Some words that belong together, such as ORDER BY, are one token.
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\s+[A-Za-z]+)*", re.ASCII)
_FOREIGN = (TokenType.LIMIT, TokenType.OFFSET, TokenType.FETCH, TokenType.TOP)
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_BEFORE_ITEMS = (TokenType.DISTINCT, TokenType.UNIQUE, TokenType.ALL)
_SIGNS = frozenset(
    ["=", "<>", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", ",", ".", ";", "||", "::"]
)


class Informix(Dialect):
    """What sqlglot needs to read the dialect; nothing is written in it."""

    class Tokenizer(tokens.Tokenizer):
        QUOTES: ClassVar = ["'", '"']
        STRING_ESCAPES: ClassVar = ["'", '"']
        # It needs one; `_checked` lets no such name through.
        IDENTIFIERS: ClassVar = ["`"]
        COMMENTS: ClassVar = []
        KEYWORDS: ClassVar = {
            **tokens.Tokenizer.KEYWORDS,
            "CURRENT": TokenType.CURRENT_TIMESTAMP,
            "MATCHES": TokenType.GLOB,
        }

    class Parser(parser.Parser):
        # Whatever is not in these lists is read as an unknown function, and refused by its name.
        FUNCTIONS: ClassVar = {
            **{
                name: parser.Parser.FUNCTIONS[name]
                for name in ("ABS", "AVG", "COUNT", "MAX", "MIN")
            },
            **{name: parser.Parser.FUNCTIONS[name] for name in ("LENGTH", "LOWER", "NULLIF")},
            **{name: parser.Parser.FUNCTIONS[name] for name in ("ROUND", "SUM", "UPPER")},
            **{name: parser.Parser.FUNCTIONS[name] for name in ("COALESCE", "NVL", "SUBSTR")},
            "TO_CHAR": exp.ToChar.from_arg_list,
        }
        FUNCTION_PARSERS: ClassVar = {
            name: parser.Parser.FUNCTION_PARSERS[name] for name in ("CAST", "TRIM")
        }
        NO_PAREN_FUNCTIONS: ClassVar = {TokenType.CURRENT_TIMESTAMP: exp.CurrentTimestamp}
        NO_PAREN_FUNCTION_PARSERS: ClassVar = {
            "CASE": parser.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]
        }


FUNCTIONS = sorted(
    name.lower() for name in (*Informix.Parser.FUNCTIONS, *Informix.Parser.FUNCTION_PARSERS)
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read: ``headings``: the text of each item of its outermost SELECT."""

    tree: exp.Query
    headings: tuple[str, ...]


def parse(text: str) -> Statement:
    """Return the one SELECT of ``text``.

    Raises:
        Refused: It is something else, too long, or nested too deeply.

    """
    if len(text) > LONGEST:
        raise Refused(f"a statement has at most {LONGEST} characters.")
    found = list(_checked(text))
    first = found[0].text if found else ""
    if first.lower() != "select":
        raise Refused(f"only SELECT is allowed, not {first.upper()[:40] or 'nothing'}.")
    if found[-1].token_type is TokenType.SEMICOLON:
        found.pop()
    if any(token.token_type is TokenType.SEMICOLON for token in found):
        raise Refused("only one statement is allowed.")
    try:
        (tree,) = Informix().parser().parse(list(_rearranged(found)), text)
    except ParseError as error:
        raise Refused(_unexpected(error)) from None
    except RecursionError:
        raise Refused(f"more than {DEEPEST} parts are nested.") from None
    if not isinstance(tree, exp.Select | exp.Union):
        raise Refused("only SELECT is allowed.")
    return Statement(tree, tuple(_items(text, found)))


def _checked(text: str) -> Iterator[Token]:
    """Yield the tokens of a text: words, numbers, texts in quotation marks, and known signs."""
    try:
        found = Informix().tokenize(text)
    except TokenError:
        raise Refused("a text is not ended.") from None
    depth = 0
    for token in found:
        written = text[token.start : token.end + 1]
        if token.token_type is TokenType.STRING and written[0] in "'\"":
            # Databases differ in what a backslash in a text means.
            if "\\" in token.text:
                raise Refused("a text must not contain a backslash.")
        elif token.token_type is TokenType.NUMBER:
            if not _NUMBER.fullmatch(written) or text[token.end + 1 : token.end + 2].isalpha():
                raise Refused(f"cannot be read from {written[:20]!r} on.")
        elif not (_WORD.fullmatch(written) or written in _SIGNS):
            raise Refused(f"cannot be read from {written[:20]!r} on.")
        elif token.token_type in _FOREIGN:
            raise Refused(f"{written!r} was not expected (at character {token.col}).")
        depth += (written == "(") - (written == ")")
        if depth > DEEPEST:
            raise Refused(f"more than {DEEPEST} parts are nested.")
        yield token


def _unexpected(error: ParseError) -> str:
    at = error.errors[0]
    word = at.get("highlight") or "the end"
    return f"{word[:40]!r} was not expected (at character {at.get('col') or 1})."


def _rearranged(found: list[Token]) -> Iterator[Token]:
    """Yield the tokens in an order that sqlglot knows: ``SELECT DISTINCT TOP n``.

    SKIP and FIRST travel as one number, ``skip.first``: no other number there has two parts.
    """
    at = 0
    while at < len(found):
        token = found[at]
        at += 1
        yield token
        if token.token_type is not TokenType.SELECT:
            continue
        skip, at = _count(found, at, "skip")
        first, at = _count(found, at, "first")
        if found[at : at + 1] and found[at].token_type in (TokenType.DISTINCT, TokenType.UNIQUE):
            yield Token(TokenType.DISTINCT, "distinct")
            at += 1
        if not skip is first is None:
            yield Token(TokenType.TOP, "top")
            yield Token(TokenType.NUMBER, f"{skip or 0}.{NO_LIMIT if first is None else first}")


def _count(found: list[Token], at: int, word: str) -> tuple[int | None, int]:
    """Take ``skip n`` or ``first n``; without a number it is an ordinary name."""
    if [token.token_type for token in found[at + 1 : at + 2]] != [TokenType.NUMBER]:
        return None, at
    if found[at].text.lower() != word:
        return None, at
    number = found[at + 1].text
    if not number.isdigit() or len(number) > _MOST_DIGITS:
        raise Refused(f"{word.upper()} takes a whole number, not {number[:40]}.")
    return int(number), at + 2


def skip_and_first(limit: exp.Limit) -> tuple[int, int]:
    """Return what ``SKIP n FIRST m`` said, of a limit in a tree of this dialect."""
    skip, first = limit.expression.name.split(".")
    return int(skip), int(first)


def _items(text: str, found: list[Token]) -> Iterator[str]:
    """Yield the items of the outermost SELECT as they were typed."""
    _, at = _count(found, 1, "skip")
    _, at = _count(found, at, "first")
    if found[at : at + 1] and found[at].token_type in _BEFORE_ITEMS:
        at += 1
    begin, depth = at, 0
    for number, token in enumerate(found[at:], start=at):
        ends = token.token_type is TokenType.FROM and not depth
        if ends or (token.token_type is TokenType.COMMA and not depth):
            yield text[found[begin].start : found[number - 1].end + 1]
            begin = number + 1
        if ends:
            return
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
