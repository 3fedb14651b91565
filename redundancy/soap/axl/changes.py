"""listChange: what was changed in the configuration, from the history. Users are not followed."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import blake2s
from typing import Any

from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max, Min
from django.utils import timezone

from redundancy.models import HaEvent, NodeService, RedundancyGroup, Server
from redundancy.operations.events import Change
from redundancy.soap.axl import parameters
from redundancy.soap.fields import TEXT_OF, Field, Invalid, Kind
from redundancy.soap.service import Call, Fault, Operation
from redundancy.soap.uuids import uuid_for
from redundancy.srm.trace import Level

# Numbers that each event has for its changes; the event with the key 1 has the first so many.
_EACH = 100
# Events that one request looks through.
SCAN = 10_000
_FULL_SYNC = (
    "The queueId value does not match the server. This indicates that it is either incorrect or the server"
    " restarted and a full sync is needed."
)
_TYPES = {
    "group": "PresenceRedundancyGroup",
    "server": "ProcessNode",
    "service": "ProcessNodeService",
    "parameter": "ServiceParameter",
}
_TABLES = {"group": RedundancyGroup, "server": Server, "service": NodeService}
# What AXL calls the fields; others are told by none of its operations.
_TAGS = {
    "name": "name",
    "description": "description",
    "first": "server1",
    "second": "server2",
    "ha_enabled": "haEnabled",
    "mac_address": "mac",
    "ipv6_address": "ipv6Name",
    "domain": "cupDomain",
    "activated": "isActive",
    "trace_level": "traceLevel",
    "value": "value",
}
_ACTIONS = {"added": "a", "changed": "u", "removed": "r"}


def _list(call: Call) -> dict[str, Any]:
    found = HaEvent.objects.aggregate(oldest=Min("pk"), newest=Max("pk"))
    oldest, newest = found["oldest"] or 1, found["newest"] or 0
    last, queue = newest * _EACH, _queue()
    start = _start(call, queue, oldest, last)
    begin = _event(start)
    end = min(newest, begin + SCAN - 1)
    wanted = set((call.values.get("objectList") or {}).get("object", ())) or set(_TYPES.values())
    events = HaEvent.objects.filter(pk__gte=begin, pk__lte=end, inputs__has_key="changes")
    changes = [
        change
        for pk, inputs in events.order_by("pk").values_list("pk", "inputs")
        for number, each in enumerate((inputs or {})["changes"][:_EACH])
        if (place := _number(pk) + number) >= start
        for change in _told(place, each, wanted)
    ]
    return {
        "queueInfo": {
            "firstChangeId": _number(oldest),
            "lastChangeId": last,
            # A page that ends here goes on with the next.
            "nextStartChangeId": max(end, newest if begin > newest else 0) * _EACH + 1,
            "queueId": queue,
        },
        "changes": {"change": changes},
    }


def _told(place: int, change: Change, wanted: set[str]) -> Iterator[dict[str, Any]]:
    kind, key = _TYPES[change["item"]], change["key"]
    fields = change["fields"].items()
    tags = {_TAGS[field]: _text(field, value) for field, value in fields if field in _TAGS}
    updated = change["action"] == "changed"
    if kind not in wanted or (updated and not tags):
        return
    told = {
        "type": kind,
        "uuid": parameters.uuid(str(key), change["server"])
        if change["item"] == "parameter"
        else uuid_for(_TABLES[change["item"]], int(key)),
        "id": place,
        "action": _ACTIONS[change["action"]],
        "doGet": change["action"] == "added",
    }
    if updated:
        told["changedTags"] = {
            "changedTag": [{"name": tag, TEXT_OF: value} for tag, value in tags.items()]
        }
    yield told


def _text(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if field == "trace_level":
        return str(Level[value].value)
    return "" if value is None else str(value)


def _start(call: Call, queue: str, oldest: int, last: int) -> int:
    """Return the number from which changes are wanted; refuse it when some before may be gone."""
    given = call.values.get("startChangeId")
    if not given:
        return _number(oldest)
    text = given[TEXT_OF].strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Invalid(f"startChangeId: must be a whole number, not {text[:40]!r}.")
    start = max(1, int(text))
    if given.get("queueId") != queue or start > last + 1 or _pruned(start, oldest, last):
        raise Fault(_FULL_SYNC, 5007)
    return start


def _pruned(start: int, oldest: int, last: int) -> bool:
    """Return whether changes from ``start`` on may be older than what the history keeps."""
    if not settings.HISTORY_DAYS or start > last:
        return False
    before = HaEvent.objects.filter(pk__lt=_event(start)).order_by("-pk")
    at = before.values_list("recorded_at", flat=True).first()
    if at is None:
        return oldest > _event(start)
    return at < timezone.now() - timedelta(days=settings.HISTORY_DAYS)


def _number(event: int) -> int:
    """Return the number of the first change of an event."""
    return (event - 1) * _EACH + 1


def _event(number: int) -> int:
    """Return the key of the event that a change with this number is of."""
    return (number - 1) // _EACH + 1


def _queue() -> str:
    """Return what tells this database from another: when it was made."""
    made = MigrationRecorder.Migration.objects.order_by("id").values_list("applied", flat=True)
    return blake2s(str(made.first()).encode(), digest_size=6).hexdigest()


_TAG = Field("changedTag", Kind.CONTENT, (Field("name", attribute=True),), many=True)
_CHANGE = (
    Field("type", attribute=True),
    Field("uuid", attribute=True),
    Field("id", Kind.INTEGER),
    Field("action"),
    Field("doGet", Kind.BOOLEAN),
    Field("changedTags", Kind.STRUCT, (_TAG,)),
)
_QUEUE = (
    Field("firstChangeId", Kind.INTEGER),
    Field("lastChangeId", Kind.INTEGER),
    Field("nextStartChangeId", Kind.INTEGER),
    Field("queueId"),
)
OPERATIONS = (
    Operation(
        "listChange",
        (
            Field("startChangeId", Kind.CONTENT, (Field("queueId", attribute=True),), longest=64),
            Field("objectList", Kind.STRUCT, (Field("object", longest=128, many=True),)),
        ),
        (
            Field("queueInfo", Kind.STRUCT, _QUEUE),
            Field("changes", Kind.STRUCT, (Field("change", Kind.STRUCT, _CHANGE, many=True),)),
        ),
        _list,
    ),
)
