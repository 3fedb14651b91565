"""A process with the product's own settings that evaluates what a test asks, one line at a time.

Tests of real processes look at the same database and Redis as those processes through it, without
sharing settings with the test run.
"""

import io
import json
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import close_old_connections  # noqa: E402
from django.test import Client  # noqa: E402

from cucm_admin.celery import app  # noqa: E402
from redundancy import bus, clock, pulse, tasks, trace_store, workers  # noqa: E402
from redundancy.catalog import SRM, XCP_ROUTER  # noqa: E402
from redundancy.faultlab import writes as faults  # noqa: E402
from redundancy.imports import jobs as import_tasks  # noqa: E402
from redundancy.imports import writes as imports  # noqa: E402
from redundancy.models import (  # noqa: E402
    ClientLogin,
    HaEvent,
    NodeRuntime,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    ServiceParameter,
    UserImport,
)
from redundancy.monitor import audit, reads  # noqa: E402
from redundancy.operations import actions, groups, power, sample, services  # noqa: E402
from redundancy.operations.moves import MoveRequest  # noqa: E402
from redundancy.parameters.writes import parameters  # noqa: E402
from redundancy.selectors import live, observing  # noqa: E402
from redundancy.srm.states import State  # noqa: E402
from redundancy.srm.types import MoveKind  # noqa: E402
from redundancy.traces import collecting  # noqa: E402
from redundancy.traces import writes as traces  # noqa: E402

NAMES: dict[str, Any] = {
    "ClientLogin": ClientLogin,
    "HaEvent": HaEvent,
    "MoveKind": MoveKind,
    "MoveRequest": MoveRequest,
    "NodeRuntime": NodeRuntime,
    "PresenceSession": PresenceSession,
    "PresenceUser": PresenceUser,
    "actions": actions,
    "app": app,
    "SRM": SRM,
    "breaches": lambda: [str(breach) for breach in audit.audit()],
    "bus": bus,
    "clock": clock,
    "faults": faults,
    "groups": groups,
    "live": live,
    "observing": observing,
    "pulse": pulse,
    "reasons": lambda: reads.look_at_system().reasons,
    "workers": workers,
    "memory": lambda name: NodeRuntime.objects.get(server__name=name).memory,
    "parameters": parameters,
    "power": power,
    "sample": sample,
    "server": lambda name: Server.objects.select_related("group").get(name=name),
    "services": services,
    "tasks": tasks,
}


def pair() -> dict[str, list[Any]]:
    """Return state and reason of every node, as the pages show them, and the sessions on it."""
    return {
        row.name: [
            row.state,
            row.reason,
            PresenceSession.objects.filter(node=row.server_id).count(),
        ]
        for group in live.all_live()
        for row in group.rows
    }


def history(after: int = 0) -> list[list[Any]]:
    """Return the events after the one with key ``after``: key, kind, node, state, lab time."""
    return [
        [event.pk, event.kind, event.node_name, event.new_state, event.at.timestamp()]
        for event in HaEvent.objects.filter(pk__gt=after).order_by("pk")
    ]


def put_right() -> None:
    """Lift every fault, give every parameter its default, and let both nodes run with HA on."""
    faults.clear(group=None, actor="")
    parameters.reset_parameters(
        keys=ServiceParameter.objects.values_list("key", flat=True), actor=""
    )
    servers = list(Server.objects.select_related("group").order_by("pk"))
    group = servers[0].group
    assert group is not None
    states = [runtime.state for runtime in NodeRuntime.objects.all()]
    if group.ha_enabled and states != [State.NORMAL] * len(states):
        groups.disable_ha(group=group, actor="")
    for node in servers:
        # The process that ran its SRM alone is not there any more.
        power.end_srm_alone(server=node, worker=node.machine.srm_worker or "-")
        power.power_on(server=node, actor="")
        services.start_service(server=node, name=SRM, actor="")
        stopped = node.services.filter(activated=True, running=False)
        # The XCP Router first: the other XCP services run only while it does.
        for name in sorted(stopped.values_list("name", flat=True), key=lambda n: n != XCP_ROUTER):
            services.start_service(server=node, name=name, actor="")
    group.refresh_from_db()
    if not group.ha_enabled:
        groups.enable_ha(group=group, actor="")


NAMES |= {"pair": pair, "history": history, "put_right": put_right}


def begin_import(lines: int) -> int:
    """Begin the import of a file of so many users, as its page does; return its key."""
    data = "".join(f"p{n},,p{n}@example.com,\n" for n in range(lines)).encode()
    job = imports.begin_import(name="users.csv", chunks=[data], at_once=True, actor="ann")
    import_tasks.go_on(job)
    return job.pk


def imported(pk: int) -> list[Any]:
    """Return state, lines read, how often it was taken up again, and the number of all users."""
    job = UserImport.objects.get(pk=pk)
    return [job.state, job.line, job.restarts, PresenceUser.objects.count()]


NAMES |= {"begin_import": begin_import, "imported": imported}


def page(address: str) -> str:
    """Return what this process answers a super user at ``address``, as Latin-1."""
    user, _ = User.objects.get_or_create(username="ann", is_superuser=True)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    answer: Any = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return (b"".join(answer) if answer.streaming else answer.content).decode("latin-1")


def begin_collection(since: float) -> int:
    """Begin to collect the logs of the group from ``since`` to now; nobody is asked to do a step yet."""
    group = RedundancyGroup.objects.get()
    until = clock.lab_now()
    return traces.begin_collection(group=group, since=since, until=until, actor="ann").pk


def command(*words: str) -> list[Any]:
    """Run a management command; return its exit code and what it said."""
    out = io.StringIO()
    try:
        call_command(*words, stdout=out)
    except CommandError as error:
        return [error.returncode, str(error)]
    except SystemExit as error:
        return [1, str(error)]
    return [0, out.getvalue()]


NAMES |= {
    "begin_collection": begin_collection,
    "collecting": collecting,
    "command": command,
    "page": page,
    "trace": lambda name: list(trace_store.read(Server.objects.get(name=name).pk)),
}

if __name__ == "__main__":
    for line in sys.stdin:
        # A test may have ended the connection of everybody.
        close_old_connections()
        try:
            answer = {"value": eval(json.loads(line), NAMES)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()
