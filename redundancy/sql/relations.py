"""The cluster's tables under the names and columns that an administrator of the vendor's system knows.

They are prefixed to a statement as common table expressions, so no migration has to keep them. Names and columns
are those that public scripts ask for; the numbers of services, and the columns of ``epassyncagentcfg`` and
``clientsessions``, are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redundancy.catalog import ASSIGNMENT_MODE, PARAMETERS, SERVICES, SRM
from redundancy.models import (
    EnterpriseParameter,
    Machine,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServerType,
    ServiceParameter,
)
from redundancy.srm.states import NUMBERS, State

# Stands for a node whose SRM does not report; no state has this number.
_SILENT = 12
# The server, listed with the others, that holds what is the same on all.
EVERYWHERE = (0, "EnterpriseWideData")
_NUMBERS = {service.name: number for number, service in enumerate(SERVICES, start=1)}


@dataclass(frozen=True, slots=True)
class Relation:
    """A table: its ``columns``, and the SELECT that makes it, with the names of ``TABLES`` in braces."""

    columns: tuple[str, ...]
    select: str


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _facts(columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> str:
    """Return the SELECT of rows that are the same in every cluster."""
    return " UNION ALL ".join(
        "SELECT "
        + ", ".join(
            f"{value if isinstance(value, int) else _text(value)} AS {column}"
            for column, value in zip(columns, row, strict=True)
        )
        for row in rows
    )


TABLES: dict[str, str] = {
    "groups": RedundancyGroup._meta.db_table,
    "servers": Server._meta.db_table,
    "runtimes": NodeRuntime._meta.db_table,
    "machines": Machine._meta.db_table,
    "services": NodeService._meta.db_table,
    "parameters": ServiceParameter._meta.db_table,
    "enterprise": EnterpriseParameter._meta.db_table,
    "users": PresenceUser._meta.db_table,
    "sessions": PresenceSession._meta.db_table,
}
_IMP = _text(ServerType.IMP.value)
# Counts as publisher of the other database, as in ``selectors.servers.cucm_publisher``.
_FIRST_CUCM = (
    f"SELECT c.id FROM {{servers}} c WHERE c.server_type = {_text(ServerType.CUCM.value)}"
    " ORDER BY LOWER(c.name), c.id LIMIT 1"
)
_STATES = " ".join(f"WHEN {_text(state.value)} THEN {n}" for state, n in NUMBERS.items())
_KINDS = _facts(("number", "service"), [(n, name) for name, n in _NUMBERS.items()])
_DEFAULTS = {
    per_node: _facts(
        ("key", "name", "value"),
        [(p.key, p.name, p.default) for p in PARAMETERS if p.per_node is per_node],
    )
    for per_node in (False, True)
}

# Expressions are cast: in SQLite only a column with a type compares a number with '3' as others do.
RELATIONS: dict[str, Relation] = {
    "enterprisesubcluster": Relation(
        ("id", "name", "haenabled"),
        "SELECT id, name, CASE WHEN ha_enabled THEN 't' ELSE 'f' END AS haenabled FROM {groups}",
    ),
    "enterprisenode": Relation(
        ("id", "name", "subclusterid", "isprimary", "tkhaserverstate", "peerhanodeid"),
        f"""SELECT s.id, s.name, s.group_id AS subclusterid,
            CASE WHEN s.is_publisher THEN 't' ELSE 'f' END AS isprimary,
            CAST(CASE
                WHEN g.ha_enabled IS NULL OR NOT g.ha_enabled THEN {NUMBERS[State.UNKNOWN]}
                WHEN NOT (m.powered AND m.srm_running) THEN {_SILENT}
                ELSE CASE r.state {_STATES} END
            END AS integer) AS tkhaserverstate,
            p.id AS peerhanodeid
        FROM {{servers}} s
        LEFT JOIN {{groups}} g ON g.id = s.group_id
        LEFT JOIN {{servers}} p ON p.group_id = s.group_id AND p.id <> s.id
        LEFT JOIN {{machines}} m ON m.server_id = s.id
        LEFT JOIN {{runtimes}} r ON r.server_id = s.id
        WHERE s.server_type = {_IMP}""",
    ),
    "processnode": Relation(
        ("pkid", "name", "mac", "description", "tknodeusage", "tkprocessnoderole"),
        f"""SELECT {EVERYWHERE[0]} AS pkid, {_text(EVERYWHERE[1])} AS name, '' AS mac, '' AS description,
            CAST(1 AS integer) AS tknodeusage, CAST(1 AS integer) AS tkprocessnoderole
        UNION ALL SELECT id, name, mac_address, description,
            CAST(CASE WHEN is_publisher OR id = ({_FIRST_CUCM}) THEN 0 ELSE 1 END AS integer),
            CAST(CASE WHEN server_type = {_IMP} THEN 2 ELSE 1 END AS integer)
        FROM {{servers}}""",
    ),
    "enduser": Relation(
        ("pkid", "userid", "displayname", "imaddress", "primarynodeid", "currentnodeid"),
        """SELECT u.id AS pkid, u.userid, u.display_name AS displayname,
            u.im_address AS imaddress, u.home_id AS primarynodeid, s.node_id AS currentnodeid
        FROM {users} u LEFT JOIN {sessions} s ON s.user_id = u.id""",
    ),
    "typeservice": Relation(
        ("enum", "name", "nameforcontrol"),
        f"SELECT k.number AS enum, k.service AS name, k.service AS nameforcontrol FROM ({_KINDS}) k",
    ),
    "processnodeservice": Relation(
        ("tkservice", "servername", "enable", "tracelevel", "isactive"),
        f"""SELECT k.number AS tkservice, s.name AS servername, 't' AS enable,
            CASE WHEN n.name = {_text(SRM)} THEN m.trace_level END AS tracelevel,
            CASE WHEN n.activated THEN 't' ELSE 'f' END AS isactive
        FROM {{services}} n
        JOIN {{servers}} s ON s.id = n.server_id
        JOIN {{machines}} m ON m.server_id = n.server_id
        JOIN ({_KINDS}) k ON k.service = n.name""",
    ),
    "processconfig": Relation(
        ("paramname", "paramvalue", "tkservice", "fkprocessnode"),
        f"""SELECT d.name AS paramname, COALESCE(p.value, d.value) AS paramvalue,
            {_NUMBERS[SRM]} AS tkservice, {EVERYWHERE[0]} AS fkprocessnode
        FROM ({_DEFAULTS[False]}) d LEFT JOIN {{parameters}} p ON p.key = d.key
        UNION ALL SELECT d.name, COALESCE(p.value, d.value), {_NUMBERS[SRM]}, s.id
        FROM ({_DEFAULTS[True]}) d JOIN {{servers}} s ON s.server_type = {_IMP}
        LEFT JOIN {{parameters}} p ON p.key = d.key AND p.server_id = s.id""",
    ),
    "epassyncagentcfg": Relation(
        ("userassignmentmode",),
        f"""SELECT COALESCE(p.value, d.value) AS userassignmentmode
        FROM (SELECT {_text(ASSIGNMENT_MODE.key)} AS key, {_text(ASSIGNMENT_MODE.default)} AS value) d
        LEFT JOIN {{enterprise}} p ON p.key = d.key""",
    ),
}
# What the login datastore of one node has: ``node``, ``now`` and ``clients`` are filled in by `at_node`. A session is
# logged in as in `selectors.access.is_logged_in`.
LOGIN_RELATIONS: dict[str, Relation] = {
    "clientsessions": Relation(
        ("userid", "imaddress", "client", "primarynodeid", "currentnodeid"),
        """SELECT u.userid, u.im_address AS imaddress, c.client,
            u.home_id AS primarynodeid, x.node_id AS currentnodeid
        FROM {sessions} x JOIN {users} u ON u.id = x.user_id
        JOIN {machines} m ON m.server_id = x.node_id
        CROSS JOIN ({clients}) c
        WHERE x.node_id = {node} AND x.relogin_at <= {now} AND m.clients_lost_at IS NULL
            AND (m.logins_stopped_at IS NULL OR x.relogin_at <= m.logins_stopped_at)""",
    ),
}
COLUMNS: dict[str, tuple[str, ...]] = {name: each.columns for name, each in RELATIONS.items()}
LOGIN_COLUMNS: dict[str, tuple[str, ...]] = {
    name: each.columns for name, each in LOGIN_RELATIONS.items()
}


def at_node(node: int, now: float, clients: int) -> dict[str, str]:
    """Return what fills in the relations of a node at lab time ``now``; ``clients``: those of each user."""
    each = _facts(("client",), [(number,) for number in range(1, clients + 1)])
    return {"node": str(node), "now": repr(now), "clients": each}


def prefix(names: Sequence[str], schema: str, values: Mapping[str, str]) -> str:
    """Return the WITH that makes these relations, from the tables of a schema; ``values``: of `at_node`."""
    where = {name: f'"{schema}"."{table}"' for name, table in TABLES.items()} | dict(values)
    every = RELATIONS | LOGIN_RELATIONS
    made = (f"{name} AS ({every[name].select.format(**where)})" for name in names)
    return "WITH " + ", ".join(made)
