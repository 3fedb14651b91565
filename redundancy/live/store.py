"""Write steps of SRM: the memory, the history and the work on the machines, in one transaction."""

import logging
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection, transaction

from redundancy.drivers import get_driver
from redundancy.live.due import DueNode
from redundancy.models import EventKind, HaEvent, NodeRuntime, RequestKind, Server, SrmMessage
from redundancy.models.bulk import as_json, as_table, insert
from redundancy.models.runtime import NEVER
from redundancy.operations import access, events, faults, incidents, locks, news, power, services
from redundancy.outage import is_outage
from redundancy.srm import facts
from redundancy.srm.codec import node_to_json
from redundancy.srm.inputs import inputs_of
from redundancy.srm.types import (
    Action,
    MoveSessions,
    Node,
    Policy,
    PowerDown,
    Request,
    RestartServices,
    SendHeartbeat,
    StartServices,
    StateChanged,
    StopServices,
)
from redundancy.srm.words import say, to_text

logger = logging.getLogger(__name__)

COLUMNS = [
    field
    for field in NodeRuntime._meta.concrete_fields
    if not field.primary_key and not field.generated
]
NAMES = [str(column.column) for column in COLUMNS]
VALUES = itemgetter(*NAMES, "node")
TABLE, KEY = NodeRuntime._meta.db_table, NodeRuntime._meta.pk.column
# What is done only when the step is stored.
GO_OUT = (SendHeartbeat, MoveSessions)
# What is done on the node's machine.
ORDERS = (StartServices, StopServices, RestartServices, PowerDown)


class TakenStep(NamedTuple):
    """A step that was taken, and is worth nothing until it is stored.

    It took ``before`` to ``node``. ``actions`` and ``refused`` (requests, each with a sentence that
    says why) with the name of who caused them; ``wake`` and ``now`` in lab seconds.
    """

    situation: DueNode
    before: Node
    node: Node
    actions: Sequence[tuple[Action, str]]
    refused: Sequence[tuple[Request, str, str]]
    wake: float
    now: float
    policy: Policy

    @property
    def key(self) -> int:
        """The node's key."""
        return self.situation.stored.pk

    @property
    def is_quiet(self) -> bool:
        """Whether nothing came of it but what goes out after the commit."""
        return not self.refused and all(isinstance(a, GO_OUT) for a, _ in self.actions)

    @property
    def is_news(self) -> bool:
        """Whether pages may show something else after it; what was asked for counts when it is heard."""
        if self.situation.messages or not self.is_quiet:
            return True
        return not facts.looks_alike(self.before, self.node, self.now, self.policy)


def store_steps(steps: Sequence[TakenStep]) -> list[TakenStep]:
    """Write the steps whose node's memory is still the one they began with; return these.

    Raises:
        django.db.Error: The database is busy, full, read-only or away: see ``is_outage``. None of
            the steps counts; the next sweep takes them again.

    """
    try:
        with transaction.atomic():
            return _write(steps)
    except Exception as error:
        if is_outage(error):
            raise
        if len(steps) == 1:
            # Only this node stands still; its peer will take it for dead.
            name = steps[0].situation.stored.name
            logger.exception("step of %s failed; nothing of it was stored", name)
            return []
    half = len(steps) // 2
    return store_steps(steps[:half]) + store_steps(steps[half:])


def _write(steps: Sequence[TakenStep]) -> list[TakenStep]:
    # A row that somebody else holds is about to change: its step is taken again later.
    free = locks.hold(NodeRuntime.objects.filter(pk__in=[s.key for s in steps]), wait=False)
    present = dict(free.values_list("pk", "version"))
    steps = [step for step in steps if present.get(step.key) == step.situation.stored.version]
    if not steps:
        return []
    _remember(steps)
    heard = [message.pk for step in steps for message in step.situation.messages]
    if heard:
        SrmMessage.objects.filter(pk__in=heard).delete()
    eventful = [step for step in steps if not step.is_quiet]
    if eventful:
        incidents.follow(insert(event for step in eventful for event in _history(step)))
        _work_on_machines(eventful)
        access.notice([step.key for step in eventful], max(step.now for step in eventful))
    if looks := sum(step.is_news for step in steps):
        news.count_looks(looks)
    return steps


