"""Forms of *System > Server*."""

from typing import Any

from django import forms

from redundancy.forms.base import PageForm, text_field
from redundancy.models import Server, ServerType
from redundancy.srm.words import say

# Of the form's fields, of the operations' arguments and of the row's columns.
NAMES = ("name", "description", "ipv4_address", "ipv6_address", "mac_address", "domain", "version")


UPGRADES = say(
    "Before an upgrade disable High Availability and wait at least 2 minutes; enable it again when all "
    "nodes run the same version and the users are back."
)


class ServerTypeForm(PageForm):
    """The first step of Add: what the server is."""

    type = forms.ChoiceField(label=say("Server Type"), choices=ServerType.choices, initial="imp")


class ServerForm(PageForm):
    """A server; its fields depend on its type."""

    name = text_field(say("Host Name/IP Address"), required=True)
    ipv4_address = text_field(say("IPv4 Address"))
    ipv6_address = text_field(say("IPv6 Address"))
    mac_address = text_field(say("MAC Address"))
    description = text_field(say("Description"))
    domain = text_field(say("IM and Presence Domain"))
    version = text_field(say("Installed Version"), help_text=UPGRADES)

    def __init__(self, *args: Any, server_type: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["domain" if server_type == ServerType.CUCM else "mac_address"]
        if server_type == ServerType.CUCM:
            self.fields["version"].help_text = ""

    def values(self) -> dict[str, str]:
        """Return what was typed, by the names the operations use."""
        return {name: self.text(name) for name in NAMES}


def values_of(server: Server) -> dict[str, str]:
    """Return what the form of ``server`` shows at first."""
    return {name: getattr(server, name) or "" for name in NAMES}
