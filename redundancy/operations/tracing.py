"""How much the SRM of a node writes into its trace."""

from django.db import transaction

from redundancy.errors import Refused
from redundancy.models import EventKind, Machine, NodeRuntime, Server
from redundancy.operations import events, locks
from redundancy.srm.trace import Level

LEVELS = {level.name: level.name.capitalize() for level in Level}


def set_trace_level(*, server: Server, level: str, actor: str) -> None:
    """Set the level, the name of a ``Level``, from the next step on. Does nothing when it is set."""
    if level not in LEVELS:
        raise Refused(f"Trace level must be one of {', '.join(LEVELS.values())}.", field="level")
    with transaction.atomic():
        locks.one_administrator()
        NodeRuntime.poke(server.pk)
        machine = Machine.objects.select_for_update(no_key=True).filter(server=server).first()
        if machine is None:
            raise Refused(f"{server.name} has no SRM.", field="server")
        if machine.trace_level == level:
            return
        old = LEVELS[machine.trace_level]
        machine.trace_level = level
        machine.save(update_fields=["trace_level"])
        events.record(
            kind=EventKind.ADMIN,
            sentence=f"SRM trace level of {server.name} was changed from {old} to {LEVELS[level]}.",
            node=server,
            actor=actor,
        )
