"""Clients lose their node when a service that they need stops there, and log in again afterwards.

``notice`` sees both in the transaction that changes services, power or state; it writes to the
machine only, whatever the number of clients. ``let_in`` gives every waiting client a moment of its
own, at the next sweep.

When a client tries again is not public; ours: one that is disconnected waits a random time between
the re-login limits that it keeps from its last login, as after a move, and so does one that tried in
vain; push clients do so between theirs. After a long outage the clients are somewhere within such a
wait: what is left of it is spread as in a renewal process, a random part of a wait drawn in
proportion to its length.
"""

import contextlib
import math
from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Count, Exists, F, Max, Min, OuterRef, Q, When
from django.db.models.functions import Random, Sqrt
from django.db.models.lookups import GreaterThan

from redundancy import bus
from redundancy.clock import lab_datetime, lab_now
from redundancy.drivers import get_driver
from redundancy.models import (
    EventKind,
    Machine,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    SessionMove,
)
from redundancy.operations import clients, events, locks, measured, presence
from redundancy.operations.sessions import Placement, remember_move
from redundancy.operations.ways import logs_in_at
from redundancy.selectors import enterprise, limits
from redundancy.selectors.access import Access, abilities
from redundancy.shards import WHOLE, Shard
from redundancy.srm.words import say, say_count

# Lab seconds, more than a moment loses when it is stored.
_NEXT_MOMENT = 0.001
_OPEN = {"logins_stopped_at": None, "clients_lost_at": None, "logins_again_at": None}


def follow(node_ids: Collection[int], now: float) -> None:
    """Do as ``notice``, and let the next sweep look at the alarms: they depend on what was changed.

    Call it last in a transaction that changed services or power by hand; ``start`` and ``stop`` do.
    """
    notice(node_ids, now)
    transaction.on_commit(_tell_next_sweep)


def _tell_next_sweep() -> None:
    # Without the bus no sweep runs; after an outage of it the alarms are looked at within a minute.
    with contextlib.suppress(bus.BusError):
        bus.note_change()


def notice(node_ids: Collection[int], now: float) -> None:
    """Notice at which of these nodes clients lost their connection, or can log in again, at ``now``.

    The last thing in a transaction that changed their services, power or state. A few statements,
    whatever the number of nodes.
    """
    can = abilities(node_ids)
    machines = Machine.objects.filter(pk__in=node_ids)
    shut = {pk for pk in can if not can[pk].logs_in}
    lost = {pk for pk in can if not can[pk].holds}
    if shut:
        machines.filter(pk__in=shut, logins_again_at__isnull=False).update(logins_again_at=None)
        machines.filter(pk__in=shut, logins_stopped_at=None).update(logins_stopped_at=now)
    if lost:
        machines.filter(pk__in=lost, clients_lost_at=None).update(clients_lost_at=now)
    again = machines.filter(logins_stopped_at__isnull=False, logins_again_at=None)
    again.exclude(pk__in=shut).update(logins_again_at=now)


def start(wanted: Mapping[int, Collection[str]]) -> None:
    """Start these services of each node, by its key, no others with them, and notice what becomes of its clients."""
    get_driver().start(wanted, dependents=False)
    follow(wanted, lab_now())


def stop(wanted: Mapping[int, Collection[str]]) -> None:
    """Stop these services of each node, by its key, and notice whom it loses: also before they start again."""
    get_driver().stop(wanted)
    follow(wanted, lab_now())


def follow_all(now: float) -> None:
    """Do as ``notice`` for every node: what was written past the operations is noticed, too."""
    notice(list(Machine.objects.values_list("pk", flat=True)), now)


def let_in(shard: Shard = WHOLE) -> int:
    """Let clients log in at the nodes of the shard where they can again; return how many nodes had some."""
    of_shard = shard.whose("server__group")
    again = Machine.objects.filter(of_shard, logins_again_at__isnull=False)
    waiting = PresenceSession.objects.filter(
        Q(relogin_at__gt=OuterRef("logins_stopped_at"))
        | Q(node__machine__clients_lost_at__isnull=False),
        node=OuterRef("pk"),
        relogin_at__lte=OuterRef("logins_again_at"),
    )
    if not again.exists():
        return 0
    again.filter(~Exists(waiting)).update(**_OPEN)
    nodes = list(Server.objects.filter(machine__in=again).order_by("pk"))
    for node in nodes:
        _let_in(node)
    return len(nodes)


