"""Put faults into the lab, and take them out again. Refused where the Fault Lab is off.

Faults of the link are kept until they are lifted; failing moves and starts until they have failed
once; a pause of the observer until its time is over. Each is an event of the history, at both ends.
``ACTS`` says of each what its form and the rehearsals need.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import Fault, FaultKind, RedundancyGroup, Server
from redundancy.models.fault import HELD, OF_LINK
from redundancy.operations import locks, power, replication, rules
from redundancy.operations.faults import record_fault
from redundancy.srm.simulator import Simulator
from redundancy.srm.words import say

MAX_DELAY = 3600.0
MAX_PAUSE = 86400.0


def cut_link(
    *,
    group: RedundancyGroup,
    sender: Server | None = None,
    receiver: Server | None = None,
    actor: str,
) -> None:
    """Lose every heartbeat from ``sender`` to ``receiver``; both ways when neither is given."""
    with _changing(group) as members:
        for field, server in (("sender", sender), ("receiver", receiver)):
            if server is not None and server not in members:
                raise Refused(
                    say("{node} is not a node of {group}.", node=server.name, group=group.name),
                    field=field,
                )
        if sender is not None and sender == receiver:
            raise Refused(say("A link has two different ends."), field="receiver")
        for node in members:
            if (sender is None or node == sender) and node != receiver:
                _put(FaultKind.CUT, node=node, actor=actor)


def restore_link(*, group: RedundancyGroup, actor: str) -> None:
    """Let heartbeats pass again: no cut, no delay, no loss. What is under way still arrives late."""
    with _changing():
        _lift(_of(group).filter(kind__in=OF_LINK), actor)


def delay_link(*, group: RedundancyGroup, seconds: float, actor: str) -> None:
    """Let every heartbeat arrive so many lab ``seconds`` late."""
    with _changing(group):
        rule = say("Delay must be more than 0 and at most {most:g} seconds.", most=MAX_DELAY)
        limited = _within(seconds, rule, MAX_DELAY, field="seconds")
        _put(FaultKind.DELAY, group=group, amount=limited, actor=actor)


def lose_heartbeats(*, group: RedundancyGroup, percent: int, actor: str) -> None:
    """Lose so many ``percent`` of the heartbeats, each by chance."""
    with _changing(group):
        rule = say("Loss must be more than 0 and at most {most:g} percent.", most=100)
        limited = _within(percent, rule, 100, field="percent")
        _put(FaultKind.LOSS, group=group, amount=limited, actor=actor)


def fail_next_move(*, group: RedundancyGroup, actor: str) -> None:
    """Let the next session move of the group fail, whichever node asks for it."""
    with _changing(group):
        _put(FaultKind.MOVE, group=group, actor=actor)


def hold_moves(*, group: RedundancyGroup, actor: str) -> None:
    """Carry no session move of the group out until ``release_moves``; its nodes ask again and again."""
    with _changing(group):
        _put(FaultKind.MOVE, group=group, amount=HELD, actor=actor)


def release_moves(*, group: RedundancyGroup, actor: str) -> None:
    """Let held session moves be carried out when a node asks again."""
    with _changing():
        _lift(_of(group).filter(kind=FaultKind.MOVE, amount=HELD), actor)


def fail_next_start(*, node: Server, actor: str) -> None:
    """Let SRM's next start of critical services on ``node`` have no effect."""
    with _changing():
        rules.check_is_node(node, field="node")
        _put(FaultKind.START, node=node, actor=actor)


def break_replication(*, node: Server, actor: str) -> None:
    """Let database replication of ``node`` be not set up; what runs goes on, what starts is held back."""
    with _changing():
        rules.check_is_node(node, field="node")
        _put(FaultKind.REPLICATION, node=node, actor=actor)


def set_up_replication(*, node: Server, actor: str) -> None:
    """Let database replication of ``node`` be set up again; what was held back for it starts."""
    with _changing():
        _lift(Fault.objects.filter(kind=FaultKind.REPLICATION, node=node), actor)


