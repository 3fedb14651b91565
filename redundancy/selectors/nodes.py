"""Reads of the IM and Presence servers as machines."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from redundancy.errors import Refused
from redundancy.models import Machine, Server, ServerType
from redundancy.names import NodeNames


def nodes() -> QuerySet[Server]:
    """Return every IM and Presence server, by name."""
    return Server.objects.filter(server_type=ServerType.IMP).order_by(Lower("name"))


def find_node(name: str) -> Server:
    """Return the node that ``name`` means: by its name, or its host name alone or with a domain.

    Raises:
        Refused: There is none, or it may be more than one.

    """
    meant = NodeNames(nodes().values_list("pk", "name")).meant(name)
    if len(meant) > 1:
        names = " or ".join(sorted(each for _, each in meant))
        raise Refused(f"Node {name[:60]!r} may be {names}; give the whole name.")
    found = nodes().select_related("group").filter(pk__in=[pk for pk, _ in meant]).first()
    if found is None:
        raise Refused(f"There is no IM and Presence node {name[:60]!r}.")
    return found


def node(pk: int) -> Server | None:
    """Return one IM and Presence server with its group, machine and runtime; None when there is none."""
    return of_keys([pk]).first()


def of_keys(pks: Iterable[int]) -> QuerySet[Server]:
    """Return these IM and Presence servers with their groups, machines and runtimes, by name."""
    return nodes().select_related("group", "machine", "runtime").filter(pk__in=list(pks))


def mates(pk: int) -> list[int]:
    """Return the keys of a node and of the other one of its group; none where there is no such node."""
    of_both = Q(pk=pk) | Q(group__servers=pk)
    return list(nodes().filter(of_both).values_list("pk", flat=True).distinct().order_by("pk"))


def of_group(pk: int) -> list[int]:
    """Return the keys of the nodes of a group."""
    return list(nodes().filter(group=pk).values_list("pk", flat=True))


def srm_process(server: Server) -> str | None:
    """Return which process runs the node's SRM alone; empty: the sweep runs it, None: there is no such node."""
    return Machine.objects.filter(server=server.pk).values_list("srm_worker", flat=True).first()


def peer(server: Server) -> Server | None:
    """Return the other server of the group of ``server``; None while there is none."""
    if server.group_id is None:
        return None
    return nodes().filter(group_id=server.group_id).exclude(pk=server.pk).first()
