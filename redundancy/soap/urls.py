"""The addresses of the SOAP interfaces."""

from django.urls import path, register_converter

from redundancy.soap.axl.service import AXL
from redundancy.soap.control.service import EXTENDED_SERVICES, OLDER, SERVICES
from redundancy.soap.door import door
from redundancy.soap.epas.service import EPAS


class _Version:
    """The version of the Client Profile Agent that a client knows: all are answered alike."""

    regex = "v[0-9]{2,3}|latest"

    def to_python(self, value: str) -> str:
        """Return the version as it was written."""
        return value

    def to_url(self, value: str) -> str:
        """Return the same."""
        return value


register_converter(_Version, "epas_version")

_axl, _epas = door(AXL), door(EPAS)
_PRESENT = "controlcenterservice2/services"
# Where the node has no address of its own (SOAP_NODES), the path may name the one that is asked.
_NODE = "node/<str:node>/"

urlpatterns = [
    # Both, for no client follows a redirection with its message.
    path("axl/", _axl, name="axl"),
    path("axl", _axl, name="axl_bare"),
    path(f"{_PRESENT}/ControlCenterServices", door(SERVICES), name="control_center_services"),
    path(
        f"{_PRESENT}/ControlCenterServicesEx",
        door(EXTENDED_SERVICES),
        name="control_center_services_ex",
    ),
    path(
        "controlcenterservice/services/ControlCenterServicesPort",
        door(OLDER),
        name="control_center_services_port",
    ),
    path("EPASSoap/service", _epas, name="epas"),
    path("EPASSoap/service/<epas_version:version>", _epas, name="epas_version"),
    path(f"{_NODE}EPASSoap/service", _epas, name="epas_node"),
    path(
        f"{_NODE}EPASSoap/service/<epas_version:version>",
        _epas,
        name="epas_node_version",
    ),
]
