"""Sign users of Jabber in and out by hand, so that a day can be played."""

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Random

from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import EventKind, PresenceSession, PresenceUser, RecordKind, Server
from redundancy.operations import events, locks, records, rules
from redundancy.operations.pairs import Pairs
from redundancy.operations.sessions import log_in
from redundancy.operations.users import check_homes
from redundancy.srm.words import say, say_count


def sign(*, users: QuerySet[PresenceUser], out: bool, actor: str, whose: str = "") -> int:
    """Sign those of ``users`` ``out`` (else in) whom that changes, and return how many they were.

    A client that signs in logs in at once at the node that serves its user now, with the limits of
    now; who is not assigned cannot. ``whose``: how the event names them; the user's ID, or how many
    they are, when not given.
    """
    with transaction.atomic():
        locks.one_administrator()
        of_them = users.filter(home__isnull=False, signed_out=not out).order_by()
        rows = list(of_them.values_list("pk", "home_id", "userid"))
        if not rows:
            raise Refused(_nobody(users, whose, out=out))
        homes = {home for _, home, _ in rows if home is not None}
        check_homes(homes)
        now = lab_now()
        keys = [pk for pk, _, _ in rows]
        pairs = Pairs.of((pk, None) for pk in keys)
        chosen = PresenceUser.objects.filter(
            pk__in=RawSQL(f"SELECT item_id FROM {pairs.sql} p", [pairs.param])
        )
        if out:
            PresenceSession.objects.filter(user__in=chosen).delete()
        else:
            log_in(chosen, now)
        chosen.update(signed_out=out)
        kind = RecordKind.SIGNED_OUT if out else RecordKind.SIGNED_IN
        records.record_signing(kind=kind, users=keys, at=now)
        node = (
            Server.objects.select_related("group").get(pk=homes.pop()) if len(homes) == 1 else None
        )
        sentence = _signed(len(rows), rows[0][2], whose, out=out)
        events.record(kind=EventKind.LAB, sentence=sentence, node=node, actor=actor, at=now)
    return len(rows)


def sign_share(*, node: Server, percent: int, out: bool, actor: str) -> int:
    """Sign so many ``percent`` of the users assigned to ``node`` ``out`` (else in); return how many.

    They are picked at random; fewer, where fewer can be.
    """
    rules.check_is_node(node, field="node")
    if not 1 <= percent <= 100:
        raise Refused(say("Share must be a whole number from 1 to 100 percent."), field="percent")
    with transaction.atomic():
        locks.one_administrator()
        mine = PresenceUser.objects.filter(home=node)
        number = share(mine.count(), percent)
        some = mine.filter(signed_out=not out).order_by(Random()).values_list("pk", flat=True)
        whose = say("{percent} % of {node}", percent=percent, node=node.name)
        return sign(users=mine.filter(pk__in=some[:number]), out=out, actor=actor, whose=whose)


def share(assigned: int, percent: int) -> int:
    """Return how many users so many percent are; of somebody at least one."""
    return min(assigned, max(1, (assigned * percent + 50) // 100))


def _signed(number: int, user: str, whose: str, *, out: bool) -> str:
    """Return that users, of one the ID, were signed in or out; ``whose`` as in ``sign``."""
    if out and whose:
        return say_count(
            "User {user} was signed out ({whose}).",
            "{count:,} users were signed out ({whose}).",
            number,
            user=user,
            whose=whose,
        )
    if out:
        return say_count(
            "User {user} was signed out.", "{count:,} users were signed out.", number, user=user
        )
    if whose:
        return say_count(
            "User {user} was signed in ({whose}).",
            "{count:,} users were signed in ({whose}).",
            number,
            user=user,
            whose=whose,
        )
    return say_count(
        "User {user} was signed in.", "{count:,} users were signed in.", number, user=user
    )


def _nobody(users: QuerySet[PresenceUser], whose: str, *, out: bool) -> str:
    """Return why nobody of ``users`` can be signed in or out."""
    one = list(users.order_by("pk")[:2])
    if len(one) == 1:
        user = one[0]
        if user.home_id is None:
            return say("User {user} is not assigned to a node; nobody serves it.", user=user.userid)
        if out:
            return say("User {user} is signed out already.", user=user.userid)
        return say("User {user} is signed in already.", user=user.userid)
    if whose:
        return (
            say("Nobody of {whose} is signed in.", whose=whose)
            if out
            else say("Nobody of {whose} is signed out.", whose=whose)
        )
    return say("Nobody is signed in.") if out else say("Nobody is signed out.")
