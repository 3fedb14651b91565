"""The reader's language: how sentences are shown, by Django's catalogues of translations."""

import string
from collections.abc import Mapping
from typing import Any

from django.utils import formats, translation

SOURCE = "en"


class _Local(string.Formatter):
    """Fills a template with figures as the active language writes them."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a value; a figure with the signs of the active language."""
        text = str(super().format_field(value, format_spec))
        if not format_spec or not isinstance(value, int | float):
            return text
        signs = {",": "THOUSAND_SEPARATOR", ".": "DECIMAL_SEPARATOR"}
        return text.translate({ord(k): str(formats.get_format(v)) for k, v in signs.items()})


_LOCAL = _Local()


def in_english() -> bool:
    """Return whether the active language is the one that everything is written in."""
    return (translation.get_language() or SOURCE).split("-")[0] == SOURCE


def voice(template: str, plural: str | None, values: Mapping[str, Any]) -> str:
    """Return a sentence in the active language: see ``srm.words.speak_with``."""
    if in_english():
        chosen = template if plural is None or values["count"] == 1 else plural
        return chosen.format(**values) if values else chosen
    if not template:
        return template
    if plural is not None:
        text = translation.ngettext(template, plural, values["count"])
    else:
        text = translation.gettext(template)
    return _LOCAL.vformat(text, (), values) if values else text
