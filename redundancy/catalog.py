"""What the vendor's system brings with it: services of a node, parameters of SRM.

Facts of the vendor's public guides. Pure data: imported by models, operations and selectors.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from redundancy.srm.clients import PUSH_WAIT
from redundancy.srm.words import mark, say

SRM = "Cisco Server Recovery Manager"
DATABASE = "A Cisco DB"
XCP_ROUTER = "Cisco XCP Router"
CONNECTION_MANAGER = "Cisco XCP Connection Manager"
PROFILE_AGENT = "Cisco Client Profile Agent"
DATA_MONITOR = "Cisco IM and Presence Data Monitor"
PRESENCE_ENGINE = "Cisco Presence Engine"
LOGIN_DATASTORE = "Cisco Login Datastore"
MESSAGE_ARCHIVER = "Cisco XCP Message Archiver"
TEXT_CONFERENCE_MANAGER = "Cisco XCP Text Conference Manager"
SIP_FEDERATION_MANAGER = "Cisco XCP SIP Federation Connection Manager"
XMPP_FEDERATION_MANAGER = "Cisco XCP XMPP Federation Connection Manager"
# What a new server comes with.
DEFAULT_VERSION = "14.0.1"


# The most that one cluster has, and the most users that the vendor supports in a group with High
# Availability and in a cluster.
CLUSTER_SERVERS, CLUSTER_GROUPS = 6, 3
GROUP_USERS, CLUSTER_USERS = 25_000, 75_000


class ServiceKind(StrEnum):
    """Where the Control Center lists a service."""

    NETWORK = "network"
    FEATURE = "feature"


class Watch(StrEnum):
    """When SRM monitors a service."""

    ALWAYS = "always"
    IF_ACTIVATED = "if activated"
    IF_CONFIGURED = "if configured and activated"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Service:
    """A service of an IM and Presence node.

    ``xcp``: stops and restarts with the Cisco XCP Router. ``login``: a client logs in only at a node
    where it runs. ``by_default``: activated on a new node.
    """

    name: str
    kind: ServiceKind
    watch: Watch = Watch.NEVER
    xcp: bool = False
    login: bool = False
    by_default: bool = True


_N, _F = ServiceKind.NETWORK, ServiceKind.FEATURE
_IF = Watch.IF_CONFIGURED

SERVICES: tuple[Service, ...] = (
    Service(DATABASE, _N, Watch.ALWAYS),
    Service(DATA_MONITOR, _N),
    Service(SRM, _N),
    Service("Cisco Route Datastore", _N),
    Service(LOGIN_DATASTORE, _N, login=True),
    Service("Cisco SIP Registration Datastore", _N),
    Service("Cisco Presence Datastore", _N),
    Service("Cisco XCP Config Manager", _N),
    Service(XCP_ROUTER, _N, Watch.ALWAYS, xcp=True, login=True),
    Service("Cisco OAM Agent", _N),
    Service(PROFILE_AGENT, _N, login=True),
    Service("Cisco Intercluster Sync Agent", _N),
    Service("Cisco Config Agent", _N),
    Service("Cisco Sync Agent", _N),
    Service("Cisco SIP Proxy", _F),
    Service(PRESENCE_ENGINE, _F, Watch.IF_ACTIVATED),
    Service(CONNECTION_MANAGER, _F, xcp=True, login=True),
    Service("Cisco XCP Authentication Service", _F, xcp=True, login=True),
    Service("Cisco XCP Web Connection Manager", _F, xcp=True),
    Service("Cisco XCP Directory Service", _F, xcp=True, by_default=False),
    Service("Cisco XCP File Transfer Manager", _F, xcp=True, by_default=False),
    Service(MESSAGE_ARCHIVER, _F, _IF, xcp=True, by_default=False),
    Service(TEXT_CONFERENCE_MANAGER, _F, _IF, xcp=True, by_default=False),
    Service(SIP_FEDERATION_MANAGER, _F, _IF, xcp=True, by_default=False),
    Service(XMPP_FEDERATION_MANAGER, _F, _IF, xcp=True, by_default=False),
)

SERVICE_BY_NAME: dict[str, Service] = {service.name: service for service in SERVICES}

XCP_SERVICES = frozenset(service.name for service in SERVICES if service.xcp)
# Without one of these nobody can log in at a node. SRM monitors the Cisco XCP Router only.
LOGIN_SERVICES: tuple[str, ...] = tuple(service.name for service in SERVICES if service.login)
# Performance counters of the clients of a node, and the service that counts.
CLIENT_COUNTERS: dict[str, str] = {
    "CmConnectedSockets": CONNECTION_MANAGER,
    "ActiveJsmSessions": PRESENCE_ENGINE,
}
# The connections of clients end in these: when one stops, everybody on its node is disconnected.
CONNECTION_SERVICES = (XCP_ROUTER, CONNECTION_MANAGER)


def is_monitored(name: str, *, activated: bool, configured: bool) -> bool:
    """Return whether SRM watches the service ``name`` in this deployment."""
    watch = SERVICE_BY_NAME[name].watch
    if watch is Watch.IF_CONFIGURED:
        return activated and configured
    return watch is Watch.ALWAYS or (watch is Watch.IF_ACTIVATED and activated)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A service parameter of SRM. ``unit`` is ``"s"``, ``"port"`` or ``"bool"``.

    ``key``: also the name of the field of ``srm.types.Policy`` that carries it, where SRM decides by it.
    """

    key: str
    name: str
    default: str
    unit: str
    per_node: bool = False
    low: int = 0
    high: int = 0
    help: str = ""

    @property
    def limits(self) -> str:
        """The values that are allowed, in words."""
        if self.unit == "bool":
            return say("True or False")
        if self.unit == "s":
            return say("{low} to {high} seconds", low=self.low, high=self.high)
        return say("{low} to {high}", low=self.low, high=self.high)


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "service_port", "Service Port", "22001", "port", low=1024, high=65535,
        help=say("The port on which the SRM of a node receives heartbeats."),
    ),
    Parameter(
        "admin_rpc_port", "Admin RPC Port", "20075", "port", low=1024, high=65535,
        help=say("The port on which SRM receives an administrator's requests. Differs from the Service Port."),
    ),
    Parameter(
        "critical_service_delay", "Critical Service Delay", "90", "s", low=15, high=3600,
        help=say("How long a monitored service may be down before its node fails over."),
    ),
    Parameter(
        "automatic_fallback", "Enable Automatic Fallback", "False", "bool",
        help=say("Whether a failed node takes its users back by itself after 30 unbroken minutes of health."),
    ),
    Parameter(
        "initialization_timeout", "Initialization Keep Alive (Heartbeat) Timeout", "120", "s",
        low=30, high=3600,
        help=say("How long a starting SRM waits for its peer. Not below the Keep Alive (Heartbeat) Timeout."),
    ),
    Parameter(
        "heartbeat_timeout", "Keep Alive (Heartbeat) Timeout", "60", "s", low=15, high=3600,
        help=say("Silence after which the peer is declared down. At least two Keep Alive (HeartBeat) Intervals."),
    ),
    Parameter(
        "heartbeat_interval", "Keep Alive (HeartBeat) Interval", "15", "s", low=1, high=300,
        help=say("Time between two heartbeats."),
    ),
    Parameter(
        "relogin_lower", "Client Re-Login Lower Limit", "120", "s", per_node=True, high=86400,
        help=say("The least time a client waits before it logs in again after a move. Not above the Upper Limit."),
    ),
    Parameter(
        "relogin_upper", "Client Re-Login Upper Limit", "537", "s", per_node=True, high=86400,
        help=say("The longest time a client waits before it logs in again after a move."),
    ),
)  # fmt: skip

