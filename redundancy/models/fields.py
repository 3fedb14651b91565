"""A column for sentences."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from redundancy.srm import words

if TYPE_CHECKING:
    _Text = models.TextField[str, str]
else:
    _Text = models.TextField


class SentenceField(_Text):
    """A sentence in English, with what it was made of: shown in the language of whoever reads.

    The column begins with the English text, so that it can be read in the database, and ``__english``
    looks for nothing else.
    """

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """Return the sentence of a row."""
        return None if value is None else words.from_text(value)

    def get_prep_value(self, value: Any) -> Any:
        """Return what is stored of a sentence."""
        prepared = super().get_prep_value(value)
        return words.to_text(value) if isinstance(value, str) else prepared


@SentenceField.register_lookup
class English(models.Transform):
    """The English text of a sentence, without its parts, for a condition."""

    lookup_name = "english"
    output_field = models.TextField()
    template = f"SPLIT_PART(%(expressions)s, CHR({ord(words.BEHIND)}), 1)"

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        """Return the same for SQLite, which cannot split."""
        behind = f"CHAR({ord(words.BEHIND)})"
        text = f"SUBSTR(%(expressions)s, 1, INSTR(%(expressions)s || {behind}, {behind}) - 1)"
        return self.as_sql(compiler, connection, template=text, **extra_context)
