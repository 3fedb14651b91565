"""Users: listed, read, and assigned to a presence server."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.db.models.functions import Lower

from redundancy.models import PresenceUser, Server
from redundancy.operations.users import edit_user
from redundancy.soap.axl import items
from redundancy.soap.axl.items import Values
from redundancy.soap.fields import Field, Kind, Reference
from redundancy.soap.service import Call
from redundancy.soap.uuids import uuid_for, uuid_of

# Users of a list that are read at once.
_TOGETHER = 2000
# What a list reads of each user.
_COLUMNS = ("pk", "userid", "home_id", "home__name", "home__group__name")
_USERID = Field("userid", longest=128)
_SERVER = Field("server", Kind.REFERENCE, longest=255)


def _listed(
    users: QuerySet[PresenceUser], call: Call, criteria: Values, columns: dict[str, str]
) -> Iterator[tuple[int, str, int | None, str, str]]:
    found = users.filter(items.matches(criteria, columns)).order_by(Lower("userid"), "pk")
    return items.page(found, call).values_list(*_COLUMNS).iterator(chunk_size=_TOGETHER)


def _assigned(call: Call, criteria: Values) -> Iterator[Values]:
    columns = {
        "userid": "userid",
        "server": "home__name",
        "presenceRedundancyGroup": "home__group__name",
    }
    users = PresenceUser.objects.filter(home__isnull=False)
    for pk, userid, home, server, group in _listed(users, call, criteria, columns):
        assert home is not None
        yield {
            "uuid": uuid_for(PresenceUser, pk),
            "userid": userid,
            "server": Reference(server, uuid_for(Server, home)),
            "presenceRedundancyGroup": group or "",
        }


def _unassigned(call: Call, criteria: Values) -> Iterator[Values]:
    users = PresenceUser.objects.filter(home__isnull=True)
    for pk, userid, *_ in _listed(users, call, criteria, {"userid": "userid"}):
        yield {"uuid": uuid_for(PresenceUser, pk), "userid": userid}


def _assign(call: Call) -> str:
    server = items.referenced(Server.objects.all(), call.values["server"], "server", "server")
    return _change(call, server)


def _unassign(call: Call) -> str:
    return _change(call, None)


def _change(call: Call, home: Server | None) -> str:
    users = PresenceUser.objects.all()
    code = items.NOT_FOUND_ON_UPDATE
    user = items.item(users, call, "user", code, name="userid", column="userid")
    edit_user(
        user=user,
        display_name=user.display_name,
        im_address=user.im_address,
        home=home,
        actor=call.actor,
    )
    return uuid_of(user)


# What of the vendor's users exists here, in the order of the vendor's.
_USER = (
    Field("displayName"),
    _USERID,
    Field("homeCluster", Kind.BOOLEAN),
    Field("imAndPresenceEnable", Kind.BOOLEAN),
    Field("directoryUri"),
)
# What nobody has here: a search for it finds nobody, but for a pattern that everything matches.
_EMPTY = ("firstName", "lastName", "department")


def _of_user(pk: int, userid: str, name: str, address: str, *, assigned: bool) -> Values:
    return {
        "uuid": uuid_for(PresenceUser, pk),
        "displayName": name,
        "userid": userid,
        "homeCluster": True,
        "imAndPresenceEnable": assigned,
        "directoryUri": address,
    }


def _get(call: Call) -> Values:
    user = items.item(PresenceUser.objects.all(), call, "User", name="userid", column="userid")
    return _of_user(
        user.pk,
        user.userid,
        user.display_name,
        user.im_address,
        assigned=user.home_id is not None,
    )


def _list(call: Call, criteria: Values) -> Iterator[Values]:
    if not all(items.like("", criteria.get(field)) for field in _EMPTY):
        return
    users = PresenceUser.objects.filter(items.matches(criteria, {"userid": "userid"}))
    rows = items.page(users.order_by(Lower("userid"), "pk"), call).values_list(
        "pk", "userid", "display_name", "im_address", "home_id"
    )
    for pk, userid, name, address, home in rows.iterator(chunk_size=_TOGETHER):
        yield _of_user(pk, userid, name, address, assigned=home is not None)


_KEY = (_USERID, Field("uuid", longest=64))
OPERATIONS = (
    items.listing(
        "AssignedPresenceUsers",
        ("userid", "server", "presenceRedundancyGroup"),
        (_USERID, _SERVER, Field("presenceRedundancyGroup")),
        _assigned,
    ),
    items.listing("UnassignedPresenceUsers", ("userid",), (_USERID,), _unassigned),
    items.writing(
        "assignPresenceUser",
        (*_KEY, Field("server", Kind.REFERENCE, required=True, longest=255)),
        _assign,
    ),
    items.writing("unassignPresenceUser", _KEY, _unassign),
    items.listing("User", ("userid", *_EMPTY), _USER, _list),
    items.get("User", _USER, _get, _KEY),
)
