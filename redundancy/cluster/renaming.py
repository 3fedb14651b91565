"""New names in the place of real ones: of hosts, domains, groups, users and addresses. Pure but for chance.

They are drawn by chance, and nothing of what was drawn is kept: from a copy nobody can tell the names, not even who
made it. One name has one new name in all of the texts.
"""

import re
import secrets
from collections.abc import Callable, Collection, Iterator

# Without vowels: no word comes out.
_LETTERS = "bcdfghjkmnpqrstvwxz"
_SIGNS = f"{_LETTERS}23456789"
_IPV4 = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}$")
# What the system itself calls its first group.
_OWN_GROUP = "DefaultCUPSubCluster"
# Shorter ones are found in any text.
SHORTEST = 4


class Parts:
    """Finds any of many texts within others, in whatever case."""

    def __init__(self, texts: Collection[str]) -> None:
        self._texts = {text.lower() for text in texts}
        self._lengths = sorted({len(text) for text in self._texts})

    def found(self, text: str) -> set[str]:
        """Return those that stand in ``text``."""
        small = text.lower()
        return {
            part
            for length in self._lengths
            for at in range(len(small) - length + 1)
            if (part := small[at : at + length]) in self._texts
        }


class Names:
    """New names by the old ones. ``avoid``: texts of which none is to come out by chance."""

    def __init__(self, avoid: Collection[str] = ()) -> None:
        self._avoid = Parts(avoid)
        self._new: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        self._numbers: dict[tuple[str, str], str] = {}

    def node(self, name: str) -> str:
        """Return the new name of a host, with its domain where it has one, or address."""
        if _IPV4.match(name) or ":" in name:
            return self.address(name)
        host, dot, domain = name.partition(".")
        new = self._draw("host", host, lambda: f"n{_word(6)}")
        return f"{new}.{self.domain(domain)}" if dot and domain else new

    def domain(self, name: str) -> str:
        """Return the new name of a domain."""
        return self._draw("domain", name, lambda: f"{_word(6)}.{_word(2, _LETTERS)}")

    def group(self, name: str) -> str:
        """Return the new name of a group; that of the first one is the same everywhere, and stays."""
        if name == _OWN_GROUP:
            return name
        return self._draw("group", name, lambda: f"g{_word(7)}")

    def user(self, name: str) -> str:
        """Return the new name of a user."""
        return self._draw("user", name, lambda: f"u{_word(9)}")

    def address(self, text: str) -> str:
        """Return the new IPv4 address of a host, out of the range for measurements (RFC 2544)."""
        return self._draw("address", text, _address)

    def number(self, of: str, number: str) -> str:
        """Return the new key of a row; ``of``: of which kind it is."""
        found = self._numbers.setdefault((of, number.lower()), str(len(self._numbers) + 1))
        return found if number else ""

    @property
    def originals(self) -> Iterator[str]:
        """The old names, and the parts of hosts and domains, that must not be left anywhere."""
        for _, old in self._new:
            for part in {old, *re.split(r"[.@\\\s]", old)}:
                if len(part) >= SHORTEST:
                    yield part

    def _draw(self, kind: str, old: str, made: Callable[[], str]) -> str:
        key = kind, old.lower()
        if key not in self._new:
            new = made()
            while new in self._taken or self._avoid.found(new):
                new = made()
            self._taken.add(new)
            self._new[key] = new
        return self._new[key]


def _word(length: int, signs: str = _SIGNS) -> str:
    return "".join(secrets.choice(signs) for _ in range(length))


def _address() -> str:
    return f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
