"""Control Center Services as interfaces: the present two, and the form of older clients."""

from dataclasses import replace

from django.contrib.auth.models import User

from redundancy import permissions
from redundancy.models import Server, ServerType
from redundancy.soap.control import older
from redundancy.soap.control.operations import EXTENDED, OPERATIONS
from redundancy.soap.service import Service, by_name

NAMESPACE = "http://schemas.cisco.com/ast/soap"
# Scripts look for its first words, wait, and ask again.
_TOO_MANY = "Exceeded allowed rate: too many requests a minute. Try again later."


def _may(user: User, write: bool) -> bool:
    return permissions.can_write(user) if write else permissions.has_role(user)


def _elsewhere(_name: str, server: Server) -> str:
    if server.server_type == ServerType.IMP:
        return ""
    return f"The services of {server.name} are not here; those of IM and Presence servers are."


SERVICES = Service(
    name="ControlCenterServices",
    binding="ControlCenterServicesBinding",
    # Clients end it with a slash or not; the description comes without.
    namespaces=(f"{NAMESPACE}/", NAMESPACE),
    operations=by_name(OPERATIONS),
    may=_may,
    qualified=True,
    too_many=_TOO_MANY,
    elsewhere=_elsewhere,
)
EXTENDED_SERVICES = replace(
    SERVICES,
    name="ControlCenterServicesEx",
    binding="ControlCenterServicesExBinding",
    operations=by_name(OPERATIONS, EXTENDED),
)
OLDER = Service(
    name="ControlCenterServicesPort",
    binding="ControlCenterServicesBinding",
    namespaces=("", f"{NAMESPACE}/", NAMESPACE, older.NAMESPACE),
    operations=by_name(older.OPERATIONS),
    may=_may,
    too_many=_TOO_MANY,
    elsewhere=_elsewhere,
    types=older.types(),
    write=older.write,
)