PARAMETER_BY_KEY: dict[str, Parameter] = {parameter.key: parameter for parameter in PARAMETERS}

# Two parameters, what must hold for their values, and the sentence where it does not.
PARAMETER_PAIRS: tuple[tuple[str, str, Callable[[int, int], bool], str], ...] = (
    (
        "admin_rpc_port", "service_port", operator.ne,
        mark("{parameter} ({value}) must not be the {other} ({limit})."),
    ),
    (
        "initialization_timeout", "heartbeat_timeout", operator.ge,
        mark("{parameter} ({value}) must not be below the {other} ({limit})."),
    ),
    (
        "heartbeat_timeout", "heartbeat_interval", lambda timeout, interval: timeout >= 2 * interval,
        mark("{parameter} ({value}) must be at least twice the {other} ({limit})."),
    ),
    (
        "relogin_lower", "relogin_upper", operator.le,
        mark("{parameter} ({value}) must not be above the {other} ({limit})."),
    ),
)  # fmt: skip


class AssignmentMode(StrEnum):
    """How users who are given no node get one."""

    BALANCED = "Balanced"
    ACTIVE_STANDBY = "Active-Standby"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class EnterpriseParameter:
    """A parameter of the whole cluster (*System > Enterprise Parameters*): one of ``choices``."""

    key: str
    name: str
    default: str
    choices: tuple[str, ...]
    help: str


