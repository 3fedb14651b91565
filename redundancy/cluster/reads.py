"""Reads of kept snapshots."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Expression, F, QuerySet
from django.db.models.functions import Lower

from redundancy.cluster.document import findings_from, snapshot_from, unpack
from redundancy.cluster.findings import Finding
from redundancy.cluster.snapshot import Snapshot
from redundancy.models import ClusterSnapshot
from redundancy.selectors import find
from redundancy.selectors.find import Criterion

# Fields of *Find where*: name in the address -> column.
FIELDS: dict[str, str] = {"name": "name", "taken": "taken_at", "note": "note"}
_COLUMNS: dict[str, F | Expression] = {
    "name": Lower("name"),
    "taken": F("taken_at"),
    "made": F("pk"),
    "baseline": F("baseline"),
    "users": F("users"),
    "findings": F("findings"),
}
_HEAVY = ("document", "people", "rest")


def snapshots(*, drafts: bool = False) -> QuerySet[ClusterSnapshot]:
    """Return what is kept, the last one first, without documents; ``drafts``: also what is read only."""
    rows = ClusterSnapshot.objects.defer(*_HEAVY)
    return rows if drafts else rows.filter(kept=True)


def find_snapshots(
    criteria: Iterable[Criterion] = (), sort: str = "-made"
) -> QuerySet[ClusterSnapshot]:
    """Return the kept snapshots that match."""
    return find.order(find.apply(snapshots(), list(criteria), FIELDS), sort, _COLUMNS)


def reading(batch: str) -> QuerySet[ClusterSnapshot]:
    """Return the snapshots that were read at one go, the oldest first."""
    return snapshots(drafts=True).filter(batch=batch).order_by("pk")


def whole(row: ClusterSnapshot) -> Snapshot:
    """Return a snapshot with its users. Raises Unusable (`redundancy/cluster/document.py`)."""
    return snapshot_from(unpack(row.document), unpack(row.people))


def face(row: ClusterSnapshot) -> tuple[Snapshot, list[Finding], dict[str, Any]]:
    """Return a snapshot without its users, what was found in it, and its document. Raises Unusable."""
    document = unpack(row.document)
    return snapshot_from(document), findings_from(document), document


def rest(row: ClusterSnapshot) -> dict[str, Any]:
    """Return what was not understood when it was read. Raises Unusable."""
    found: dict[str, Any] = unpack(row.rest)
    return found
