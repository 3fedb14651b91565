"""Who may look at an address and who may do something at it: the decisions, one line an address.

``look`` is GET and HEAD, ``do`` is POST. An address that is missing here fails the matrix.
"""

from enum import StrEnum
from typing import NamedTuple

from django.contrib.auth.models import Group, User
from django.db.models import Model

from redundancy.models import (
    AlarmChannel,
    ConfiguredFunction,
    EnterpriseParameter,
    NodeService,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
)
from redundancy.permissions import READ_ONLY, SUPER
from tests.access.addresses import Address


class Role(StrEnum):
    """Somebody who sends requests. But for the one WITHOUT_STAFF all who sign in have staff status."""

    ANONYMOUS = "anonymous"
    INACTIVE = "inactive"
    NO_GROUP = "no group"
    READER = "read-only"
    WITHOUT_STAFF = "super user without staff status"
    WRITER = "super user"
    SUPERUSER = "Django's superuser"


# The groups of each role that signs in.
GROUPS = {
    Role.INACTIVE: SUPER,
    Role.NO_GROUP: "",
    Role.READER: READ_ONLY,
    Role.WITHOUT_STAFF: SUPER,
    Role.WRITER: SUPER,
    Role.SUPERUSER: "",
}
ANYBODY = frozenset(Role)
SIGNED_IN = ANYBODY - {Role.ANONYMOUS, Role.INACTIVE}
WRITES = frozenset({Role.WRITER, Role.WITHOUT_STAFF, Role.SUPERUSER})
# A user in no group sees nothing but what is one's own.
SEES = SIGNED_IN - {Role.NO_GROUP}
SUPERUSER = frozenset({Role.SUPERUSER})
NOBODY: frozenset[Role] = frozenset()


class Decision(NamedTuple):
    """Who may look at an address, and who may do something there."""

    look: frozenset[Role]
    do: frozenset[Role]


SHOWS = Decision(SEES, NOBODY)
# A page that all may look at, and whose form is for who may write.
SAVES = Decision(SEES, WRITES)
# A form, or a question before something is done, that has nothing to say to who may not do it.
ASKS = Decision(WRITES, WRITES)
DOES = Decision(NOBODY, WRITES)
# A sign-in on the pages is worth nothing there.
BY_PASSWORD = Decision(NOBODY, NOBODY)

SITE: dict[str, Decision] = {
    # For everybody
    "login": Decision(ANYBODY, ANYBODY),
    "set_language": Decision(ANYBODY, ANYBODY),
    "favicon": Decision(ANYBODY, NOBODY),
    "healthz": Decision(ANYBODY, NOBODY),
    "readyz": Decision(ANYBODY, NOBODY),
    "metrics": Decision(ANYBODY, NOBODY),
    # For programs, which send a password with each request: tests/soap asks there by every role.
    "axl": BY_PASSWORD,
    "axl_bare": BY_PASSWORD,
    "control_center_services": BY_PASSWORD,
    "control_center_services_ex": BY_PASSWORD,
    "control_center_services_port": BY_PASSWORD,
    # For clients, whose operations ask who they are.
    **dict.fromkeys(
        ("epas", "epas_version", "epas_node", "epas_node_version"), Decision(ANYBODY, ANYBODY)
    ),
    # One's own session and password
    "stay_signed_in": Decision(NOBODY, SIGNED_IN),
    "session_seconds": Decision(SIGNED_IN, NOBODY),
    "password_change": Decision(SIGNED_IN, SIGNED_IN),
    "logout": Decision(NOBODY, SIGNED_IN),
    # First page, About, Navigation
    "home": SHOWS,
    "about": SHOWS,
    "go": SHOWS,
    "load_sample": DOES,
    # System > Server
    "server_list": SHOWS,
    "server_add": ASKS,
    "server_edit": SAVES,
    "server_delete": ASKS,
    "server_delete_selected": ASKS,
    "start_login_services": ASKS,
    # System > Presence Redundancy Groups
    "group_list": SHOWS,
    "group_add": ASKS,
    "group_edit": SAVES,
    "group_delete": ASKS,
    "group_delete_selected": ASKS,
    "group_logins": SHOWS,
    "group_enable": ASKS,
    "group_action": ASKS,
    "preflight": SHOWS,
    "must_match": SHOWS,
    "align": ASKS,
    "login_profile": SAVES,
    # System > Service Parameters, Enterprise Parameters
    "service_parameters": SAVES,
    "service_parameter_help": SHOWS,
    "parameters_all": SHOWS,
    "parameters_modified": SHOWS,
    "enterprise_parameters": SAVES,
    # System > Presence Topology
    "topology": SHOWS,
    "node_details": SHOWS,
    # User Management
    "user_list": SHOWS,
    "user_assign": ASKS,
    "user_spread": ASKS,
    "user_history": SHOWS,
    "session_list": SHOWS,
    "session_sign": ASKS,
    # Bulk Administration
    "user_import": ASKS,
    "user_export": SHOWS,
    "user_export_file": SHOWS,
    "import_jobs": SHOWS,
    "cluster_import": ASKS,
    "cluster_reading": SAVES,
    "cluster_snapshots": SHOWS,
    "cluster_snapshot": SAVES,
    "cluster_snapshot_rest": SHOWS,
    "cluster_snapshot_delete": ASKS,
    "cluster_snapshot_delete_selected": ASKS,
    "cluster_compare": SHOWS,
    "cluster_apply": ASKS,
    "cluster_undo": ASKS,
    "cluster_watch": SHOWS,
    "cluster_watch_forget": ASKS,
    "import_job": SHOWS,
    "import_problems": SHOWS,
    "import_act": ASKS,
    # Serviceability > Tools
    "control_center": SHOWS,
    "control_center_service": DOES,
    "control_center_node": DOES,
    "service_activation": SAVES,
    "planned_list": SAVES,
    "planned_restart": SHOWS,
    "planned_step": ASKS,
    "alarm_list": SHOWS,
    "alarm_acknowledge": DOES,
    "alarm_banner": SHOWS,
    "fault_lab": ASKS,
    "fault_lift": DOES,
    "fault_banner": SHOWS,
    # Serviceability > Trace
    "srm_trace": SHOWS,
    "srm_trace_download": SHOWS,
    "srm_trace_level": DOES,
    "log_collection": SAVES,
    "log_collection_download": SHOWS,
    # Messaging, Presence
    "functions": SAVES,
    # Diagnostics
    "event_history": SHOWS,
    "event": SHOWS,
    "timeline": SHOWS,
    "incident_list": SHOWS,
    "incident": SHOWS,
    "audit_trail": SHOWS,
    "beat_monitor": SHOWS,
}