def pause_observer(*, seconds: float, actor: str) -> None:
    """Let nobody look at any node for so many lab ``seconds``, as if no sweep ran."""
    with _changing():
        rule = say("Pause must be more than 0 and at most {most:g} seconds.", most=MAX_PAUSE)
        limited = _within(seconds, rule, MAX_PAUSE, field="seconds")
        _put(FaultKind.PAUSE, amount=lab_now() + limited, actor=actor)


def clear(*, group: RedundancyGroup | None, actor: str) -> None:
    """Lift every fault of the group and its nodes; of the whole lab, the pause too, when None."""
    with _changing():
        _lift(Fault.objects.all() if group is None else _of(group), actor)


def lift(*, fault_id: int, actor: str) -> None:
    """Lift one fault. Does nothing when it is over already."""
    with _changing():
        _lift(Fault.objects.filter(pk=fault_id), actor)


@contextmanager
def _changing(group: RedundancyGroup | None = None) -> Iterator[list[Server]]:
    """Change faults in the block; of a ``group`` yield its two nodes, and refuse one without."""
    if not settings.FAULT_LAB:
        raise Refused(say("The Fault Lab is off; it takes FAULT_LAB=1 in the environment."))
    with transaction.atomic():
        locks.one_administrator()
        members = list(group.servers.select_related("group").order_by("slot")) if group else []
        if group and len(members) != 2:
            raise Refused(
                say("{group} has no two nodes with a link between them.", group=group.name),
                field="group",
            )
        yield members


def _of(group: RedundancyGroup) -> QuerySet[Fault]:
    return Fault.objects.filter(Q(group=group) | Q(node__group=group))


def _within(value: float, rule: str, most: float, *, field: str) -> float:
    """Return ``value``; refuse with ``rule`` what is not more than 0 and at most ``most``."""
    if not (math.isfinite(value) and 0 < value <= most):
        raise Refused(rule, field=field)
    return float(value)


def _put(
    kind: FaultKind,
    *,
    group: RedundancyGroup | None = None,
    node: Server | None = None,
    amount: float = 0,
    actor: str,
) -> None:
    """Put a fault in force, in the place of one of the same kind."""
    fault, created = Fault.objects.get_or_create(
        kind=kind, group=group, node=node, defaults={"amount": amount, "actor": actor}
    )
    if not created and fault.amount == amount:
        return
    fault.amount, fault.actor = amount, actor
    fault.save(update_fields=["amount", "actor"])
    record_fault(fault, say("Fault: {fault}", fault=fault.sentence), actor)


def _lift(which: QuerySet[Fault], actor: str) -> None:
    for fault in which.select_related("group", "node__group"):
        record_fault(fault, say("Fault lifted: {fault}", fault=fault.sentence), actor)
        node = fault.node if fault.kind == FaultKind.REPLICATION else None
        if node is not None:
            # Before the fault goes: a node that boots now either sees it gone, or is seen here.
            power.hold_machine(node)
        fault.delete()
        if node is not None:
            replication.start_held(server=node, actor=actor)


@dataclass(frozen=True, slots=True)
class FaultAct:
    """Something that the Fault Lab does.

    Args:
        key: What its button on the page sends.
        button: The button's label.
        sentences: What a step of a rehearsal says for it; words in capitals stand for values.
        takes: Arguments of ``do`` besides the actor: group, sender, receiver, node, seconds or percent.
        do: The operation.
        simulate: What it changes in the simulator, by attribute; takes the simulator and what ``do``
            takes besides the group, nodes by their names, empty for none.
        label: Of the field of its form.
        note: What it does, where the field does not say it.
        most: The most that its measure may be.

    """

    key: str
    button: str
    sentences: tuple[str, ...]
    takes: tuple[str, ...]
    do: Callable[..., None]
    simulate: Callable[..., Mapping[str, object]]
    label: str = ""
    note: str = ""
    most: float = 0


