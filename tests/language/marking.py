"""Translations that can be seen: each text that passes a catalogue is put into brackets.

What stands outside them on a page was never given to be translated. The fields of a text stay
outside, so that their values are judged, too.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bs4 import BeautifulSoup, Comment, Doctype
from bs4.element import NavigableString
from django.utils.translation import trans_real

OPEN, CLOSE = "\u27e6", "\u27e7"
FIELD = re.compile(r"(%\(\w+\)[-\d.]*[a-z]|%[sd]|%%|\{\w*(?:![rs])?(?::[^{}]*)?\})")
SPOKEN = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
ATTRIBUTES = ("title", "aria-label", "alt", "placeholder", "label", "aria-description", "data-what")
BUTTONS = ("submit", "button", "reset")


def marked(text: str) -> str:
    """Return a text with all but its fields in brackets."""
    pieces = FIELD.split(text)
    return "".join(
        piece if number % 2 or not piece.strip() else f"{OPEN}{piece}{CLOSE}"
        for number, piece in enumerate(pieces)
    )


@contextmanager
def marking() -> Iterator[None]:
    """Let every catalogue but that of English answer with the text itself, in brackets."""
    with pytest.MonkeyPatch.context() as patch:
        catalogue = trans_real.DjangoTranslation
        spoken = catalogue.gettext, catalogue.ngettext

        def gettext(self: trans_real.DjangoTranslation, message: str) -> str:
            if self.language() == "en":
                return spoken[0](self, message)
            # With a context, it stands before the text.
            return marked(message.rpartition("\x04")[2])

        def ngettext(self: trans_real.DjangoTranslation, one: str, many: str, n: int) -> str:
            if self.language() == "en":
                return spoken[1](self, one, many, n)
            return marked((one if n == 1 else many).rpartition("\x04")[2])

        patch.setattr(catalogue, "gettext", gettext)
        patch.setattr(catalogue, "ngettext", ngettext)
        yield


def shown(html: str) -> Iterator[str]:
    """Yield each text of a page that somebody sees or hears, but what is marked as not to be translated."""
    # Python's own parser, with the texts of templates among the others: on pages that are valid, which
    # others test, it finds what html5lib finds in half the time.
    soup = BeautifulSoup(html, "html.parser", string_containers={})
    for tag in soup.select("script, style, [translate=no], [lang]:not(html)"):
        tag.decompose()
    # The script fills the fields of its sentences in.
    of_script = {id(text) for tag in soup.select("#texts") for text in tag.find_all(string=True)}
    for text in soup.find_all(string=True):
        if type(text) is NavigableString and not isinstance(text, Comment | Doctype):
            yield FIELD.sub(" ", text) if id(text) in of_script else str(text)
    for tag in soup.find_all(True):
        names = [
            *ATTRIBUTES,
            *(["value"] if tag.name == "input" and tag.get("type") in BUTTONS else []),
        ]
        yield from (str(tag[name]) for name in names if tag.get(name))


def untranslated(html: str, names: set[str]) -> list[str]:
    """Return the texts of a page with words that passed no catalogue and are no ``names``."""
    found, before = [], ""
    longest_first = sorted(names, key=len, reverse=True)
    for text in shown(html):
        left = SPOKEN.sub(" ", before + text)
        # One text may go on behind markup in it, or on the next line of a drawing.
        left, still, _ = left.partition(OPEN)
        before = still if not text.endswith("…") else ""
        # Most texts have no word left: the names are many.
        for name in longest_first if WORD.search(left) else ():
            left = left.replace(name, " ")
        if WORD.search(left):
            found.append(" ".join(text.split()))
    return found
