"""Reads of presence redundancy groups."""

from collections.abc import Iterable

from django.db.models import Expression, F, Prefetch, QuerySet
from django.db.models.functions import Lower

from redundancy.models import RedundancyGroup, Server
from redundancy.selectors import find
from redundancy.selectors.find import Criterion

# Fields of *Find where*: name in the address -> column.
FIELDS: dict[str, str] = {"name": "name", "description": "description"}
_COLUMNS: dict[str, F | Expression] = {
    "name": Lower("name"),
    "description": Lower("description"),
    "ha": F("ha_enabled"),
}


def by_name() -> QuerySet[RedundancyGroup]:
    """Return every group, to choose one from: without its servers."""
    return RedundancyGroup.objects.order_by(Lower("name"))


def find_groups(
    criteria: Iterable[Criterion] = (), sort: str = "name"
) -> QuerySet[RedundancyGroup]:
    """Return the groups that match, each with its servers in their order and their SRM's state."""
    servers = Server.objects.select_related("runtime").order_by("slot")
    groups = RedundancyGroup.objects.prefetch_related(Prefetch("servers", servers))
    return find.order(find.apply(groups, criteria, FIELDS), sort, _COLUMNS)
