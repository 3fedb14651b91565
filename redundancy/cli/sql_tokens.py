"""The words of a SELECT: names, texts, numbers and signs."""

import re
from dataclasses import dataclass
from enum import Enum

from redundancy.errors import Refused


class TokenKind(Enum):
    """What a token is."""

    WORD = "word"
    TEXT = "text"
    NUMBER = "number"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One word, text, number or sign, as it was written."""

    kind: TokenKind
    text: str

    @property
    def word(self) -> str:
        """The word in lower case; empty for anything else."""
        return self.text.lower() if self.kind is TokenKind.WORD else ""


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<number>\d+(?:\.\d+)?)(?![A-Za-z0-9_])
    | (?P<sign><>|!=|<=|>=|\|\||[=<>+\-*/(),.;])
    )""",
    re.VERBOSE,
)


def tokens(text: str) -> list[Token]:
    """Return the tokens of a statement, with END as the last."""
    text = text.strip()
    found: list[Token] = []
    at = 0
    while at < len(text):
        matched = _TOKEN.match(text, at)
        if matched is None:
            raise refused(f"cannot be read from {text[at : at + 20].strip()!r} on")
        assert matched.lastgroup is not None
        token = Token(TokenKind(matched.lastgroup), matched[matched.lastgroup])
        # Databases differ in what a backslash in a text means.
        if token.kind is TokenKind.TEXT and "\\" in token.text:
            raise refused("a text must not contain a backslash")
        found.append(token)
        at = matched.end()
    return [*found, Token(TokenKind.END, "")]


def refused(rule: str) -> Refused:
    """Return the error for a statement that breaks ``rule``."""
    return Refused(f"run sql: {rule}.")
