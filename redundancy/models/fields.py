"""Columns for sentences and for secrets, what is read of JSON, and how numbers that come from anywhere are looked for."""

import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.fields.related_lookups import RelatedExact, RelatedIn
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler

from redundancy import sealed
from redundancy.srm import words

# Of the widest column.
_LEAST, _LARGEST = -(2**63), 2**63 - 1
# So many numbers a condition names one by one.
_FEW = 100

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


class SecretField(_Text):
    """A text that is encrypted in the database; empty where ``SECRET_KEY`` is no longer the one it was.

    No condition can be put to it but whether it is there.
    """

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """Return the text of a row."""
        if value is None:
            return None
        try:
            return sealed.unseal(value)
        except sealed.Unreadable:
            return ""

    def get_prep_value(self, value: Any) -> Any:
        """Return what is stored of a text."""
        prepared = super().get_prep_value(value)
        return sealed.seal(prepared) if prepared else prepared

    def get_lookup(self, lookup_name: str) -> Any:
        """Return none: by conditions a secret could be guessed letter by letter."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> None:
        """Return none."""


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


def _fits(number: object) -> bool:
    """Return whether a column can hold it, as far as whole numbers go: SQLite fails on those that are too large."""
    return not isinstance(number, int) or _LEAST <= number <= _LARGEST


class _Fitting(In):
    def get_prep_lookup(self) -> Any:
        """Return what is looked for, without what cannot be there."""
        if not self.rhs_is_direct_value():
            return super().get_prep_lookup()
        self.rhs = list(self.rhs)
        plain = all(type(each) is int or each is None for each in self.rhs)
        return list(filter(_fits, self.rhs if plain else super().get_prep_lookup()))

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """Return the condition; many numbers are one parameter of it, for Django looks at each several times."""
        if not self.rhs_is_direct_value() or len(self.rhs) <= _FEW:
            return super().as_sql(compiler, connection)
        lhs, params = self.process_lhs(compiler, connection)
        numbers = [number for number in self.rhs if number is not None]
        if connection.vendor == "sqlite":
            return f"{lhs} IN (SELECT value FROM json_each(%s))", (*params, json.dumps(numbers))
        return f"{lhs} = ANY(%s::bigint[])", (*params, numbers)


@models.IntegerField.register_lookup
class InNumbers(_Fitting):
    """``__in`` of whole numbers: one that no column can hold matches no row, as it does with ``__exact``.

    Keys come with requests.
    """


@models.ForeignKey.register_lookup
class InKeys(_Fitting, RelatedIn):
    """The same of the keys of other rows."""


@models.ForeignKey.register_lookup
class ExactKey(RelatedExact):
    """The same of the key of one other row."""

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        """Return the condition; that nothing matches where nothing can."""
        if not _fits(self.rhs):
            raise EmptyResultSet
        return super().as_sql(compiler, connection)


class Remembered(models.Func):
    """A value of a column that holds a JSON object, for a column that the database fills by itself.

    ``path``: the names on the way to it. No value where there is none.
    """

    def __init__(self, column: str, *path: str, output_field: "models.Field[Any, Any]") -> None:
        super().__init__(models.F(column), output_field=output_field)
        self.path = path

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, Any]:
        """Return it in the words of PostgreSQL."""
        kind = self.output_field.db_type(connection)
        template = f"(%(expressions)s #>> '{{{','.join(self.path)}}}')::{kind}"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, Any]:
        """Return the same in the words of SQLite."""
        kind, path = self.output_field.db_type(connection), ".".join(self.path)
        template = f"CAST(JSON_EXTRACT(%(expressions)s, '$.{path}') AS {kind})"
        return self.as_sql(compiler, connection, template=template)


class ServiceDown(models.Func):
    """Whether the memory of an SRM, in a column of JSON, has a monitored service that is known to be down."""

    template = """(%(expressions)s @> '{"services": [{"up": false}]}'::jsonb)"""

    def __init__(self, column: str) -> None:
        super().__init__(models.F(column), output_field=models.BooleanField())

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, Any]:
        """Return the same in the words of SQLite, which writes JSON without spaces."""
        services = "COALESCE(JSON_EXTRACT(%(expressions)s, '$.services'), '')"
        return self.as_sql(
            compiler, connection, template=f"""(INSTR({services}, '"up":false') > 0)"""
        )
