"""getCCMVersion."""

from typing import Any

from redundancy.catalog import DEFAULT_VERSION
from redundancy.models import Server
from redundancy.selectors.servers import cucm_publisher
from redundancy.soap.axl import items
from redundancy.soap.fields import Field, Kind, Reference
from redundancy.soap.service import Call, Operation


def _version(call: Call) -> dict[str, Any]:
    asked = Reference(call.values.get("processNodeName") or "")
    found = (
        items.referenced(Server.objects.all(), asked, "processNodeName", "server")
        if asked
        else cucm_publisher()
    )
    version = (found.version if found else "") or DEFAULT_VERSION
    return {"return": {"componentVersion": {"version": version}}}


_COMPONENT = Field("componentVersion", Kind.STRUCT, (Field("version"),))
OPERATIONS = (
    Operation(
        "getCCMVersion",
        (Field("processNodeName", longest=255),),
        (Field("return", Kind.STRUCT, (_COMPONENT,)),),
        _version,
    ),
)
