"""All that is ever asked of a cluster: fixed statements, commands and operations, none of which changes anything."""

from dataclasses import dataclass

from redundancy.catalog import SRM


@dataclass(frozen=True, slots=True)
class Select:
    """A statement. ``table``: of which; ``rest``: what follows it; ``keys``: columns that are NULL where they are empty."""

    table: str
    columns: tuple[str, ...]
    rest: str = ""
    keys: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The statement."""
        return self._text("")

    def part(self, skip: int, first: int) -> str:
        """Return the statement of some of its rows: ``first`` behind ``skip`` others."""
        return self._text(f"skip {skip:d} first {first:d} ")

    def _text(self, some: str) -> str:
        whole = f"select {some}{', '.join(self.columns)} from {self.table} {self.rest}"
        return whole.rstrip()


# Who is assigned to no node may be somebody with a telephone alone.
_ASSIGNED = "where primarynodeid is not null"
GROUPS = Select("enterprisesubcluster", ("id", "name", "haenabled"))
NODES = Select(
    "enterprisenode",
    ("id", "name", "subclusterid", "isprimary", "tkhaserverstate", "peerhanodeid"),
    keys=frozenset({"subclusterid", "tkhaserverstate", "peerhanodeid"}),
)
SERVERS = Select("processnode", ("pkid", "name", "tknodeusage", "tkprocessnoderole"))
PARAMETERS = Select(
    "processconfig",
    ("paramname", "paramvalue", "fkprocessnode"),
    f"where tkservice in (select enum from typeservice where name = '{SRM}')",
    keys=frozenset({"fkprocessnode"}),
)
COUNT = Select("enduser", ("count(*)",), _ASSIGNED)
# In an order that stays, as they are asked for in parts.
USERS = Select("enduser", ("userid", "primarynodeid"), f"{_ASSIGNED} order by pkid")
STATEMENTS = (SERVERS, GROUPS, NODES, PARAMETERS, COUNT, USERS)

# Operations of AXL: of CUCM, and of IM and Presence.
SQL = "executeSQLQuery"
VERSION = "getCCMVersion"
HA_STATUS = "getSubClusterHAStatus"
SERVICES = "getClusterNodesAndCriticalServices"
OPERATIONS = frozenset({SQL, VERSION, HA_STATUS, SERVICES})

# What is typed at the prompt. The first one is of the session alone.
COMMANDS = (
    "set cli pagination off",
    "show status",
    "show version active",
    "show network cluster",
    "utils ha status",
    "utils service list",
    *(f"run sql {each.text}" for each in STATEMENTS),
    'show perf query counter "Cisco XCP CM" "CmConnectedSockets"',
    'show perf query counter "Cisco Presence Engine" "ActiveJsmSessions"',
)
