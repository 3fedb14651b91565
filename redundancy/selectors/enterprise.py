"""Reads of enterprise parameters: the stored value, or the default of the catalogue."""

from dataclasses import dataclass

from redundancy.catalog import (
    ASSIGNMENT_MODE,
    CLIENTS_PER_USER,
    ENTERPRISE_PARAMETERS,
    PUSH_CLIENTS,
    AssignmentMode,
)
from redundancy.models import EnterpriseParameter


def values() -> dict[str, str]:
    """Return every enterprise parameter by its key, in one query."""
    stored = dict(EnterpriseParameter.objects.values_list("key", "value"))
    return {each.key: stored.get(each.key, each.default) for each in ENTERPRISE_PARAMETERS}


def assignment_mode() -> AssignmentMode:
    """Return the User Assignment Mode for Presence Server."""
    return AssignmentMode(values()[ASSIGNMENT_MODE.key])


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How clients are in the lab: how many each user has, and how many percent have push clients."""

    per_user: int = 1
    push: int = 0


# One client each, none of them woken by push notifications.
ONE_CLIENT = ClientSettings()


def clients() -> ClientSettings:
    """Return how clients are now, in one query."""
    found = values()
    return ClientSettings(int(found[CLIENTS_PER_USER.key]), int(found[PUSH_CLIENTS.key]))
