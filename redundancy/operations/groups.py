"""Presence redundancy groups: add, edit, delete, and their high availability."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from redundancy.clock import lab_now
from redundancy.errors import Refused, Taken
from redundancy.models import (
    EventKind,
    MessageKind,
    NodeRuntime,
    PresenceUser,
    RedundancyGroup,
    Server,
    SrmMessage,
)
from redundancy.models.runtime import NEVER
from redundancy.operations import (
    access,
    events,
    forecasts,
    incidents,
    locks,
    power,
    rules,
    services,
)
from redundancy.operations.sessions import remember_move, send_home
from redundancy.selectors import forecast
from redundancy.srm import sentences
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import Reason, State
from redundancy.srm.words import listed, say, together

_SLOTS = {1: "first", 2: "second"}


def add_group(
    *, name: str, description: str = "", first: Server, second: Server | None = None, actor: str
) -> RedundancyGroup:
    """Save a new group of one or two IM and Presence servers and return it; HA is off."""
    group = RedundancyGroup(**_texts(name, description))
    with transaction.atomic():
        locks.one_administrator()
        most = settings.MAX_GROUPS
        if RedundancyGroup.objects.count() >= most:
            raise Refused(
                say(
                    "There are {most} presence redundancy groups already; more are not allowed.",
                    most=most,
                )
            )
        with _name_is_free(group):
            group.save(force_insert=True)
        _assign(group, first, second)
        sentence = say(
            "Presence redundancy group {group} was added with {members}.",
            group=group.name,
            members=listed(server.name for server in (first, second) if server),
        )
        events.record(
            kind=EventKind.ADMIN,
            sentence=sentence,
            group=group,
            actor=actor,
            changes=events.added("group", group.pk),
        )
    return group


def edit_group(
    *,
    group: RedundancyGroup,
    name: str,
    description: str,
    first: Server | None,
    second: Server | None,
    actor: str,
    ha_enabled: bool | None = None,
) -> RedundancyGroup:
    """Change a group and return it as it is now.

    ``ha_enabled`` switches high availability in the same transaction: off before the servers are
    judged, on after. None leaves it as it is.
    """
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(group)
        if ha_enabled is False:
            current = disable_ha(group=current, actor=actor)
        told = _write(current, _texts(name, description))
        with _name_is_free(current):
            current.save(update_fields=["name", "description"])
        if first is None:
            raise Refused(say("Presence Server: the first server must be chosen."), field="first")
        for sentence, fields in (*told, *_assign(current, first, second)):
            events.record(
                kind=EventKind.ADMIN,
                sentence=sentence,
                group=current,
                actor=actor,
                changes=events.changed("group", current.pk, **fields),
            )
        if ha_enabled:
            current = enable_ha(group=current, actor=actor)
    return current


def delete_group(*, group: RedundancyGroup, actor: str) -> None:
    """Delete a group and unassign its servers: only with HA off and without assigned users."""
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(group)
        Refused.unless_none(_obstacles(current))
        Server.objects.filter(group=current).update(group=None, slot=None)
        sentence = say("Presence redundancy group {group} was deleted.", group=current.name)
        events.record(
            kind=EventKind.ADMIN,
            sentence=sentence,
            group=current,
            actor=actor,
            changes=events.removed("group", current.pk),
        )
        current.delete()


def enable_ha(*, group: RedundancyGroup, actor: str) -> RedundancyGroup:
    """Switch high availability on; the nodes start to initialize. Does nothing when it is on."""
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(group)
        if current.ha_enabled:
            return current
        members = list(_members(current))
        if len(members) != 2:
            raise Refused(
                say("Enable High Availability needs two different servers saved in the group."),
                field="ha_enabled",
            )
        _locked_runtimes(current)
        # What a node was told while HA was off does not count now.
        SrmMessage.objects.filter(node__in=members).delete()
        current.ha_enabled = True
        current.ha_generation += 1
        current.save(update_fields=["ha_enabled", "ha_generation"])
        events.record(
            kind=EventKind.ADMIN,
            sentence=say("High Availability of {group} was enabled.", group=current.name),
            group=current,
            actor=actor,
            epoch=current.epoch,
            inputs={"ha_enabled": True},
            changes=events.changed("group", current.pk, ha_enabled=True),
        )
    return current


def disable_ha(*, group: RedundancyGroup, actor: str) -> RedundancyGroup:
    """Switch high availability off: sessions go home, the nodes forget. Does nothing when it is off.

    What SRM itself had stopped is started again: the users go home to nodes that serve them.
    """
    with transaction.atomic():
        locks.one_administrator()
        current = _locked(group)
        if not current.ha_enabled:
            return current
        before = _locked_runtimes(current)
        current.ha_enabled = False
        current.save(update_fields=["ha_enabled"])
        _finish_shutdowns(current)
        expected = forecast.of_homecoming(current)
        now = lab_now()
        placed = send_home(current, now)
        event = events.record(
            kind=EventKind.ADMIN,
            sentence=say(
                "High Availability of {group} was disabled; sessions sent home: {moved:,}.",
                group=current.name,
                moved=placed.sessions,
            ),
            group=current,
            actor=actor,
            epoch=current.epoch,
            at=now,
            inputs={"ha_enabled": False},
            changes=events.changed("group", current.pk, ha_enabled=False),
        )
        remember_move(event, current, placed)
        forecasts.remember(event, current, expected)
        _forget(current, before, actor=actor, now=now)
        for runtime in before:
            stopped = node_from_json(runtime.memory).stopped if runtime.memory else ()
            services.start_again(server=runtime.server, names=stopped, actor=actor)
        incidents.close(current, now)
    return current


def _texts(name: str, description: str) -> dict[str, str | None]:
    return rules.checked(
        {"name": (rules.group_name, name), "description": (rules.description, description)}
    )


def _obstacles(group: RedundancyGroup) -> Iterator[Refused]:
    """Yield everything that keeps the group from being deleted."""
    if group.ha_enabled:
        yield Refused(
            say(
                "High Availability of {group} is on; disable it before the group is deleted.",
                group=group.name,
            )
        )
    busy = [server.name for server in _members(group) if _has_users(server)]
    if busy:
        rule = say(
            "{group} cannot be deleted: users are assigned to {nodes}.",
            group=group.name,
            nodes=listed(busy),
        )
        yield Refused(together([rule, rules.UNASSIGN_USERS]))


def _finish_shutdowns(group: RedundancyGroup) -> None:
    """Switch off the nodes that wait for their SRM to say goodbye: with HA off it says nothing."""
    asked = SrmMessage.objects.filter(node__group=group, kind=MessageKind.SHUTDOWN)
    for message in asked.select_related("node"):
        power.finish_shutdown(server=message.node, reboot=message.payload["reboot"])


def _forget(
    group: RedundancyGroup, before: Sequence[NodeRuntime], *, actor: str, now: float
) -> None:
    """Put the nodes of the group into Unknown, High Availability Not Enabled."""
    SrmMessage.objects.filter(node__group=group).delete()
    NodeRuntime.objects.filter(pk__in=[runtime.pk for runtime in before]).update(
        state=State.UNKNOWN,
        reason=Reason.HA_NOT_ENABLED,
        version=F("version") + 1,
        serial=F("serial") + 1,
        since=now,
        sentence=sentences.DISABLED,
        memory={},
        due_at=0,
        late_at=NEVER,
        limit_at=NEVER,
    )
    for runtime in before:
        if (runtime.state, runtime.reason) != (State.UNKNOWN, Reason.HA_NOT_ENABLED):
            events.record(
                kind=EventKind.STATE,
                sentence=sentences.DISABLED,
                group=group,
                node=runtime.server,
                actor=actor,
                old_state=runtime.state,
                old_reason=runtime.reason,
                new_state=State.UNKNOWN,
                new_reason=Reason.HA_NOT_ENABLED,
                epoch=group.epoch,
                at=now,
            )
    access.follow([runtime.pk for runtime in before], now)


# A sentence for the history, and the fields that it tells of, with their new values.
_Told = tuple[str, dict[str, Any]]


def _write(group: RedundancyGroup, texts: Mapping[str, str | None]) -> list[_Told]:
    """Put ``texts`` into the fields of ``group``; return what is told of each that was another."""
    old_name, old_description = group.name, group.description
    for field, value in texts.items():
        setattr(group, field, value)
    told: list[_Told] = []
    if group.name != old_name:
        sentence = say("Group {old} was renamed to {group}.", old=old_name, group=group.name)
        told.append((sentence, {"name": group.name}))
    if group.description != old_description:
        sentence = say("The description of {group} was changed.", group=group.name)
        told.append((sentence, {"description": group.description}))
    return told


def _locked_runtimes(group: RedundancyGroup) -> list[NodeRuntime]:
    runtimes = NodeRuntime.objects.filter(server__group=group).select_related("server")
    return list(locks.hold(runtimes))


def _assign(group: RedundancyGroup, first: Server, second: Server | None) -> list[_Told]:
    """Let the group have these servers, in this order; return what is told of each that came or left."""
    wanted = {slot: server for slot, server in ((1, first), (2, second)) if server is not None}
    if second is not None and first.pk == second.pk:
        raise Refused(say("The two Presence Servers of a group must differ."), field="second")
    members = _members(group)
    old = {server.pk: server.slot for server in members}
    new = {server.pk: slot for slot, server in wanted.items()}
    if old == new:
        return []
    if group.ha_enabled:
        # The first slot whose server is another, or none.
        changed = min(slot or 1 for _, slot in old.items() ^ new.items())
        raise Refused(
            say("The Presence Servers of a group cannot be changed while High Availability is on."),
            field=_SLOTS[changed],
        )
    sentences = []
    for server in members:
        if server.pk not in new:
            _check_may_leave(server, field=_SLOTS[server.slot or 1])
            sentences.append(
                say("{server} was unassigned from {group}.", server=server.name, group=group.name)
            )
    joining = Server.objects.select_related("group").filter(pk__in=new)
    rows = {row.pk: row for row in locks.hold(joining)}
    for slot, server in wanted.items():
        _check_may_join(group, rows.get(server.pk), server.name, field=_SLOTS[slot])
        if server.pk not in old:
            sentences.append(
                say("{server} was assigned to {group}.", server=server.name, group=group.name)
            )
    # Emptied first: two servers that change places would meet in one slot.
    Server.objects.filter(group=group).update(group=None, slot=None)
    for pk, slot in new.items():
        Server.objects.filter(pk=pk).update(group=group, slot=slot)
    sentences = sentences or [say("The servers of {group} changed places.", group=group.name)]
    # The first sentence tells of both.
    fields = {
        _SLOTS[slot]: wanted[slot].name if slot in wanted else None
        for slot in {slot or 1 for _, slot in old.items() ^ new.items()}
    }
    return [(sentence, {} if number else fields) for number, sentence in enumerate(sentences)]


def _check_may_leave(server: Server, *, field: str) -> None:
    if server.is_publisher:
        raise Refused(
            say(
                "{server} is the IM&P database publisher; it cannot leave its group alone.",
                server=server.name,
            ),
            field=field,
        )
    if _has_users(server):
        rule = say(
            "{server} has users assigned; it cannot be moved or unassigned.", server=server.name
        )
        raise Refused(together([rule, rules.UNASSIGN_USERS]), field=field)


def _check_may_join(
    group: RedundancyGroup, server: Server | None, name: str, *, field: str
) -> None:
    if server is None:
        raise Refused(say("Server {server} does not exist any more.", server=name), field=field)
    rules.check_is_node(server, field=field)
    if server.group is not None and server.group != group:
        raise Refused(
            say(
                "{server} is in the presence redundancy group {group}; a server is in at most one group.",
                server=name,
                group=server.group.name,
            ),
            field=field,
        )


def _members(group: RedundancyGroup) -> list[Server]:
    return list(Server.objects.filter(group=group).order_by("slot"))


def _has_users(server: Server) -> bool:
    return PresenceUser.objects.filter(home=server).exists()


def _locked(group: RedundancyGroup) -> RedundancyGroup:
    return locks.hold_one(
        RedundancyGroup.objects.filter(pk=group.pk),
        say("Presence redundancy group {group} does not exist any more.", group=group.name),
    )


def _name_is_free(group: RedundancyGroup) -> AbstractContextManager[None]:
    taken = say("A presence redundancy group named {group} exists already.", group=group.name)
    return locks.unique("group_name_unique", Taken(taken, field="name"))
