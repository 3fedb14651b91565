"""Reads of the IM and Presence servers as machines."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from redundancy.models import Server, ServerType


def nodes() -> QuerySet[Server]:
    """Return every IM and Presence server, by name."""
    return Server.objects.filter(server_type=ServerType.IMP).order_by(Lower("name"))


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
