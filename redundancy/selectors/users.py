"""Reads of users: lists, totals, and what an assignment would do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, Expression, F, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from redundancy.clock import lab_now
from redundancy.models import PresenceUser, Server
from redundancy.selectors import find
from redundancy.selectors.access import Access, access_of, is_logged_in
from redundancy.selectors.find import Criterion
from redundancy.srm.words import say

ACTIVE, WAITING, UNSERVED = say("Active"), say("Waiting to log in"), say("Not served")
LOGGED_OUT = say("Logged out")
TONES = {ACTIVE: "ok", WAITING: "busy", UNSERVED: "bad", LOGGED_OUT: "off"}
# Fields of *Find where*: name in the address -> column.
FIELDS: dict[str, str] = {
    "userid": "userid__lower",
    "name": "display_name",
    "im_address": "im_address__lower",
    "home": "home__name",
    "active": "session__node__name",
    "session": "session_state",
}
_COLUMNS: dict[str, F | Expression] = {
    "userid": Lower("userid"),
    "name": Lower("display_name"),
    "im_address": Lower("im_address"),
    "home": Lower("home__name"),
    "active": Lower("session__node__name"),
    "session": F("session_state"),
}


@dataclass(frozen=True, slots=True)
class UserPlace:
    """Where a user is: names of the assigned and the active node, and the state of the session."""

    home: str
    active: str
    session: str
    tone: str


@dataclass(frozen=True, slots=True)
class UserTotals:
    """How many users there are, and how many of them are assigned to a node."""

    users: int
    assigned: int

    @property
    def unassigned(self) -> int:
        """How many have no node."""
        return self.users - self.assigned


@dataclass(frozen=True, slots=True)
class AssignmentEffect:
    """What assigning ``users`` to a node, or to none, would do.

    ``same``: those who are assigned so already. ``moving``: sessions of the others that are
    somewhere now. ``new``: those without a node until now.
    """

    users: int
    same: int
    moving: int
    new: int


def find_users(criteria: Iterable[Criterion] = (), sort: str = "userid") -> QuerySet[PresenceUser]:
    """Return the users that match. ``places`` tells the rest of those that are shown."""
    asked = list(criteria)
    users = PresenceUser.objects.all()
    if sort.endswith("session") or any(each.field == "session" for each in asked):
        users = users.annotate(session_state=_session_state())
    return find.order(find.apply(users, asked, FIELDS), sort, _COLUMNS)


def user_called(userid: str) -> QuerySet[PresenceUser]:
    """Return the user with this User ID, in whatever case: one or none."""
    return PresenceUser.objects.filter(userid__iexact=userid)


def homes_of(users: QuerySet[PresenceUser]) -> dict[int | None, int]:
    """Return how many of ``users`` are assigned to each node, by its key; None: to no node."""
    return dict(users.order_by().values_list("home").annotate(n=Count("pk")))


def places(pks: Sequence[int]) -> Mapping[int, UserPlace]:
    """Return where these users are, in two queries: joined only for those that are shown."""
    rows = list(
        PresenceUser.objects.filter(pk__in=pks).values_list(
            "pk", "home__name", "session__node", "session__node__name", "session__relogin_at"
        )
    )
    access = access_of({row[2] for row in rows if row[2] is not None})
    now, found = lab_now(), {}
    for pk, home, node, active, relogin_at in rows:
        if node is None:
            state = LOGGED_OUT
        elif (here := access.get(node, Access())).is_logged_in(relogin_at, now):
            state = ACTIVE
        else:
            state = WAITING if here.serves else UNSERVED
        found[pk] = UserPlace(home or "", active or "", state, TONES[state])
    return found


def totals() -> UserTotals:
    """Return the totals of all users, in one query."""
    return UserTotals(**PresenceUser.objects.aggregate(users=Count("pk"), assigned=Count("home")))


def assignment(users: QuerySet[PresenceUser], node: Server | None) -> AssignmentEffect:
    """Return what assigning ``users`` to ``node`` would do, in one query."""
    same = Q(home=node) if node else Q(home__isnull=True)
    counts = users.order_by().aggregate(
        users=Count("pk"),
        same=Count("pk", filter=same),
        moving=Count("session", filter=Q(home__isnull=False) & ~same),
        new=Count("pk", filter=Q(home__isnull=True)),
    )
    return AssignmentEffect(**counts)


def _session_state() -> Expression:
    """Return the words of ``places`` for the state of a session, as they are read, as an expression."""
    node = "session__node__machine__logins"
    unserved = Q(**{f"{node}_stopped_at__isnull": False, f"{node}_again_at__isnull": True})
    return Case(
        When(session__isnull=True, then=Value(str(LOGGED_OUT))),
        When(is_logged_in(lab_now(), "session__"), then=Value(str(ACTIVE))),
        When(unserved, then=Value(str(UNSERVED))),
        default=Value(str(WAITING)),
        output_field=CharField(),
    )
