"""Real clients: they log in and out by themselves, and the lab does not play them.

What lets a client in is the password of all clients of the lab (``JABBER_PASSWORD``; presence users have
none of their own), or a one-time password, which is good for one login of one user at one node. Kept are
marks of session keys and one-time passwords, made with ``SECRET_KEY``.
"""

import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hmac import compare_digest

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.crypto import salted_hmac

from redundancy import origin
from redundancy.clock import lab_datetime, lab_now, look
from redundancy.errors import Refused
from redundancy.models import (
    WHEN_IT_COMES,
    ClientLogin,
    EventKind,
    PresenceSession,
    PresenceUser,
    Server,
)
from redundancy.operations import events, measured, presence, throttle
from redundancy.selectors.access import (
    Access,
    abilities,
    access_of,
    missing_services,
    nobody_logs_in,
)
from redundancy.selectors.limits import limits_of
from redundancy.selectors.users import user_called
from redundancy.srm.words import say, say_count

# Wall seconds for which a one-time password is good: who finds one lives by the wall clock.
ONCE_SECONDS = 86_400.0
# Characters of a user ID, as in the table, and of a password that are looked at.
LONGEST_ID, LONGEST_PASSWORD = 128, 128


class Failed(Refused):
    """What a client asked for was not done. ``code``: why, for programs; ``node``: where it would be."""

    def __init__(self, code: str, sentence: str, node: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.node = node


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a client is told. ``node``: where it is logged in; ``backup``: where it goes; empty: nowhere.

    ``lower`` and ``upper``: the node's re-login limits now, lab seconds.
    """

    user: PresenceUser
    node: str
    backup: str
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Gone:
    """A session key whose client is not connected. ``why``: "moved", "disconnected" or "over".

    ``node``: where the session is; ``ago``: lab seconds since it happened, as far as it is known.
    """

    key: str
    why: str
    node: str = ""
    ago: float = 0.0


def log_in(
    *, userid: str, password: str, node: Server | None = None, force: bool = True
) -> tuple[str, Server]:
    """Log the client of a user in and return its session key, and the node that serves it.

    Only there can it log in: ``node`` is the one it asks, None whichever it is. From then on the session is
    a real client's. ``force``: also where a client of the user is logged in, which is then logged out. All
    one-time passwords of the user are dead afterwards. A failure changes nothing.

    Raises:
        Failed: It is not let in; ``code`` is one of "wrong-password", "try-later", "not-assigned",
            "not-here", "no-service", "already-logged-in".

    """
    user, mark = _known(userid, password)
    session: PresenceSession | None = getattr(user, "session", None)
    server = _serving(user, session)
    if node is not None and node.pk != server.pk:
        sentence = say(
            "{user} is served by {server}, not by {node}.",
            user=user.userid,
            server=server.name,
            node=node.name,
        )
        raise Failed("not-here", sentence, server.name)
    _check_services(server)
    if not force and session is not None and session.by_client and _connected(session):
        raise Failed(
            "already-logged-in",
            say("A client of {user} is logged in already.", user=user.userid),
        )
    key = secrets.token_urlsafe(32)
    with transaction.atomic():
        if session is None:
            with _as_failure("not-assigned"):
                presence.sign(users=_only(user), out=False, actor="")
        _place(user, server, lab_now())
        old = ClientLogin.objects.filter(user=user)
        if mark:
            # Of two clients that show it at once one is late.
            old = old.filter(once_mark=mark, once_node=server)
        deleted, _ = old.delete()
        if mark and not deleted:
            raise _wrong()
        ClientLogin.objects.create(user=user, key_mark=_mark("key", key))
    return key, server


def log_out(key: str) -> None:
    """Log the client with this session key out: its user is signed out.

    Raises:
        Failed: The key is nobody's ("session-over").

    """
    login = _login_of(key)
    with transaction.atomic():
        with _as_failure("session-over"):
            presence.sign(users=_only(login.user), out=True, actor="")
        login.delete()


def new_one_time_password(key: str) -> tuple[str, Server]:
    """Return a password that is good for one login at the peer of the client's node, and that peer.

    The one before is dead.

    Raises:
        Failed: The client is not logged in ("session-over"), or its node has no peer ("no-backup").

    """
    login = _login_of(key, connected=True)
    node = login.user.session.node
    peer = _peer(node)
    if peer is None:
        raise Failed("no-backup", say("{node} has no peer.", node=node.name))
    password = secrets.token_urlsafe(32)
    now, rate = look()
    until = now() + ONCE_SECONDS * max(rate, 1.0)
    ClientLogin.objects.filter(pk=login.pk).update(
        once_mark=_mark("once", password), once_node=peer, once_until=until
    )
    return password, peer


def configuration(key: str) -> Configuration:
    """Return what the client with this session key is told.

    Raises:
        Failed: It is not logged in ("session-over").

    """
    login = _login_of(key, connected=True)
    node = login.user.session.node
    peer = _peer(node)
    lower, upper = (each.newest for each in limits_of(node))
    return Configuration(login.user, node.name, peer.name if peer else "", lower, upper)


def keys_to_logins(keys: Collection[str]) -> dict[str, str]:
    """Return the mark of each session key, by which ``gone`` knows it."""
    return {_mark("key", key): key for key in keys}


def gone(marks: dict[str, str], now: float) -> list[Gone]:
    """Return those of the clients (``keys_to_logins``) that are not connected to their node at ``now``.

    One query: a node is left a moment after its sessions have moved, and between two queries a client would be
    told that it is disconnected from the node that it has left.
    """
    rows = ClientLogin.objects.filter(
        key_mark__in=marks, user__session__by_client=True
    ).values_list(
        "key_mark",
        "user__session__node__name",
        "user__session__relogin_at",
        "user__session__since",
        "user__session__node__machine__clients_lost_at",
    )
    found: list[Gone] = []
    left = dict(marks)
    for mark, name, relogin_at, since, lost_at in rows:
        key = left.pop(mark)
        if relogin_at >= WHEN_IT_COMES:
            found.append(Gone(key, "moved", name, max(0.0, now - since.timestamp())))
        elif lost_at is not None:
            found.append(Gone(key, "disconnected", name, max(0.0, now - lost_at)))
    found += [Gone(key, "over") for key in left.values()]
    return found


def give_back(users: QuerySet[PresenceUser] | None = None) -> int:
    """Let the lab play the clients of these users again, of all by default; return how many real ones they were.

    Who is logged in stays so; who is to log in does it at once.
    """
    with transaction.atomic():
        sessions = PresenceSession.objects.filter(by_client=True)
        if users is not None:
            sessions = sessions.filter(user__in=users)
        now = lab_now()
        measured.keep_real(sessions, now)
        waits = Q(relogin_at__gte=WHEN_IT_COMES)
        number = sessions.update(
            by_client=False,
            since=Case(When(waits, then=Value(lab_datetime(now))), default=F("since")),
            limits_at=Case(When(waits, then=Value(now)), default=F("limits_at")),
            relogin_at=Case(When(waits, then=Value(now)), default=F("relogin_at")),
        )
        forget_old(now)
        if number:
            sentence = say_count(
                "{count:,} client is played by the lab again.",
                "{count:,} clients are played by the lab again.",
                number,
            )
            events.record(kind=EventKind.LAB, sentence=sentence, at=now)
    return number


def forget_old(now: float) -> None:
    """Delete the logins of clients whose sessions are theirs no more, and one-time passwords that are too old."""
    ClientLogin.objects.exclude(user__session__by_client=True).delete()
    ClientLogin.objects.filter(once_until__lte=now).update(
        once_mark="", once_node=None, once_until=None
    )


def given_up(now: float, minutes: float) -> set[int]:
    """Return the users whose real clients did not come within so many lab ``minutes`` after the upper limit."""
    waiting = PresenceSession.objects.filter(by_client=True, relogin_at__gte=WHEN_IT_COMES)
    nodes = Server.objects.in_bulk(set(waiting.values_list("node", flat=True)))
    found: set[int] = set()
    for node in nodes.values():
        upper = max(limits_of(node)[1].values)
        long_ago = lab_datetime(now - 60 * minutes - upper)
        found.update(waiting.filter(node=node, since__lte=long_ago).values_list("user", flat=True))
    return found


def _known(userid: str, password: str) -> tuple[PresenceUser, str]:
    """Return the user, and the mark of the one-time password if it is one that was given."""
    # All that a login asks of the tables of users, at once; before the try is counted, for an outage of the
    # database is nobody's guess.
    related = ("home__group__holder", "session__node", "client_login")
    user = user_called(userid[:LONGEST_ID]).select_related(*related).first()
    now = lab_now()
    account, address = f"presence user {userid[:LONGEST_ID]}", origin.address()
    try:
        throttle.admit(account, address)
    except throttle.TryLater as refused:
        raise Failed("try-later", refused.rule) from None
    given = _mark("password", password)
    shared = compare_digest(given, _mark("password", settings.JABBER_PASSWORD))
    once = _mark("once", password)
    held: ClientLogin | None = getattr(user, "client_login", None)
    is_once = compare_digest(once, held.once_mark if held else "")
    if user is None or not (shared or is_once):
        raise _wrong()
    # One that is only too old is no guess either: so many clients of one machine may come with theirs.
    throttle.succeeded(account, address)
    if not shared and (held is None or (held.once_until or 0.0) <= now):
        raise _wrong()
    return user, "" if shared else once


def _wrong() -> Failed:
    return Failed("wrong-password", say("The user ID or the password is wrong."))


def _serving(user: PresenceUser, session: PresenceSession | None) -> Server:
    if user.home is None:
        raise Failed(
            "not-assigned",
            say("User {user} is not assigned to a node; nobody serves it.", user=user.userid),
        )
    if session is not None:
        return session.node
    group = user.home.group
    return group.holder if group is not None and group.holder is not None else user.home


def _check_services(server: Server) -> None:
    if abilities([server.pk])[server.pk].logs_in:
        return
    missing = missing_services([server.pk]).get(server.pk, ())
    sentence = (
        nobody_logs_in(server.name, missing)
        if missing
        else say("{node} serves nobody now.", node=server.name)
    )
    raise Failed("no-service", sentence, server.name)


def _place(user: PresenceUser, server: Server, now: float) -> None:
    """Let the session be a real client's that logs in now; what it was moved for still counts its login."""
    waits = Q(relogin_at__gt=now)
    placed = PresenceSession.objects.filter(user=user, node=server).update(
        by_client=True,
        since=Case(When(waits, then=F("since")), default=Value(lab_datetime(now))),
        limits_at=Case(When(waits, then=F("limits_at")), default=Value(now)),
        relogin_at=now,
    )
    if not placed:
        raise Failed("not-here", say("{user} was moved just now.", user=user.userid))


def _only(user: PresenceUser) -> QuerySet[PresenceUser]:
    return PresenceUser.objects.filter(pk=user.pk)


def _login_of(key: str, *, connected: bool = False) -> ClientLogin:
    """Return the login with a session key; ``connected``: only while its client is connected to its node."""
    login = (
        ClientLogin.objects.filter(key_mark=_mark("key", key), user__session__by_client=True)
        .select_related("user__home", "user__session__node")
        .first()
    )
    if login is None or (connected and not _connected(login.user.session)):
        raise Failed("session-over", say("No client is logged in with this session key."))
    return login


def _connected(session: PresenceSession) -> bool:
    here = access_of([session.node_id]).get(session.node_id, Access())
    return here.is_logged_in(session.relogin_at, lab_now())


def _peer(node: Server) -> Server | None:
    if node.group_id is None:
        return None
    return Server.objects.filter(group=node.group_id).exclude(pk=node.pk).first()


@contextmanager
def _as_failure(code: str) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise Failed(code, str(refused.rule)) from None


def _mark(what: str, secret: str) -> str:
    return salted_hmac(f"redundancy.client.{what}", secret, algorithm="sha256").hexdigest()
