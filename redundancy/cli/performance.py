"""Performance counters: the few that scripts ask for, counted by the services of a node.

What each counts are the clients that are logged in. The lab counts no messages, so the counters of single
sessions have no values here; their instances tell who is logged in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from redundancy.catalog import CLIENT_COUNTERS, CONNECTION_MANAGER, PRESENCE_ENGINE, XCP_ROUTER
from redundancy.cli import output
from redundancy.cli.grammar import Call, Command, Kind
from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import Server
from redundancy.selectors import presence

SESSION_COUNTERS = "Cisco XCP JSM Session Counters"


@dataclass(frozen=True, slots=True)
class PerfClass:
    """An object of counters. ``service``: the one that counts. ``of_sessions``: an instance for each session."""

    name: str
    service: str
    counters: tuple[str, ...] = ()
    of_sessions: bool = False


def _counted_by(service: str) -> tuple[str, ...]:
    return tuple(name for name, counts in CLIENT_COUNTERS.items() if counts == service)


CLASSES = (
    PerfClass(PRESENCE_ENGINE, PRESENCE_ENGINE, _counted_by(PRESENCE_ENGINE)),
    PerfClass("Cisco XCP CM", CONNECTION_MANAGER, _counted_by(CONNECTION_MANAGER)),
    PerfClass(SESSION_COUNTERS, XCP_ROUTER, of_sessions=True),
)


def _named(call: Call) -> PerfClass:
    asked = call.values[Kind.OBJECT]
    found = next((each for each in CLASSES if each.name.lower() == asked.lower()), None)
    if found is None:
        known = ", ".join(f'"{each.name}"' for each in CLASSES)
        raise Refused(f"There is no object {asked[:60]!r}; there are {known}.")
    return found


def _sessions(node: Server, of: PerfClass) -> int:
    """Return how many sessions are counted. Raises Refused where the service that counts does not run."""
    found = presence.counted_sessions([node.pk], lab_now(), of.service)[node.pk]
    if found is None:
        raise Refused(f"{of.service} does not run on {node.name}; it has no counters.")
    return found


def _classes(call: Call) -> Iterator[str]:
    node = call.running_node
    yield from output.perf(node, "Perf classes:", (each.name for each in CLASSES))


def _counters(call: Call) -> Iterator[str]:
    node, of = call.running_node, _named(call)
    yield from output.perf(node, f"Perf class ({of.name}) has counters:", of.counters)


def _instances(call: Call) -> Iterator[str]:
    node, of = call.running_node, _named(call)
    _sessions(node, of)
    names = presence.clients_at(node.pk, lab_now()) if of.of_sessions else ()
    yield from output.perf(node, f"Perf class ({of.name}) has instances:", names)


def _counter(call: Call) -> Iterator[str]:
    node, wanted = call.running_node, call.values[Kind.COUNTER]
    asked = call.values[Kind.OBJECT]
    for of in CLASSES:
        for name in of.counters:
            if (of.name.lower(), name.lower()) == (asked.lower(), wanted.lower()):
                said = f"Perf class ({of.name}):"
                yield from output.perf(node, said, [f"{name} = {_sessions(node, of)}"])
                return
    known = ", ".join(f'"{of.name}" "{name}"' for of in CLASSES for name in of.counters)
    raise Refused(f"There is no counter {wanted[:60]!r} of {asked[:60]!r}; there are {known}.")


COMMANDS = tuple(
    Command(usage, summary, do, writes=False)
    for usage, summary, do in (
        ("show perf list classes [node]", "list the objects that have counters", _classes),
        ("show perf list counters <object> [node]", "list the counters of an object", _counters),
        ("show perf list instances <object> [node]", "list the instances of an object", _instances),
        (
            "show perf query counter <object> <counter> [node]",
            "show a performance counter of a node",
            _counter,
        ),
    )
)
