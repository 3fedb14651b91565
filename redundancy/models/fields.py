"""A column for sentences."""

from typing import TYPE_CHECKING, Any

from django.db import models

from redundancy.srm import words

if TYPE_CHECKING:
    _Text = models.TextField[str, str]
else:
    _Text = models.TextField


class SentenceField(_Text):
    """A sentence in English, with what it was made of: shown in the language of whoever reads.

    The column begins with the English text, so that it can be searched and read in the database.
    """

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """Return the sentence of a row."""
        return None if value is None else words.from_text(value)

    def get_prep_value(self, value: Any) -> Any:
        """Return what is stored of a sentence."""
        prepared = super().get_prep_value(value)
        return words.to_text(value) if isinstance(value, words.Said) else prepared
