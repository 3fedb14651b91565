"""The Data Monitor of a node, which holds feature services back while replication is not set up.

What it holds is Starting: wanted, and not running. It starts when replication is set up, when the
monitor is switched off, and on the publisher after a time-out.
"""

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction

from redundancy.catalog import DATA_MONITOR
from redundancy.clock import lab_datetime
from redundancy.drivers.replication import PUBLISHER_TIMEOUT
from redundancy.models import Machine, NodeService, Server
from redundancy.operations import access, events, power
from redundancy.shards import WHOLE, Shard
from redundancy.srm.words import listed, say


def set_monitor(*, server: Server, on: bool, actor: str) -> None:
    """Let the Data Monitor wait for replication, or not: then what it held back starts.

    What runs goes on when it is switched on again. Does nothing when it is so already.
    """
    with transaction.atomic():
        machine = power.hold_powered(server)
        if machine.replication_monitor is on:
            return
        machine.replication_monitor = on
        machine.save(update_fields=["replication_monitor"])
        names = {"monitor": DATA_MONITOR, "node": server.name}
        sentence = (
            say("{monitor} on {node} waits for database replication again.", **names)
            if on
            else say(
                "{monitor} on {node} does not wait for database replication any more.", **names
            )
        )
        _record(server, sentence, [DATA_MONITOR], actor)
        if not on:
            start_held(server=server, actor=actor)


def start_held(*, server: Server, actor: str) -> None:
    """Start what the Data Monitor of ``server`` held back. Does nothing where it held nothing."""
    with transaction.atomic():
        power.hold_machine(server)
        held = NodeService.objects.filter(server=server, starting=True).order_by("name")
        names = list(held.values_list("name", flat=True))
        if not names:
            return
        access.start({server.pk: names})
        sentence = say(
            "Started on {node}, as its Data Monitor holds them back no longer: {services}.",
            node=server.name,
            services=listed(names),
        )
        _record(server, sentence, names, actor)


def let_publisher_go_on(*, nodes: Collection[int], now: float, shard: Shard = WHOLE) -> None:
    """Start what a publisher of the shard among ``nodes`` has held back for its time-out at ``now`` (lab seconds)."""
    if not nodes:
        return
    since = lab_datetime(now) - timedelta(seconds=PUBLISHER_TIMEOUT)
    late = Machine.objects.filter(
        shard.whose("server__group"),
        server__in=nodes,
        server__is_publisher=True,
        server__services__starting=True,
        powered=True,
        up_since__lte=since,
    )
    for machine in late.select_related("server")[:1]:
        start_held(server=machine.server, actor="")


def _record(server: Server, sentence: str, names: list[str], actor: str) -> None:
    events.record(
        kind=events.kind_of_deed(actor),
        sentence=sentence,
        node=server,
        actor=actor,
        inputs={"services": names},
    )
