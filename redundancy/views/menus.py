"""The applications of the administration, and what their menus lead to."""

from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a menu."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Menu:
    """A drop-down of the menu bar."""

    label: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """One of the administration's applications: its name in the banner and its menus."""

    key: str
    name: str
    url: str
    menus: tuple[Menu, ...]


# key, name, page it opens with, menus of (label, URL name, URL arguments).
_Line = tuple[str, str, tuple[str, ...]]
FAULT_LAB: _Line = ("Fault Lab", "fault_lab", ())
IMPORT_USERS: _Line = ("Import Users", "user_import", ())
_LAYOUT: tuple[tuple[str, str, tuple[tuple[str, tuple[_Line, ...]], ...]], ...] = (
    (
        "ccmadmin",
        "Cisco Unified CM Administration",
        (
            (
                "System",
                (
                    ("Server", "server_list", ()),
                    ("Presence Redundancy Groups", "group_list", ()),
                    ("Enterprise Parameters", "enterprise_parameters", ()),
                    ("Service Parameters", "service_parameters", ("ccmadmin",)),
                ),
            ),
            (
                "User Management",
                (
                    ("Assign Presence Users", "user_list", ()),
                    ("Presence Sessions", "session_list", ()),
                ),
            ),
            (
                "Bulk Administration",
                (
                    IMPORT_USERS,
                    ("Export Users", "user_export", ()),
                    ("Jobs", "import_jobs", ()),
                ),
            ),
            ("Help", (("How to Begin", "home", ()), ("About", "about", ()))),
        ),
    ),
    (
        "cupadmin",
        "Cisco Unified CM IM and Presence Administration",
        (
            (
                "System",
                (
                    ("Presence Topology", "topology", ()),
                    ("Service Parameters", "service_parameters", ("cupadmin",)),
                ),
            ),
            (
                "Diagnostics",
                (
                    ("HA Event History", "event_history", ()),
                    ("Incidents", "incident_list", ()),
                    ("Audit Trail", "audit_trail", ()),
                    ("Beat Monitor", "beat_monitor", ()),
                ),
            ),
            ("Help", (("About", "about", ()),)),
        ),
    ),
    (
        "ccmservice",
        "Cisco Unified IM and Presence Serviceability",
        (
            (
                "Tools",
                (
                    ("Control Center - Feature Services", "control_center", ("feature",)),
                    ("Control Center - Network Services", "control_center", ("network",)),
                    ("Planned Restart", "planned_list", ()),
                    ("Alarms", "alarm_list", ()),
                    FAULT_LAB,
                ),
            ),
            (
                "Trace",
                (
                    ("SRM Trace", "srm_trace", ()),
                    ("Log Collection", "log_collection", ()),
                ),
            ),
            ("Help", (("About", "about", ()),)),
        ),
    ),
)


def applications(*, fault_lab: bool = False, writer: bool = True) -> tuple[Application, ...]:
    """Return the applications in the order of the Navigation drop-down.

    ``fault_lab``: whether the Fault Lab is on. ``writer``: whether the user may change anything.
    """
    left_out = {
        line for line, on in ((FAULT_LAB, fault_lab and writer), (IMPORT_USERS, writer)) if not on
    }
    found = []
    for key, name, layout in _LAYOUT:
        menus = []
        for label, lines in layout:
            items = tuple(
                Item(line[0], reverse(line[1], args=line[2]))
                for line in lines
                if line not in left_out
            )
            menus.append(Menu(label, items))
        start = reverse("home") if key == "ccmadmin" else menus[0].items[0].url
        found.append(Application(key, name, start, tuple(menus)))
    return tuple(found)