def give_up(now: float) -> int:
    """Sign the users out whose clients have reached no node for too long; return how many."""
    minutes = settings.LAB_CLIENTS_GIVE_UP_MINUTES
    if not minutes:
        return 0
    long_ago = now - 60 * minutes
    node = "node__machine__"
    lost = Q(
        **{
            f"{node}clients_lost_at__lte": long_ago,
            "relogin_at__lte": F(f"{node}logins_stopped_at"),
        }
    )
    in_vain = Q(
        relogin_at__gt=F(f"{node}logins_stopped_at"),
        relogin_at__lte=now,
        since__lte=lab_datetime(long_ago),
    )
    waiting = PresenceSession.objects.filter(lost | in_vain, **{f"{node}logins_again_at": None})
    users = {*waiting.values_list("user", flat=True), *clients.given_up(now, minutes)}
    if users:
        presence.sign(
            users=PresenceUser.objects.filter(pk__in=users),
            out=True,
            actor="",
            whose=say("reached no server for {minutes:g} min", minutes=minutes),
        )
    return len(users)


def _let_in(node: Server) -> None:
    with transaction.atomic():
        group = locks.hold(RedundancyGroup.objects.filter(servers=node)).first()
        machine = locks.hold(Machine.objects.filter(pk=node.pk)).get()
        stopped_at, at = machine.logins_stopped_at, machine.logins_again_at
        if stopped_at is None or at is None:
            # Somebody else was faster, or a service stopped again.
            return
        if group is not None:
            at = _moment_of_its_own(group, at)
            measured.overtake([group], at)
        settled = enterprise.clients()
        lost = _spread(node, Access(stopped_at, machine.clients_lost_at, at), settled.push)
        Machine.objects.filter(pk=node.pk).update(**_OPEN)
        mine = PresenceSession.objects.filter(node=node, since=lab_datetime(at))
        # Push clients have limits of their own, in the record, too, and real ones come when they do.
        others = Q(by_client=False)
        if settled.push:
            others &= ~limits.pushed(settled.push)
        found = mine.aggregate(
            n=Count("pk"),
            first=Min("relogin_at", filter=others, default=at),
            last=Max("relogin_at", filter=others, default=at),
        )
        if not found["n"]:
            return
        if settled.per_user == 1:
            sentence = say_count(
                "{count:,} client logs in at {node} again.",
                "{count:,} clients log in at {node} again.",
                found["n"],
                node=node.name,
            )
        else:
            sentence = say_count(
                "{clients:,} clients of {count} user log in at {node} again.",
                "{clients:,} clients of {count:,} users log in at {node} again.",
                found["n"],
                node=node.name,
                clients=found["n"] * settled.per_user,
            )
        event = events.record(
            kind=EventKind.MOVE,
            sentence=sentence,
            group=group,
            node=node,
            at=at,
            inputs={"lost": lost, "lost_at": machine.clients_lost_at or at},
        )
        lower, upper = math.floor(found["first"] - at), math.ceil(found["last"] - at)
        placement = Placement(at, found["n"], lower, upper, settled)
        remember_move(event, group, placement, again=node)


def _moment_of_its_own(group: RedundancyGroup, at: float) -> float:
    """Return ``at``, or the next moment at which nothing else was done with clients of the group.

    A session says by its moment which of the group's moves its login belongs to, and High Availability
    that is disabled, or SRM that starts services on both nodes, does several things at once.
    """
    while SessionMove.objects.filter(group=group, event__at=lab_datetime(at)).exists():
        at += _NEXT_MOMENT
    return at


def _spread(node: Server, access: Access, push: int) -> int:
    """Give each client that waits for the node a moment to log in, from ``access.again_at`` on.

    ``push``: of the users, how many percent have push clients. Return how many of the clients had
    been logged in.
    """
    sessions = PresenceSession.objects.filter(node=node)
    lower, upper = limits.limits_of(node, push)
    at, since = access.again_at, lab_datetime(access.again_at)
    assert at is not None
    lost = 0
    if access.lost_at is not None:
        low, high = lower.at(F("relogin_at")), upper.at(F("relogin_at"))
        lost = sessions.filter(relogin_at__lte=access.stopped_at).update(
            limits_at=F("relogin_at"),
            relogin_at=logs_in_at(access.lost_at + low + (high - low) * Random()),
            since=since,
        )
    low, high = lower.at(F("limits_at")), upper.at(F("limits_at"))
    next_try = F("relogin_at") + low + (high - low) * Random()
    what_is_left = Random() * Sqrt(low * low + Random() * (high * high - low * low))
    tried = Q(relogin_at__gt=access.stopped_at) | Q(since=since)
    sessions.filter(tried, relogin_at__lte=at).update(
        relogin_at=logs_in_at(
            Case(
                When(GreaterThan(F("relogin_at") + low, at), then=next_try),
                default=at + what_is_left,
            )
        ),
        since=since,
    )
    return lost