def _simulate_cut(sim: Simulator, sender: str, receiver: str) -> Mapping[str, object]:
    first, second = sim.nodes
    ways = {(sender, receiver)} if sender else {(first, second), (second, first)}
    return {"cut": sim.cut | ways}


LINK_ACTS = (
    FaultAct(
        "cut", say("Cut Link"), ("cut link", "cut link from NODE to OTHER"),
        ("group", "sender", "receiver"), cut_link, _simulate_cut,
        label=say("Heartbeats that get lost"),
    ),
    FaultAct(
        "delay", say("Delay Heartbeats"), ("delay link DURATION",),
        ("group", "seconds"), delay_link, lambda _, seconds: {"delay": seconds},
        label=say("Delay (lab seconds)"), most=MAX_DELAY,
        note=say(
            "Between sites the vendor supports at most 80 ms there and back, and asks for 10 Mbps: a delay of"
            " more than 0.04 s each way is beyond it."
        ),
    ),
    FaultAct(
        "lose", say("Lose Heartbeats"), ("lose PERCENT of heartbeats",),
        ("group", "percent"), lose_heartbeats, lambda _, percent: {"loss": percent / 100},
        label=say("Heartbeats lost (percent)"), most=100,
    ),
    FaultAct(
        "restore", say("Restore Link"), ("restore link",),
        ("group",), restore_link, lambda _: {"cut": set(), "delay": 0, "loss": 0},
        note=say("Removes cuts, delay and loss. Heartbeats already on their way still arrive late."),
    ),
)  # fmt: skip
WORK_ACTS = (
    FaultAct(
        "move", say("Fail Next User Move"), ("fail next user move",),
        ("group",), fail_next_move, lambda _: {"fail_next_move": True},
        note=say("Makes the next move of this group's users fail, whichever node requests it."),
    ),
    FaultAct(
        "hold", say("Hold User Moves"), ("hold user moves",),
        ("group",), hold_moves, lambda _: {"hold_moves": True},
        note=say(
            "Holds every move of this group's users until moves are released: a pair that fails over or"
            " falls back stays in its transition."
        ),
    ),
    FaultAct(
        "release", say("Release User Moves"), ("release user moves",),
        ("group",), release_moves, lambda _: {"hold_moves": False},
        note=say("Releases held moves: each is carried out when its node requests it again, within a heartbeat interval."),
    ),
    FaultAct(
        "start", say("Fail Next Service Start"), ("fail next service start on NODE",),
        ("node",), fail_next_start,
        lambda sim, node: {"fail_next_start": sim.fail_next_start | {node}},
        label=say("Node whose critical services do not start"),
    ),
    FaultAct(
        "replication", say("Break Replication"), ("break database replication of NODE",),
        ("node",), break_replication,
        lambda sim, node: {"unreplicated": sim.unreplicated | {node}},
        label=say("Node whose database replication is not set up"),
        note=say(
            "When its feature services start next, such as after a reboot, its Data Monitor holds them back at"
            " Starting; the publisher goes on after a time-out."
        ),
    ),
    FaultAct(
        "set up", say("Set Up Replication"), ("set up database replication of NODE",),
        ("node",), set_up_replication,
        lambda sim, node: {"unreplicated": sim.unreplicated - {node}},
        label=say("Node whose database replication is set up again"),
    ),
)  # fmt: skip
# Of the whole lab.
PAUSE = FaultAct(
    "pause", say("Pause Observer"), ("pause observer DURATION",),
    ("seconds",), pause_observer,
    lambda sim, seconds: {"paused_until": max(sim.paused_until, sim.now + seconds)},
    label=say("Pause (lab seconds)"), most=MAX_PAUSE,
)  # fmt: skip
ACTS: dict[str, FaultAct] = {act.key: act for act in (*LINK_ACTS, *WORK_ACTS, PAUSE)}
