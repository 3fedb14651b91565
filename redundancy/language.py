"""The reader's language: how sentences are shown, by Django's catalogues of translations."""

import string
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.db.models import Model
from django.utils import formats, translation
from django.utils.functional import lazy

from redundancy.srm.words import Said

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
# Made once: Django's lazystr makes a class for each text.
_lazy = lazy(str, str)


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


def lazily(text: Any) -> str:
    """Return a text as Django's own code takes it, which capitalises labels and fills in their ``%``.

    Both would leave nothing but English of a sentence; of a lazy one they take what is shown.
    """
    return cast("str", _lazy(text) if isinstance(text, Said) else text)


def name_models(models: Iterable[type[Model]]) -> None:
    """Let Django show the names of these tables and of their columns in the reader's language.

    What migrations compare is the definition, which stays as it was written.
    """
    for model in models:
        options = model._meta
        for field in options.local_fields:
            field.verbose_name = lazily(field.verbose_name)
        options.verbose_name = lazily(options.verbose_name)
        options.verbose_name_plural = lazily(options.verbose_name_plural)
