"""A process with the product's own settings that evaluates what a test asks, one line at a time.

Tests of real processes look at the same database and Redis as those processes through it, without
sharing settings with the test run.
"""

import json
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")

import django

django.setup()

from cucm_admin.celery import app  # noqa: E402
from redundancy import bus, clock  # noqa: E402
from redundancy.live import tasks  # noqa: E402
from redundancy.models import HaEvent, NodeRuntime, PresenceSession, Server  # noqa: E402
from redundancy.operations import (  # noqa: E402
    actions,
    faults,
    groups,
    parameters,
    power,
    sample,
    services,
)
from redundancy.selectors import audit, live  # noqa: E402

NAMES: dict[str, Any] = {
    "HaEvent": HaEvent,
    "NodeRuntime": NodeRuntime,
    "PresenceSession": PresenceSession,
    "actions": actions,
    "app": app,
    "breaches": lambda: [str(breach) for breach in audit.audit()],
    "bus": bus,
    "clock": clock,
    "faults": faults,
    "groups": groups,
    "live": live,
    "parameters": parameters,
    "power": power,
    "sample": sample,
    "server": lambda name: Server.objects.select_related("group").get(name=name),
    "services": services,
    "tasks": tasks,
}


def pair() -> dict[str, list[Any]]:
    """Return state, reason and sessions of every node, as the pages show them."""
    return {
        row.name: [row.state, row.reason, row.active]
        for group in live.all_live()
        for row in group.rows
    }


def history(after: int = 0) -> list[list[Any]]:
    """Return the events after the one with key ``after``: key, kind, node, state, lab time."""
    return [
        [event.pk, event.kind, event.node_name, event.new_state, event.at.timestamp()]
        for event in HaEvent.objects.filter(pk__gt=after).order_by("pk")
    ]


NAMES |= {"pair": pair, "history": history}

if __name__ == "__main__":
    for line in sys.stdin:
        try:
            answer = {"value": eval(json.loads(line), NAMES)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()
