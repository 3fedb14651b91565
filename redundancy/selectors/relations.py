"""The cluster's tables under the names an administrator of the vendor's system knows, read-only.

They are prefixed to a statement as common table expressions, so no migration has to keep them.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from redundancy.models import (
    Machine,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServerType,
)
from redundancy.srm.states import NUMBERS, State

# Wall seconds that one statement may take: it must not hold up the sweep.
SECONDS = 10
# Stands for a node whose SRM does not report; no state has this number.
_SILENT = 12

_TABLES = {
    "groups": RedundancyGroup._meta.db_table,
    "servers": Server._meta.db_table,
    "runtimes": NodeRuntime._meta.db_table,
    "machines": Machine._meta.db_table,
    "users": PresenceUser._meta.db_table,
    "sessions": PresenceSession._meta.db_table,
    "imp": ServerType.IMP.value,
    "numbers": " ".join(f"WHEN '{state.value}' THEN {n}" for state, n in NUMBERS.items()),
    "unknown": NUMBERS[State.UNKNOWN],
    "silent": _SILENT,
}

# Expressions are cast: in SQLite only a column with a type compares a number with '3' as others do.
RELATIONS: dict[str, str] = {
    name: text.format(**_TABLES)
    for name, text in {
        "enterprisesubcluster": """
            SELECT id, name, CASE WHEN ha_enabled THEN 't' ELSE 'f' END AS haenabled
            FROM {groups}""",
        "enterprisenode": """
            SELECT s.id, s.name, s.group_id AS subclusterid,
                CASE WHEN s.is_publisher THEN 't' ELSE 'f' END AS isprimary,
                CAST(CASE
                    WHEN g.ha_enabled IS NULL OR NOT g.ha_enabled THEN {unknown}
                    WHEN NOT (m.powered AND m.srm_running) THEN {silent}
                    ELSE CASE r.state {numbers} END
                END AS integer) AS tkhaserverstate,
                p.id AS peerhanodeid
            FROM {servers} s
            LEFT JOIN {groups} g ON g.id = s.group_id
            LEFT JOIN {servers} p ON p.group_id = s.group_id AND p.id <> s.id
            LEFT JOIN {machines} m ON m.server_id = s.id
            LEFT JOIN {runtimes} r ON r.server_id = s.id
            WHERE s.server_type = '{imp}'""",
        "processnode": """
            SELECT id AS pkid, name, mac_address AS mac, description,
                CAST(CASE WHEN is_publisher THEN 0 WHEN server_type = '{imp}' THEN 1 END
                    AS integer) AS tknodeusage,
                CAST(CASE WHEN server_type = '{imp}' THEN 2 ELSE 1 END AS integer)
                    AS tkprocessnoderole
            FROM {servers}""",
        "enduser": """
            SELECT u.id AS pkid, u.userid, u.display_name AS displayname,
                u.im_address AS imaddress, u.home_id AS primarynodeid, s.node_id AS currentnodeid
            FROM {users} u LEFT JOIN {sessions} s ON s.user_id = u.id""",
    }.items()
}


@dataclass(frozen=True, slots=True)
class SqlRows:
    """The rows of a statement."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def quote() -> str:
    """Return the character around names.

    SQLite takes a name in double quotes that it does not know for a text; one in backticks never.
    """
    return "`" if connection.vendor == "sqlite" else '"'


def run_select(sql: str, relations: Iterable[str]) -> SqlRows:
    """Return the rows of the SELECT ``sql``, which names these of RELATIONS and nothing else.

    It runs on a connection of its own, which cannot write.

    Raises:
        DatabaseError: The statement is wrong, or takes longer than SECONDS.

    """
    parts = ", ".join(f"{name} AS ({RELATIONS[name]})" for name in relations)
    reader = _reader(connection)
    try:
        with reader.cursor() as cursor:
            if reader.vendor == "postgresql":
                reader.set_autocommit(False)
                cursor.execute("SET TRANSACTION READ ONLY")
                cursor.execute(f"SET LOCAL statement_timeout = '{SECONDS}s'")
            cursor.execute(f"WITH {parts} {sql}")
            columns = tuple(column[0] for column in cursor.description)
            return SqlRows(columns, cursor.fetchall())
    finally:
        reader.close()


def _reader(original: BaseDatabaseWrapper) -> BaseDatabaseWrapper:
    reader = original.copy()
    if reader.vendor == "sqlite":
        name = Path(reader.settings_dict["NAME"]).resolve()
        # LIKE tells upper from lower case in every other database.
        reader.settings_dict |= {
            "NAME": f"{name.as_uri()}?mode=ro",
            "OPTIONS": {"init_command": "PRAGMA query_only=1; PRAGMA case_sensitive_like=1"},
        }
        reader.ensure_connection()
        deadline = time.monotonic() + SECONDS
        reader.connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    return reader
