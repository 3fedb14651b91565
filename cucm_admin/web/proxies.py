"""Whose word about the client counts: only that of the proxies in ``TRUSTED_PROXIES``.

What such a proxy says becomes the request's own address, scheme and host, for the audit trail, cookies
and checks alike. What anybody else says is taken out, so that nothing can go by it.
"""

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from cucm_admin.env import Network
from redundancy.origin import FORWARDED
from redundancy.srm.words import say
from redundancy.views.errors import bare_page

logger = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
FOR, PROTO, HOST = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"
OTHERS = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_SERVER", "HTTP_X_REAL_IP")
# Addresses in one header that are looked at; no chain of proxies is longer.
MOST_ADDRESSES = 20


class TrustedProxies:
    """Middleware: take from a trusted proxy who the client is, and from nobody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request as the client sent it to the proxy."""
        meta = request.META
        said = {name: meta.pop(name, "") for name in (FOR, PROTO, HOST, *OTHERS)}
        peer = meta.get("REMOTE_ADDR", "")
        proxies = settings.TRUSTED_PROXIES
        if is_within(_address(peer), proxies):
            meta["REMOTE_ADDR"] = meta["REMOTE_HOST"] = client_address(peer, said[FOR], proxies)
            # Of several the nearest proxy's: those before it may be the client's invention.
            scheme = said[PROTO].rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                meta["wsgi.url_scheme"] = scheme
            if host := said[HOST].rpartition(",")[2].strip():
                meta["HTTP_HOST"] = host
        else:
            if said[FOR] or said["HTTP_FORWARDED"]:
                meta[FORWARDED] = True
            if settings.HTTPS and said[PROTO]:
                # It would be led to HTTPS again and again, and nobody would know why.
                _tell(peer)
                return _unknown_proxy(request)
        return self.get_response(request)


def _unknown_proxy(request: HttpRequest) -> HttpResponse:
    sentence = say(
        "This request came through a proxy that the server does not know. "
        "Its administrator finds the address of the proxy in the log."
    )
    with translation.override(translation.get_language_from_request(request)):
        return HttpResponse(bare_page(403, sentence), status=403)


def client_address(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Return the address of the client, of whom the trusted proxy ``peer`` says ``forwarded``.

    Each proxy adds the address it was called from at the end, so the last one that is not a trusted
    proxy's is the client's; all before it may be invented.
    """
    client = peer
    for word in reversed(forwarded.split(",")[-MOST_ADDRESSES:]):
        address = _address(word)
        if address is None:
            break
        client = str(address)
        if not is_within(address, proxies):
            break
    return client


def is_within(address: Address | None, networks: Sequence[Network]) -> bool:
    """Return whether ``address`` is in one of ``networks``."""
    return address is not None and any(address in network for network in networks)


def _address(word: str) -> Address | None:
    """Return the address in ``word``, which may have a port; None where there is none."""
    word = word.strip()
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        address = ip_address(word)
    except ValueError:
        return None
    # A socket for both kinds of addresses shows IPv4 ones within IPv6.
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=64)
def _tell(peer: str) -> None:
    """Log a proxy that is not trusted, once."""
    logger.warning(
        "TRUSTED_PROXIES does not name %s: its requests with X-Forwarded-Proto are refused", peer
    )
