"""The applications of the administration, and what their menus lead to."""

from dataclasses import dataclass

from django.urls import reverse

from redundancy.srm.words import say


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


# label, URL name, URL arguments.
_Line = tuple[str, str, tuple[str, ...]]
FAULT_LAB: _Line = (say("Fault Lab"), "fault_lab", ())
IMPORT_USERS: _Line = (say("Import Users"), "user_import", ())
IMPORT_CLUSTER: _Line = (say("Import Cluster"), "cluster_import", ())
_ABOUT: _Line = (say("About"), "about", ())
# Of each application key and name; under the names of its menus their lines.
_LAYOUT: dict[tuple[str, str], dict[str, tuple[_Line, ...]]] = {
    ("ccmadmin", say("Cisco Unified CM Administration")): {
        say("System"): (
            (say("Server"), "server_list", ()),
            (say("Presence Redundancy Groups"), "group_list", ()),
            (say("Enterprise Parameters"), "enterprise_parameters", ()),
            (say("Service Parameters"), "service_parameters", ("ccmadmin",)),
        ),
        say("User Management"): (
            (say("Assign Presence Users"), "user_list", ()),
            (say("Presence Sessions"), "session_list", ()),
        ),
        say("Bulk Administration"): (
            IMPORT_USERS,
            (say("Export Users"), "user_export", ()),
            (say("Jobs"), "import_jobs", ()),
            IMPORT_CLUSTER,
            (say("Cluster Snapshots"), "cluster_snapshots", ()),
            (say("Compare Clusters"), "cluster_compare", ()),
            (say("Watched Cluster"), "cluster_watch", ()),
        ),
        say("Help"): ((say("How to Begin"), "home", ()), _ABOUT),
    },
    ("cupadmin", say("Cisco Unified CM IM and Presence Administration")): {
        say("System"): (
            (say("Presence Topology"), "topology", ()),
            (say("Service Parameters"), "service_parameters", ("cupadmin",)),
        ),
        say("Presence"): ((say("Inter-Domain Federation"), "functions", ("federation",)),),
        say("Messaging"): (
            (say("Compliance"), "functions", ("compliance",)),
            (say("Group Chat and Persistent Chat"), "functions", ("persistent-chat",)),
        ),
        say("Diagnostics"): (
            (say("HA Event History"), "event_history", ()),
            (say("Incidents"), "incident_list", ()),
            (say("Audit Trail"), "audit_trail", ()),
            (say("Beat Monitor"), "beat_monitor", ()),
        ),
        say("Help"): (_ABOUT,),
    },
    ("ccmservice", say("Cisco Unified IM and Presence Serviceability")): {
        say("Tools"): (
            (say("Service Activation"), "service_activation", ()),
            (say("Control Center - Feature Services"), "control_center", ("feature",)),
            (say("Control Center - Network Services"), "control_center", ("network",)),
            (say("Planned Restart"), "planned_list", ()),
            (say("Alarms"), "alarm_list", ()),
            FAULT_LAB,
        ),
        say("Trace"): (
            (say("SRM Trace"), "srm_trace", ()),
            (say("Log Collection"), "log_collection", ()),
        ),
        say("Help"): (_ABOUT,),
    },
}


def applications(*, fault_lab: bool = False, writer: bool = True) -> tuple[Application, ...]:
    """Return the applications in the order of the Navigation drop-down.

    ``fault_lab``: whether the Fault Lab is on. ``writer``: whether the user may change anything.
    """
    shown = ((FAULT_LAB, fault_lab and writer), (IMPORT_USERS, writer), (IMPORT_CLUSTER, writer))
    left_out = {line for line, on in shown if not on}
    every = []
    for (key, name), layout in _LAYOUT.items():
        menus = []
        for label, lines in layout.items():
            items = tuple(
                Item(line[0], reverse(line[1], args=line[2]))
                for line in lines
                if line not in left_out
            )
            menus.append(Menu(label, items))
        start = reverse("home") if key == "ccmadmin" else menus[0].items[0].url
        every.append(Application(key, name, start, tuple(menus)))
    return tuple(every)
