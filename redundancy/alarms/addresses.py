"""Addresses of channels, in the notation of Apprise: which are taken, and what of them is shown.

Apprise is imported where it is used: it takes memory that a system without channels saves.
"""

import ipaddress
from typing import Any

from django.conf import settings

from redundancy.networks import is_refused
from redundancy.srm.words import listed, say

# Characters of an address.
LONGEST = 500
# Schemes whose host is the one that is told.
OWN_HOST = (
    *("mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms", "rsyslog"),
    *("gotify", "gotifys", "mmost", "mmosts", "ntfys", "rocket", "rockets"),
)
# Schemes that stand for a service; what follows them is a secret.
SERVICES = ("discord", "msteams", "opsgenie", "pagerduty", "slack", "tgram", "wxteams")


def problem_of(url: str) -> str:
    """Return why nothing can be sent to this address; empty when it can."""
    import apprise

    scheme = url.partition("://")[0].lower()
    if len(url) > LONGEST:
        return say("Address must have at most {most} characters.", most=LONGEST)
    if scheme not in OWN_HOST + SERVICES:
        return say(
            "Address must begin with one of these, and ://: {schemes}.",
            schemes=listed(OWN_HOST + SERVICES),
        )
    found = apprise.Apprise()
    if not found.add(url):
        return say(
            "Address is not one that Apprise knows, such as mailto://user:password@host, "
            "json://host/path or rsyslog://host."
        )
    if len(found) > 1 or any(sign.isspace() for sign in url):
        return say("Address must be one address, without spaces. Make a channel for each.")
    host = _host(found[0])
    if not settings.ALARM_ALLOW_PRIVATE and scheme in OWN_HOST and _is_private(host):
        return say(
            "Address must not be of this machine or of a private network ({host}).", host=host
        )
    return ""


def shown(url: str) -> str:
    """Return the scheme and the host of an address, which is all of it that is shown."""
    import apprise

    scheme = url.partition("://")[0].lower()
    made = apprise.Apprise.instantiate(url, suppress_exceptions=True) if url else None
    if made is None:
        return say("not a known address")
    if scheme not in OWN_HOST:
        return f"{scheme}://…" if scheme in SERVICES else say("not a known address")
    port = f":{made.port}" if made.port else ""
    return f"{scheme}://{_host(made)}{port}"


def _host(made: Any) -> str:
    # What a mail server is called, where it is not called as the domain of the mail.
    return str(getattr(made, "smtp_host", "") or made.host or "")


def _is_private(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return is_refused(ipaddress.ip_address(host.strip("[]")), private=False)
    except ValueError:
        # A name is judged when it is called.
        return False
