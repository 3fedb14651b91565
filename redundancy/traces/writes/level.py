"""How much the SRM of a node writes into its trace."""

from django.db import transaction

from redundancy.errors import Refused
from redundancy.models import EventKind, Machine, NodeRuntime, Server
from redundancy.operations import events, locks
from redundancy.srm.trace import Level
from redundancy.srm.words import say, together

LEVELS = {
    Level.ERROR.name: say("Error"),
    Level.WARN.name: say("Warn"),
    Level.INFO.name: say("Info"),
    Level.DEBUG.name: say("Debug"),
}


def set_trace_level(*, server: Server, level: str, actor: str) -> None:
    """Set the level, the name of a ``Level``, from the next step on. Does nothing when it is set."""
    if level not in LEVELS:
        raise Refused(
            say("Trace level must be one of {levels}.", levels=together(LEVELS.values(), ", ")),
            field="level",
        )
    with transaction.atomic():
        locks.one_administrator()
        NodeRuntime.poke(server.pk)
        machine = Machine.objects.select_for_update(no_key=True).filter(server=server).first()
        if machine is None:
            raise Refused(say("{server} has no SRM.", server=server.name), field="server")
        if machine.trace_level == level:
            return
        old = LEVELS[machine.trace_level]
        machine.trace_level = level
        machine.save(update_fields=["trace_level"])
        events.record(
            kind=EventKind.ADMIN,
            sentence=say(
                "SRM trace level of {server} was changed from {old} to {new}.",
                server=server.name,
                old=old,
                new=LEVELS[level],
            ),
            node=server,
            actor=actor,
        )
