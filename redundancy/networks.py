"""Which networks are connected to. Of the standard library alone: the process that sends alarms imports it."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_refused(address: Address, *, private: bool) -> bool:
    """Return whether nothing is sent there; ``private``: whether private networks are allowed.

    Addresses of the link never are: there the machines of a cloud find their own credentials.
    """
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return is_refused(mapped, private=private)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return True
    return not (private or address.is_global)