# The re-login limits of a push deployment, Lower and Upper, in seconds, by the vendor's guide.
PUSH_LIMITS = (200, 2075)

ASSIGNMENT_MODE = EnterpriseParameter(
    "assignment_mode",
    "User Assignment Mode for Presence Server",
    AssignmentMode.BALANCED,
    tuple(AssignmentMode),
    help=say(
        "How users without an assigned node are assigned, and what Assign All Users and Rebalance do. "
        "Balanced: users are spread equally over all nodes of presence redundancy groups. "
        "Active-Standby: all are on the first node of each group. None: users are not assigned "
        "automatically."
    ),
)

# The vendor has no enterprise parameters for these two: the lab's own.
CLIENTS_PER_USER = EnterpriseParameter(
    "clients_per_user",
    "Lab: Clients per User",
    "1",
    ("1", "2", "3", "4", "5"),
    help=say(
        "On the vendor's system: Multiple Device Messaging, on by default (service parameter of the "
        "Cisco XCP Router in IM and Presence Administration). Users are logged in with several clients "
        "at the same time; sessions count clients, not users, and a failover takes roughly twice as "
        "long. Here: how many clients each user has. They log in together, and sessions and logins count "
        "them all; that the move itself takes longer is not played."
    ),
)
PUSH_CLIENTS = EnterpriseParameter(
    "push_clients",
    "Lab: Push Clients",
    "0",
    ("0", "10", "25", "50", "75", "100"),
    help=say(
        "The share of users, in percent, whose clients are on mobile devices in the background and are "
        "woken by push notifications. On the vendor's system it follows from who uses such a client, and "
        "push notifications are set up on Unified CM. They take {lower:.0f} to {upper:.0f} minutes to "
        "return, after a failover and after a fallback, on a node of 15,000 users; here on every node. "
        "Their unread messages are lost on a sudden failure, and kept on a Failover, a Fallback or when "
        "High Availability is disabled. A push deployment limits logins to 4 a second: Client Re-Login "
        "Lower Limit {push_lower}, Upper Limit {push_upper}.",
        lower=PUSH_WAIT[0] / 60,
        upper=PUSH_WAIT[1] / 60,
        push_lower=PUSH_LIMITS[0],
        push_upper=PUSH_LIMITS[1],
    ),
)
# How clients are in the lab; rehearsals set them, too.
CLIENT_PARAMETERS = (CLIENTS_PER_USER, PUSH_CLIENTS)

ENTERPRISE_PARAMETERS: tuple[EnterpriseParameter, ...] = (ASSIGNMENT_MODE, *CLIENT_PARAMETERS)
