"""Reads of enterprise parameters: the stored value, or the default of the catalogue."""

from redundancy.catalog import ASSIGNMENT_MODE, ENTERPRISE_PARAMETERS, AssignmentMode
from redundancy.models import EnterpriseParameter


def values() -> dict[str, str]:
    """Return every enterprise parameter by its key, in one query."""
    stored = dict(EnterpriseParameter.objects.values_list("key", "value"))
    return {each.key: stored.get(each.key, each.default) for each in ENTERPRISE_PARAMETERS}


def assignment_mode() -> AssignmentMode:
    """Return the User Assignment Mode for Presence Server."""
    return AssignmentMode(values()[ASSIGNMENT_MODE.key])
