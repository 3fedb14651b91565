"""Users and the nodes they are to be assigned to, as a table that a statement can join.

They go along as one parameter: a statement for each user, or for each node, would take minutes.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

# Columns of both: item_id, node_id (or NULL).
_SQL = {
    "sqlite": "(SELECT json_extract(value, '$[0]') AS item_id, json_extract(value, '$[1]') AS node_id "
    "FROM json_each(%s))",
    "postgresql": "(SELECT (value->>0)::bigint AS item_id, (value->>1)::bigint AS node_id "
    "FROM json_array_elements(%s::json))",
}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of the keys of an item (a user, or a row of a file) and of a node.

    ``sql`` takes ``param`` as its one parameter.
    """

    param: str

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int | None]]) -> "Pairs":
        """Return these pairs; no item is in two of them."""
        return cls(json.dumps(list(pairs)))

    @property
    def sql(self) -> str:
        """The table, in the words of the database."""
        return _SQL[connection.vendor]
