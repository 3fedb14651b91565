"""Rules of single values: names, descriptions, addresses.

Each function returns the value as it is stored, or raises Refused; ``checked`` adds the field.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping

from redundancy.catalog import DEFAULT_VERSION
from redundancy.errors import Refused
from redundancy.models import Server, ServerType
from redundancy.srm.words import say

DESCRIPTION_LENGTH = 128
_FORBIDDEN_IN_DESCRIPTION = '"%&\\<>'
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_GROUP_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VERSION = re.compile(r"[0-9]{1,3}(\.[0-9]{1,5}){1,3}(-[0-9]{1,5})?")
_MAC = re.compile(r"[0-9A-F]{12}")

# Where the users are that keep a node from leaving.
UNASSIGN_USERS = say(
    "Assign its users to another node, or unassign them, first: User Management > Assign "
    "Presence Users."
)


def checked(values: Mapping[str, tuple[Callable[[str], str | None], str]]) -> dict[str, str | None]:
    """Return each value, given with its rule by field, as it is stored; refuse with every broken rule."""
    stored: dict[str, str | None] = {}
    refusals: list[Refused] = []
    for field, (rule, text) in values.items():
        try:
            stored[field] = rule(text)
        except Refused as refused:
            refusals.append(Refused(refused.rule, field=field))
    Refused.unless_none(refusals)
    return stored


def check_is_node(server: Server, *, field: str) -> None:
    """Refuse a server that is no IM and Presence node."""
    if server.server_type != ServerType.IMP:
        raise Refused(
            say(
                "{node} is not a server of type {type}.",
                node=server.name,
                type=ServerType.IMP.label,
            ),
            field=field,
        )


def _is_domain_name(text: str) -> bool:
    return all(_LABEL.fullmatch(label) for label in text.split("."))


def server_name(text: str) -> str:
    """Return the name of a server: a host name, a fully qualified domain name or an IP address."""
    name = text.strip()
    # Only digits and dots: an address, or a mistyped one; never a host name.
    if ":" in name or re.fullmatch(r"[0-9.]+", name):
        sound = _address(name)
    else:
        sound = name if _is_domain_name(name) else ""
    if not sound or not 2 <= len(name) <= 63:
        raise Refused(
            say(
                "Host Name/IP Address must be a host name, a fully qualified domain name or an IP "
                "address of 2 to 63 characters."
            )
        )
    return sound


def _address(text: str) -> str:
    """Return an IP address as it is stored; empty for what is none, or one of a zone."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return "" if getattr(address, "scope_id", None) else str(address)


def group_name(text: str) -> str:
    """Return the name of a presence redundancy group."""
    name = text.strip()
    if not _GROUP_NAME.fullmatch(name):
        raise Refused(
            say("Name must be 1 to 128 characters: letters, digits, underscores and hyphens.")
        )
    return name


def description(text: str) -> str:
    """Return a description; it may be empty."""
    value = text.strip()
    if len(value) > DESCRIPTION_LENGTH:
        raise Refused(
            say("Description must be at most {most} characters.", most=DESCRIPTION_LENGTH)
        )
    if any(sign in _FORBIDDEN_IN_DESCRIPTION or not sign.isprintable() for sign in value):
        raise Refused(
            say('Description must not contain any of " % & \\ < > or control characters.')
        )
    return value


def ipv4_address(text: str) -> str | None:
    """Return an IPv4 address of a host; None for an empty one."""
    value = text.strip()
    if not value:
        return None
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        raise Refused(say("IPv4 Address must be a valid IPv4 address.")) from None
    if address.is_unspecified or address.is_multicast or int(address) == 2**32 - 1:
        raise Refused(say("IPv4 Address must be the address of one server."))
    return str(address)


def ipv6_address(text: str) -> str | None:
    """Return an IPv6 address in its short form; None for an empty one."""
    value = text.strip()
    if not value:
        return None
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        raise Refused(say("IPv6 Address must be a valid IPv6 address.")) from None
    if address.scope_id:
        raise Refused(say("IPv6 Address must not name a zone."))
    return str(address)


def mac_address(text: str) -> str:
    """Return a MAC address as 12 hexadecimal digits; separators are accepted and dropped."""
    value = re.sub(r"[:.\-\s]", "", text).upper()
    if value and not _MAC.fullmatch(value):
        raise Refused(say("MAC Address must be 12 hexadecimal digits."))
    return value


def no_mac_address(text: str) -> str:
    """Return the empty MAC address of a server that has none."""
    if mac_address(text):
        raise Refused(
            say("MAC Address is for servers of type {type} only.", type=ServerType.CUCM.label)
        )
    return ""


def domain(text: str) -> str:
    """Return a domain name; it may be empty."""
    value = text.strip()
    if value and (len(value) > 253 or not _is_domain_name(value)):
        raise Refused(
            say("IM and Presence Domain must be a valid domain name, such as example.com.")
        )
    return value


def version(text: str) -> str:
    """Return the version of the software on a server; empty means what a new one comes with."""
    value = text.strip() or DEFAULT_VERSION
    if not _VERSION.fullmatch(value):
        raise Refused(
            say("Installed Version must be numbers with dots, such as 14.0.1 or 14.0.1.10000-20.")
        )
    return value
