"""Lines that tell nothing of a cluster: prompts, banners, progress, and what else the commands print. Pure."""

import re
from datetime import datetime

# Some logs put the time of their own clock in front.
PROMPT = re.compile(r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:,\d{3})?(?: -)? )?admin:\s*(.*)$")
_BANNER = "Command Line Interface is starting up"
_BEGINNINGS = (
    _BANNER,
    "=~=~=~=~",
    "Welcome to the Platform Command Line Interface",
    "Automatic pagination is turned",
    "Executed command unsuccessfully",
    "Initiate Manual Failover for Node",
    "Initiate Manual fallback for Node",
    "Request SUCCESSFUL.",
    "Requesting service status, please wait",
    "Service Manager is running",
    "Getting list of all services",
    ">> Return code = ",
    "Primary Node =",
    "Active Version Installed Software Options",
    "Inactive Version Installed Software Options",
    "No Installed Software Options Found",
    "There is no version installed on the inactive side",
    "Server Table (processnode) Entries",
    "No records found",
    "Continue (y/n)?",
    "Using username ",
    "Uptime:",
    "Locale ",
    "Unified OS Version ",
    "License MAC ",
    "CPU Idle:",
    "IOWAIT:",
    "Memory Total:",
    "Free:",
    "Used:",
    "Cached:",
    "Shared:",
    "Buffers:",
    "Disk/",
    "load average:",
)
_LOGGED = re.compile(r"=~=~=~=~.* (?:PuTTY|cucm-admin) log (\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d) ")
_RULE = re.compile(r"[\s=_*#~.-]*$|Total +Free +Used$|Successful$")


def begins_session(text: str) -> bool:
    """Return whether a session begins with this line."""
    return text.startswith((_BANNER, "=~=~=~=~"))


def ends_output(text: str) -> bool:
    """Return whether a line is a rule, as collectors draw them between outputs."""
    return text.lstrip()[:1] in {"=", "-", "#", "*", "_"}


def logged_at(text: str) -> datetime | None:
    """Return when a terminal program began its log, by its line in the log."""
    if (found := _LOGGED.match(text)) is None:
        return None
    try:
        # Of the machine of the administrator, whose zone is not told.
        return datetime.strptime(found[1], "%Y.%m.%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None


def is_noise(text: str) -> bool:
    """Return whether a line tells nothing: it is not counted among those that were not understood."""
    stripped = text.strip()
    return not stripped or stripped.startswith(_BEGINNINGS) or _RULE.match(stripped) is not None
