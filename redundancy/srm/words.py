"""Sentences that are kept in English and shown in the reader's language.

What is said of high availability is made long before somebody reads it, and kept: in SRM's memory,
in the history, in alarms. So a sentence carries what it was made of. Its characters are English:
that is what is stored, compared, exported and printed on a command line. ``str()`` of it, and with
it every template and format, is in the language of whoever reads, once ``speak_with`` was told how.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

# A sentence in English, and what shows it in the reader's language: template, its plural or None, values.
Parts = tuple[str, str | None, Mapping[str, Any]]
Voice = Callable[[str, str | None, Mapping[str, Any]], str]

# Between the English text and its parts, where both are kept in one text.
BEHIND = "\x1f"
_voice: Voice | None = None
# Made once: else there would be a new one for each sentence.
_encode = json.JSONEncoder(default=str).encode


def speak_with(voice: Voice) -> None:
    """Let ``voice`` show every sentence; until then all is shown in English.

    ``voice`` gets the template, its plural or None, and the values; it returns the shown text.
    """
    global _voice
    _voice = voice


class Said(str):
    """A sentence or a label: English to keep, the reader's language to show. ``say`` makes it."""

    __slots__ = ("_parts",)
    # Template, plural or None, and values; or the text they are kept as, until somebody asks.
    _parts: "Parts | str"

    def __new__(cls, english: str, parts: "Parts | str | None" = None) -> Self:
        """Return ``english`` with what it was made of; when not given, it is its own template."""
        said = super().__new__(cls, english)
        said._parts = parts or (english, None, {})
        return said

    def __str__(self) -> str:
        return self.english if _voice is None else _voice(*self.parts)

    @property
    def english(self) -> str:
        """The text in English."""
        return super().__str__()

    @property
    def parts(self) -> "Parts":
        """Template, its plural or None, and the values."""
        if isinstance(self._parts, str):
            self._parts = _made(json.loads(self._parts)).parts
        return self._parts

    @property
    def kept(self) -> str:
        """The parts as they are kept behind the English text; empty when the text is its own template."""
        if isinstance(self._parts, str):
            return self._parts
        return _encode(_plain(self)) if self._parts[2] else ""

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.english, self.parts


def mark(name: str) -> str:
    """Return ``name`` as it is; the catalogue of translations gets it, for whoever shows it."""
    return name


def say(template: str, /, **values: Any) -> str:
    """Return ``template`` with ``values`` in its fields, to be shown in the reader's language.

    Args:
        template: English, written out where it is used: the catalogue of translations is made from
            the source. Without values it is taken as it is.
        values: Strings, numbers, and sentences, which are translated with it.

    """
    return Said(_filled(template, values), (template, None, values))


def say_row(template: str, fields: Mapping[str, str]) -> str:
    """Return a sentence of a table of templates with those of ``fields`` that it names."""
    return say(template, **{k: v for k, v in fields.items() if f"{{{k}}}" in template})


def say_count(one: str, many: str, /, count: int, **values: Any) -> str:
    """Return ``one`` or ``many`` by ``count``, which both may name, with ``values``: see ``say``."""
    values["count"] = count
    return Said(_filled(one if count == 1 else many, values), (one, many, values))


def together(parts: Iterable[str], between: str = " ") -> str:
    """Return sentences one after the other, each shown in the reader's language; empty ones left out."""
    values = {f"part{number}": part for number, part in enumerate(filter(None, parts))}
    return say(between.join(f"{{{name}}}" for name in values), **values)


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them: ``A``, ``A and B``, ``A, B and C``."""
    *before, last = [*names] or [""]
    if not before:
        return last if isinstance(last, Said) else Said(last)
    return say("{names} and {last}", names=together(before, ", "), last=last)


def duration(seconds: float | None) -> str:
    """Return a length of time in its two largest units: ``12 min 41 s``, ``2 h``; nothing of None.

    The script of the pages counts in the same shape.
    """
    if seconds is None:
        return ""
    whole = max(0, int(seconds))
    parts = [
        (whole // 86_400, "d"),
        (whole // 3600 % 24, "h"),
        (whole // 60 % 60, "min"),
        (whole % 60, "s"),
    ]
    first = next((place for place, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    shown = [f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount]
    return " ".join(shown) or "0 s"


def english(text: str) -> str:
    """Return a text in English, whatever language is being spoken."""
    return text.english if isinstance(text, Said) else text


def to_text(sentence: str) -> str:
    """Return a sentence as one text to be kept: in English, with its parts behind."""
    # A name in it may have been typed with any sign.
    text = english(sentence).replace(BEHIND, " ")
    if isinstance(sentence, Said) and (kept := sentence.kept):
        return f"{text}{BEHIND}{kept}"
    return text


def from_text(text: str) -> Said:
    """Return a sentence from the text of ``to_text``; any other text is its own template."""
    words, _, kept = text.partition(BEHIND)
    return Said(words, kept)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    if not values:
        return template
    return template.format(
        **{k: english(v) if isinstance(v, str) else v for k, v in values.items()}
    )


def _plain(said: Said) -> list[Any]:
    """Return the parts of a sentence as JSON takes them: a sentence in it is a list, too."""
    template, plural, values = said.parts
    return [
        template,
        plural,
        {k: _plain(v) if isinstance(v, Said) else v for k, v in values.items()},
    ]


def _made(plain: list[Any]) -> Said:
    template, plural, kept = plain
    values = {k: _made(v) if isinstance(v, list) else v for k, v in kept.items()}
    chosen = template if plural is None or values["count"] == 1 else plural
    return Said(_filled(chosen, values), (template, plural, values))
