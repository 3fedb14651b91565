"""What is the same in every language: names in the database, and names the field uses untranslated."""

from django.conf import settings
from django.db import models

from redundancy import catalog
from redundancy.login_profiles import NODE_SIZES, Mode
from redundancy.models import (
    AlarmKind,
    ClusterSnapshot,
    ClusterWatch,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServerType,
)
from redundancy.srm.states import NOT_RESPONDING, Reason, State
from tests.swept import HOST

# Units, and names of programs, formats, products and queues.
TERMS = {
    "min",
    "ms",
    "SRM",
    "UTC",
    "Cisco",
    "IM&P",
    "CSV",
    "JSON",
    "English",
    "ann",
    "users.csv",
    "userid@example.com",
    # A column that was read.
    "group id",
    # What a command line prints of a service.
    "STOPPED",
    "Commanded Out of Service",
    *settings.QUEUES,
    HOST,
}


def proper_names() -> set[str]:
    """Return the names that may stand on a page in any language."""
    names = {*TERMS, NOT_RESPONDING, *State, *Reason, *AlarmKind.values, *catalog.SERVICE_BY_NAME}
    names |= {parameter.name for parameter in catalog.PARAMETERS}
    names |= {parameter.name for parameter in catalog.ENTERPRISE_PARAMETERS}
    # Values of parameters, types of servers, and hardware.
    names |= {"True", "False", *catalog.AssignmentMode, *Mode}
    names |= {*ServerType.labels, *NODE_SIZES.values()}
    for model in (Server, RedundancyGroup, PresenceUser, ClusterSnapshot, ClusterWatch):
        for field in model._meta.get_fields():
            if isinstance(field, models.CharField | models.GenericIPAddressField):
                names |= {
                    str(value)
                    for value in model._default_manager.values_list(field.name, flat=True)
                    if value
                }
    return {name for name in names if len(name) > 1}
