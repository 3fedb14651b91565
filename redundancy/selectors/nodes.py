"""Reads of the IM and Presence servers as machines."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from redundancy.models import Server, ServerType


def nodes() -> QuerySet[Server]:
    """Return every IM and Presence server, by name."""
    return Server.objects.filter(server_type=ServerType.IMP).order_by(Lower("name"))


class NodeNames:
    """Finds nodes by name, written as it is or as its host name alone or with a domain."""

    def __init__(self, names: Iterable[tuple[int, str]]) -> None:
        self._whole: dict[str, tuple[int, str]] = {}
        self._hosts: dict[str, list[tuple[int, str]]] = {}
        for pk, name in names:
            self._whole[name.lower()] = (pk, name)
            self._hosts.setdefault(_host(name), []).append((pk, name))

    def meant(self, name: str) -> list[tuple[int, str]]:
        """Return key and name of the nodes that ``name`` may mean: of one when it is its whole name."""
        if (same := self._whole.get(name.lower())) is not None:
            return [same]
        alike = self._hosts.get(_host(name), [])
        # Two different domains are two different nodes.
        return [each for each in alike if name.lower() == _host(name) or "." not in each[1]]


def _host(name: str) -> str:
    """Return the host name of a server in lower case; an IP address has none, and stays as it is."""
    host = name.lower().partition(".")[0]
    return name.lower() if host.isdecimal() or ":" in name else host


def node(pk: int) -> Server | None:
    """Return one IM and Presence server with its group, machine and runtime; None when there is none."""
    return nodes().select_related("group", "machine", "runtime").filter(pk=pk).first()


def mates(pk: int) -> list[int]:
    """Return the keys of a node and of the other one of its group; none where there is no such node."""
    of_both = Q(pk=pk) | Q(group__servers=pk)
    return list(nodes().filter(of_both).values_list("pk", flat=True).distinct().order_by("pk"))


def of_group(pk: int) -> list[int]:
    """Return the keys of the nodes of a group."""
    return list(nodes().filter(group=pk).values_list("pk", flat=True))


def peer(server: Server) -> Server | None:
    """Return the other server of the group of ``server``; None while there is none."""
    if server.group_id is None:
        return None
    return nodes().filter(group_id=server.group_id).exclude(pk=server.pk).first()
