"""5,000 clients that log in by themselves fail over and back between limits, against the whole system.

They are all at home on one node, played by ``manage.py jabber`` over HTTP; one web process serves them. The lab
clock runs at 1, so the limits are wall seconds. Between the widest limits logins keep up with them; between those that
ask for more than the process carries clients queue and are back late.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cucm_admin.stack.run import BASE_DIR
from tests.bench.databases import on_each, tell
from tests.bench.figures import Figure
from tests.live.lab import Lab, running

PART = "failover"
CLIENTS, CONNECTIONS = 5000, 8
# The vendor's for so many users of a node for 15,000, and narrower ones; a move each, there and back by turns.
LIMITS = ((120, 453), (10, 135), (10, 60))
# Seconds after the upper limit up to which nobody is late: hearing of the event takes some.
PROMPT = 10.0
# Wall seconds after which a move is given up, and in which a wave of clients is over.
PATIENCE, SETTLED = 1800.0, 5.0


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.failover")


def figures(database: str, folder: Path) -> Iterator[Figure]:
    """Yield how the clients sign in, and how they come back after each move."""
    with running(dict(os.environ), folder, 1, web=True) as lab:
        _populate()
        lab.until_watched()
        lab.until("Normal", "Normal")
        _set_limits("imp-pub", LIMITS[0])
        playing = _play(lab)
        try:
            _until_back("imp-pub", CLIENTS)
            for number, limits in enumerate(LIMITS[1:] + LIMITS[:1]):
                taker = ("imp-sub", "imp-pub")[number % 2]
                # Those that they get there, and keep at the next move.
                _set_limits(taker, limits)
                lab.request(("failover", "fallback")[number % 2])
                _until_back(taker, CLIENTS)
                time.sleep(SETTLED)
            out, _ = playing.communicate(timeout=PATIENCE)
        finally:
            playing.kill()
        breaches = lab.ask("breaches()")
    assert breaches == [], breaches
    yield from _told(database, json.loads(out))


def _told(database: str, played: dict[str, Any]) -> Iterator[Figure]:
    ceiling = played["ceiling"]
    rate = f"{ceiling:.1f} logins a second" if ceiling else "not measured"
    yield Figure(PART, f"{database}: most while {CONNECTIONS} connections are busy", rate)
    for (lower, upper), move in zip(LIMITS, played["moves"], strict=True):
        back = move["until"]
        late = back["100"] - upper
        failed = ", ".join(f"{count} × {word}" for word, count in move["failures"].items())
        yield Figure(
            PART,
            f"{database}: {move['lost']:,} clients from {lower} s to {upper} s, {CLIENTS / (upper - lower):.0f} a second",
            f"50/95/100 % after {back['50']:.0f}/{back['95']:.0f}/{back['100']:.0f} s; busiest second"
            f" {move['peak_per_second']}; failures: {failed or 'none'}",
            "nobody late" if lower == LIMITS[0][0] else "",
            late <= PROMPT if lower == LIMITS[0][0] else None,
        )


def _populate() -> None:
    """Make a pair of nodes, all users at home on the first."""
    import django

    django.setup()
    from redundancy.models import PresenceUser, RedundancyGroup, Server
    from redundancy.operations.assignment import assign_users
    from redundancy.operations.groups import enable_ha
    from redundancy.operations.sample import load_sample_cluster
    from redundancy.operations.users import add_users

    load_sample_cluster(actor="")
    first = Server.objects.get(name="imp-pub")
    assign_users(users=PresenceUser.objects.all(), node=first, actor="")
    more = range(CLIENTS - PresenceUser.objects.count())
    add_users(rows=[(f"u{n:05}", "", f"u{n:05}@example.com", first) for n in more], actor="")
    enable_ha(group=RedundancyGroup.objects.get(), actor="")


def _set_limits(name: str, limits: tuple[int, int]) -> None:
    from redundancy.models import Server
    from redundancy.parameters.writes.parameters import set_parameters

    values = dict(zip(("relogin_lower", "relogin_upper"), map(str, limits), strict=True))
    set_parameters(values=values, server=Server.objects.get(name=name), actor="")


def _play(lab: Lab) -> "subprocess.Popen[str]":
    options = ("--json", "--connections", str(CONNECTIONS), "--moves", str(len(LIMITS)))
    return subprocess.Popen(
        [sys.executable, "manage.py", "jabber", str(CLIENTS), *options],
        cwd=BASE_DIR,
        env=lab.processes.variables,
        stdout=subprocess.PIPE,
        text=True,
    )


def _until_back(node: str, wanted: int) -> None:
    """Wait until so many real clients are logged in at a node."""
    from redundancy.clock import lab_now
    from redundancy.models import PresenceSession

    real = PresenceSession.objects.filter(by_client=True, node__name=node)
    deadline = time.monotonic() + PATIENCE
    while (found := real.filter(relogin_at__lte=lab_now()).count()) < wanted:
        assert time.monotonic() < deadline, f"{found:,} of {wanted:,} are back at {node}"
        time.sleep(1)


def main() -> None:
    """Measure on the database of this process."""
    with tempfile.TemporaryDirectory(prefix="cucm-admin-bench-") as folder:
        tell(figures(sys.argv[1], Path(folder)))


if __name__ == "__main__":
    main()
