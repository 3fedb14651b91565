"""Users of IM and Presence: add, edit, delete."""

import re
from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Value
from django.db.models.functions import Lower

from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import EventKind, PresenceSession, PresenceUser, RedundancyGroup, Server
from redundancy.models.bulk import insert
from redundancy.operations import events, locks, rules
from redundancy.operations.records import record_assignment
from redundancy.operations.sessions import session_at_login
from redundancy.selectors import wording
from redundancy.selectors.servers import unsettled_nodes
from redundancy.selectors.spread import newcomers
from redundancy.srm.states import NOT_RESPONDING
from redundancy.srm.words import mark, say, say_count

# Below the number of parameters a statement may have on every database.
_CHUNK = 500
# Nodes that a refusal names.
NAMED = 3


def add_users(*, rows: Iterable[tuple[str, str, str, Server | None]], actor: str) -> int:
    """Add users in bulk, logged in where they are assigned, and return how many.

    ``rows``: User ID, display name, IM address and assigned node of each. Who has none is assigned as
    the User Assignment Mode has it.
    """
    users = [
        _checked(PresenceUser(userid=userid, display_name=name, im_address=address, home=home))
        for userid, name, address, home in rows
    ]
    if not users:
        return 0
    with transaction.atomic():
        locks.one_administrator()
        waiting = [user for user in users if user.home_id is None]
        got = newcomers(len(waiting))
        nodes = (node for node, number in got.items() for _ in range(number))
        for user, node in zip(waiting, nodes, strict=False):
            user.home_id = node
        check_homes({user.home_id for user in users if user.home_id is not None})
        check_cluster()
        try:
            with transaction.atomic():
                insert(users)
        except IntegrityError:
            raise _taken(users) from None
        now = lab_now()
        insert(
            session_at_login(user, user.home_id, now) for user in users if user.home_id is not None
        )
        record_assignment(((user.pk, user.home_id) for user in users if user.home_id), now)
        sentence = say_count(
            "User {user} was added.",
            "{count:,} users were added.",
            len(users),
            user=users[0].userid,
        )
        events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)
    return len(users)


def edit_user(
    *, user: PresenceUser, display_name: str, im_address: str, home: Server | None, actor: str
) -> PresenceUser:
    """Change a user and return it as it is now. A new assigned node takes the session along."""
    with transaction.atomic():
        locks.one_administrator()
        current = locks.hold_one(
            PresenceUser.objects.select_related("home").filter(pk=user.pk),
            say("User {user} does not exist any more.", user=user.userid),
        )
        old = current.home
        current.display_name, current.im_address, current.home = display_name, im_address, home
        _checked(current)
        if home != old:
            check_homes({server.pk for server in (old, home) if server is not None})
            check_cluster()
        taken = Refused(
            say("Another user has the IM Address {address}.", address=current.im_address),
            field="im_address",
        )
        with locks.unique("im_address_unique", taken):
            current.save(update_fields=["display_name", "im_address", "home"])
        if home != old:
            now = lab_now()
            PresenceSession.objects.filter(user=current).delete()
            if home is not None and not current.signed_out:
                session_at_login(current, home.pk, now).save(force_insert=True)
            record_assignment([(current.pk, current.home_id)], now)
            sentence = (
                say("User {user} was assigned to {node}.", user=current.userid, node=home.name)
                if home
                else say("User {user} was unassigned.", user=current.userid)
            )
            events.record(kind=EventKind.ADMIN, sentence=sentence, node=home or old, actor=actor)
    return current


def delete_users(*, users: Sequence[PresenceUser], actor: str) -> int:
    """Delete users with their sessions and return how many there were."""
    with transaction.atomic():
        locks.one_administrator()
        names = {user.pk: user.userid for user in users}
        gone = PresenceUser.objects.filter(pk__in=list(names))
        _lock_groups(set(gone.exclude(home=None).values_list("home_id", flat=True)))
        count = gone.count()
        gone.delete()
        if count:
            sentence = say_count(
                "User {user} was deleted.",
                "{count:,} users were deleted.",
                count,
                user=next(iter(names.values())),
            )
            events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)
    return count