def _remember(steps: Sequence[TakenStep]) -> None:
    rows: list[dict[str, Any]] = []
    for step in steps:
        stored = step.situation.stored
        sentences = [a.sentence for a, _ in step.actions if isinstance(a, StateChanged)]
        row: dict[str, Any] = {
            "version": stored.version + 1,
            "memory": node_to_json(step.node),
            "state": step.node.state,
            "reason": step.node.reason,
            "serial": step.node.serial,
            "since": step.node.since,
            "sentence": to_text(sentences[-1] if sentences else stored.sentence),
            "due_at": min(step.wake, NEVER),
            "stepped_at": step.now,
            "late_at": min(facts.late_at(step.node, step.policy), NEVER),
            "limit_at": min(facts.limit_at(step.node, step.now, step.policy), NEVER),
            "node": stored.pk,
        }
        rows.append(row)
    # One statement for all rows, which the ORM does not have: bulk_update takes ten times as long.
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            changes = ", ".join(f"{name} = v.{name}" for name in NAMES)
            cursor.execute(
                f"UPDATE {TABLE} n SET {changes} "
                f"FROM {as_table(COLUMNS, node='bigint')} WHERE n.{KEY} = v.node",
                [as_json(rows)],
            )
        else:
            changes = ", ".join(f"{name} = %s" for name in NAMES)
            for row in rows:
                row["memory"] = as_json(row["memory"])
            cursor.executemany(
                f"UPDATE {TABLE} SET {changes} WHERE {KEY} = %s",
                [VALUES(row) for row in rows],
            )


def _history(step: TakenStep) -> Iterator[HaEvent]:
    place = step.situation.stored.place
    inputs = inputs_of(step.node, step.now, step.policy)
    for action, actor in step.actions:
        if isinstance(action, StateChanged):
            logger.info(
                "%s: %s / %s - %s",
                place.node_name,
                action.new_state,
                action.new_reason,
                action.sentence,
            )
            yield events.event(
                kind=EventKind.STATE,
                sentence=action.sentence,
                place=place,
                actor=actor,
                old_state=action.old_state,
                old_reason=action.old_reason,
                new_state=action.new_state,
                new_reason=action.new_reason,
                epoch=action.epoch,
                at=step.now,
                inputs=inputs,
            )
    for request, why, actor in step.refused:
        yield events.event(
            kind=EventKind.ADMIN,
            sentence=say("Refused: {sentence}", sentence=why),
            request=RequestKind(request.value),
            refused=True,
            place=place,
            actor=actor,
            at=step.now,
        )


def _work_on_machines(steps: Sequence[TakenStep]) -> None:
    """Start and stop what the steps asked for. Before the commit: a crash between would lose it.

    In a number of statements that grows with the orders of one step, not with the steps: the first of
    each, then the second of those that have two.
    """
    driver = get_driver()
    for turn in zip_longest(*map(_orders, steps)):
        stopping: dict[int, list[str]] = {}
        starting: dict[int, list[str]] = {}
        restarting: dict[int, tuple[list[str], str]] = {}
        leaving: dict[int, power.Leave] = {}
        for step, order in zip(steps, turn, strict=True):
            if order is None:
                continue
            action, actor = order
            critical = step.situation.readings
            match action:
                case StopServices():
                    # The database goes on: SRM itself and the session moves need it.
                    stopping[step.key] = [s.name for s in critical if not s.database]
                case StartServices():
                    starting[step.key] = [s.name for s in critical]
                case RestartServices():
                    restarting[step.key] = [s.name for s in critical], actor
                case PowerDown(reboot):
                    leaving[step.key] = power.Leave(reboot, actor)
        if stopping:
            driver.stop(stopping)
        if starting:
            failing = faults.take_starts(starting)
            driver.start({pk: names for pk, names in starting.items() if pk not in failing})
        if restarting:
            nodes = Server.objects.select_related("group").filter(pk__in=restarting).order_by("pk")
            services.restart_critical([services.Restart(n, *restarting[n.pk]) for n in nodes])
        if leaving:
            power.finish_shutdowns(leaving)


def _orders(step: TakenStep) -> list[tuple[Action, str]]:
    return [(action, actor) for action, actor in step.actions if isinstance(action, ORDERS)]