# Django's own pages take a POST where nothing is done, and show themselves.
SHOWS_ALWAYS = Decision(SEES, SEES)
ADMINISTRATION: dict[str, Decision] = {
    "admin:index": SHOWS_ALWAYS,
    "admin:app_list": SHOWS_ALWAYS,
    "admin:jsi18n": SHOWS,
    "admin:login": SHOWS,
    "admin/login/": SHOWS,
    # They lead to the product's own page.
    "admin/password_change/": SHOWS_ALWAYS,
    # Who is in no group has the one of the site.
    "admin:logout": Decision(NOBODY, SEES),
    "admin:password_change": SHOWS_ALWAYS,
    "admin:password_change_done": SHOWS,
    # No form of the administration asks it; it needs the name of a field of one that does.
    "admin:autocomplete": Decision(NOBODY, NOBODY),
    "admin:view_on_site": SHOWS_ALWAYS,
    # What leads nowhere is 404.
    "admin/(?P<url>.*)$": SHOWS_ALWAYS,
}

# One's own session and password.
NOT_FOR_STAFF_ALONE = {"admin:logout", "admin:password_change", "admin/password_change/"}

# What may be done to the rows of a table, by whom; to all other tables nothing is done.
TABLES: dict[type[Model], tuple[frozenset[str], frozenset[Role]]] = {
    Server: (frozenset({"add", "change", "delete"}), WRITES),
    RedundancyGroup: (frozenset({"add", "change", "delete"}), WRITES),
    ServiceParameter: (frozenset({"add", "change", "delete"}), WRITES),
    EnterpriseParameter: (frozenset({"add", "change", "delete"}), WRITES),
    PresenceUser: (frozenset({"add", "change", "delete"}), WRITES),
    AlarmChannel: (frozenset({"add", "change", "delete"}), WRITES),
    NodeService: (frozenset({"change"}), WRITES),
    ConfiguredFunction: (frozenset({"add", "delete"}), WRITES),
    User: (frozenset({"add", "change", "delete", "password_change"}), SUPERUSER),
    Group: (frozenset({"add", "change", "delete"}), SUPERUSER),
}
# Tables that only who writes them may see.
HIDDEN = {User, Group}


def _of_table(address: Address) -> Decision:
    assert address.model is not None
    acts, who = TABLES.get(address.model, (frozenset(), NOBODY))
    sees = who if address.model in HIDDEN else SEES
    match address.page:
        case "changelist" | "history":
            return Decision(sees, sees)
        case "change":
            return Decision(sees, who if "change" in acts else NOBODY)
        case act:
            return Decision(*[who if act in acts else NOBODY] * 2)


def in_administration(address: Address) -> bool:
    """Return whether an address is one of the Django administration."""
    return address.path.startswith("/admin/")


def decide(address: Address) -> Decision | None:
    """Return what is decided of an address; None when nothing is."""
    if not in_administration(address):
        return SITE.get(address.name)
    if address.model is not None:
        decision: Decision | None = _of_table(address)
    elif address.name.endswith("/<path:object_id>/"):
        # An old form of a row's address: it leads to the present one, which is asked then.
        decision = SHOWS_ALWAYS
    else:
        decision = ADMINISTRATION.get(address.name)
    if decision is None or address.name in NOT_FOR_STAFF_ALONE:
        return decision
    return Decision(*(who - {Role.WITHOUT_STAFF} for who in decision))