def checked_texts(userid: str, display_name: str, im_address: str) -> dict[str, str | None]:
    """Return the texts of a user, by field, trimmed; refuse with every rule that is broken."""
    return rules.checked(
        {
            "userid": (_userid, userid),
            "display_name": (_display_name, display_name),
            "im_address": (_im_address, im_address),
        }
    )


def _checked(user: PresenceUser) -> PresenceUser:
    """Return the user with its texts trimmed."""
    stored = checked_texts(user.userid, user.display_name, user.im_address)
    for field, value in stored.items():
        setattr(user, field, value)
    if user.home is not None:
        rules.check_is_node(user.home, field="home")
    return user


def _text(value: str, *, label: str, low: int, high: int) -> str:
    text = value.strip()
    if not low <= len(text) <= high or not text.isprintable():
        template = (
            mark("{label} must be {low} to {high} printable characters.")
            if low
            else mark("{label} must be at most {high} printable characters.")
        )
        raise Refused(say(template, label=label, low=low, high=high))
    return text


def _userid(value: str) -> str:
    text = _text(value, label=say("User ID"), low=1, high=128)
    if any(sign.isspace() for sign in text):
        raise Refused(say("User ID must not contain spaces."))
    return text


def _display_name(value: str) -> str:
    return _text(value, label=say("Display name"), low=0, high=128)


def _im_address(value: str) -> str:
    text = _text(value, label=say("IM Address"), low=1, high=255)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise Refused(say("IM Address must be of the form name@domain."))
    return text


def check_homes(pks: set[int]) -> None:
    """Refuse nodes that are gone, and keep session moves of their groups waiting."""
    _lock_groups(pks)
    nodes = locks.hold(Server.objects.filter(pk__in=pks))
    if len(nodes) != len(pks):
        raise Refused(say("Assigned node: the server does not exist any more."), field="home")


def _lock_groups(pks: set[int]) -> None:
    """Let session moves of the groups of these nodes wait until this transaction ends."""
    list(locks.hold(RedundancyGroup.objects.filter(servers__in=pks)))


def check_cluster() -> None:
    """Refuse that users are added or assigned while a node is failed over, or in a transition."""
    nodes = unsettled_nodes()
    if nodes:
        # As the pages show it: what a silent SRM remembers is not its state.
        states = [n.runtime.state if wording.reports(n) else NOT_RESPONDING for n in nodes[:NAMED]]
        names = ", ".join(f"{n.name} ({state})" for n, state in zip(nodes, states, strict=False))
        raise Refused(
            say(
                "No user can be added or assigned while a node of the cluster is failed over "
                "or in a transition: {nodes}.",
                nodes=say("{names} and {more} more", names=names, more=len(nodes) - NAMED)
                if len(nodes) > NAMED
                else names,
            ),
            field="home",
        )


def _taken(users: Sequence[PresenceUser]) -> Refused:
    """Name the first of ``users`` whose ID or address is not free."""
    for field, label in (("userid", say("User ID")), ("im_address", say("IM Address"))):
        values = [str(getattr(user, field)) for user in users]
        stored: set[str] = set()
        for start in range(0, len(users), _CHUNK):
            wanted = [Lower(Value(value)) for value in values[start : start + _CHUNK]]
            found = PresenceUser.objects.filter(**{f"{field}__lower__in": wanted})
            stored.update(value.lower() for value in found.values_list(field, flat=True))
        seen: set[str] = set()
        for value in values:
            if value.lower() in stored or value.lower() in seen:
                return Refused(
                    say("{label} {value} is taken already.", label=label, value=value), field=field
                )
            seen.add(value.lower())
    return Refused(say("A user of the list exists already."), field="userid")
