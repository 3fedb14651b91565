"""Put a lab in the place of the present one, or back: all of it or nothing."""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from redundancy import bus
from redundancy.clock import lab_now
from redundancy.cluster.lab_plan import Plan
from redundancy.errors import Refused
from redundancy.models import (
    EventKind,
    Incident,
    LabCopy,
    Machine,
    NodeRuntime,
    PresenceUser,
    RedundancyGroup,
    Server,
)
from redundancy.operations import access, events, incidents, locks
from redundancy.srm.words import say
from redundancy.twin import copies
from redundancy.twin.making import make
from redundancy.twin.reads import obstacles
from redundancy.twin.tables import clear, forget_traces


@dataclass(frozen=True, slots=True)
class Replaced:
    """How large the lab is now."""

    servers: int
    groups: int
    users: int


def apply_cluster(*, plan: Plan, name: str, actor: str, as_told: bool = False) -> Replaced:
    """Make the lab of ``plan`` in place of the present one, which is kept for ``undo``.

    Args:
        plan: What the lab will be.
        name: Of what it is made, for the history: a file, or how a snapshot is called.
        actor: User name of who does it.
        as_told: Whether groups begin in the states that are told, where they can be begun in; else
            all nodes start.

    Raises:
        Refused: The plan has refusals, the present lab is busy or too large to be kept, or names are
            not unique for the database. Nothing was changed.

    """
    Refused.unless_none(Refused(each.rule, field=each.field) for each in plan.refusals)
    with transaction.atomic():
        before = _take_all()
        now = lab_now()
        cause = say("Replaced by a cluster that was read: {name}.", name=name)
        copies.keep(cause=cause, actor=actor)
        gone = _items("removed")
        _let_go(before, now)
        try:
            with transaction.atomic():
                make(plan, now=now, as_told=as_told)
        except IntegrityError:
            rule = say("The database does not take it: two names are the same to it.")
            raise Refused(rule, field="names") from None
        replaced = _counted()
        sentence = say(
            "The lab was replaced by a cluster that was read ({name}): servers {servers:,}, groups {groups:,}, "
            "users {users:,}. The lab before it is kept.",
            name=name,
            servers=replaced.servers,
            groups=replaced.groups,
            users=replaced.users,
        )
        _tell(sentence, actor, now, gone)
    return replaced


def undo(*, actor: str) -> Replaced:
    """Put the lab that is kept in the place of the present one, which is not kept."""
    with transaction.atomic():
        before = _take_all()
        copy = LabCopy.objects.first()
        if copy is None:
            raise Refused(say("No lab is kept that could be put back."), field="copy")
        now = lab_now()
        gone = _items("removed")
        _let_go(before, now)
        copies.put_back(copy)
        copy.delete()
        forget_traces()
        replaced = _counted()
        sentence = say(
            "The lab that was replaced was put back: servers {servers:,}, groups {groups:,}, users {users:,}.",
            servers=replaced.servers,
            groups=replaced.groups,
            users=replaced.users,
        )
        _tell(sentence, actor, now, gone)
    return replaced


def _take_all() -> list[int]:
    """Hold the whole lab, and return the keys of its nodes; refused while something runs in it."""
    locks.one_administrator()
    for model in (RedundancyGroup, Server, NodeRuntime):
        for _ in locks.hold(model.objects.all()):
            pass
    Refused.unless_none(obstacles())
    return list(Machine.objects.values_list("pk", flat=True))


def _let_go(nodes: Collection[int], now: float) -> None:
    for group in RedundancyGroup.objects.filter(
        pk__in=Incident.objects.filter(closed_at=None).values("group")
    ):
        incidents.close(group, now)
    clear()
    _forget_heartbeats(nodes)


def _items(action: str) -> list[events.Change]:
    """Return the groups and servers of the lab as changes, for programs that follow it."""
    made = events.added if action == "added" else events.removed
    groups = RedundancyGroup.objects.order_by("pk").values_list("pk", flat=True)
    servers = Server.objects.order_by("pk").values_list("pk", flat=True)
    return [
        *(change for pk in groups for change in made("group", pk)),
        *(change for pk in servers for change in made("server", pk)),
    ]


def _tell(sentence: str, actor: str, now: float, gone: list[events.Change]) -> None:
    changes = [*gone, *_items("added")]
    events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor, at=now, changes=changes)
    nodes = list(Machine.objects.values_list("pk", flat=True))
    _forget_heartbeats(nodes)
    access.follow(nodes, now)


def _forget_heartbeats(nodes: Collection[int]) -> None:
    def forget() -> None:
        # Without the bus no sweep runs; what is old there is told by its number.
        with contextlib.suppress(bus.BusError):
            bus.forget(nodes)

    transaction.on_commit(forget)


def _counted() -> Replaced:
    return Replaced(
        Server.objects.count(), RedundancyGroup.objects.count(), PresenceUser.objects.count()
    )
