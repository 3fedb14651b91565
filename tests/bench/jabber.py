"""What a login of a real client takes of the web process: login, configuration and one-time password."""

import sys
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure
from tests.bench.sweep import valkey

PART = "jabber"
CLIENTS = 500
ENVELOPE = (
    '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
    '<{0} xmlns="urn:cisco:epas:soap">{1}</{0}></e:Body></e:Envelope>'
)
KEY = "<session-key>{}</session-key>"


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.jabber")


def figures(database: str) -> Iterator[Figure]:
    """Yield what clients cost that sign in, and that log in at the other node."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from redundancy.models import PresenceSession, RedundancyGroup, Server
    from redundancy.operations.groups import enable_ha
    from redundancy.operations.moves import MoveRequest, move_sessions
    from redundancy.operations.sample import load_sample_cluster
    from redundancy.srm.types import MoveKind

    load_sample_cluster(actor="")
    enable_ha(group=RedundancyGroup.objects.get(), actor="")
    http = Client(SERVER_NAME="127.0.0.1")
    statements = 0

    def count(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    def ask(operation: str, content: str, wanted: str) -> str:
        body = ENVELOPE.format(operation, content)
        answer = http.post("/EPASSoap/service", body, content_type="application/soap+xml")
        text: str = answer.content.decode()
        assert "<success>" in text, text
        return text.partition(f"<{wanted}>")[2].partition("<")[0]

    def client(userid: str, password: str) -> str:
        who = f"<username>{userid}</username><password>{password}</password>"
        key = KEY.format(ask("login", who, "session-key"))
        ask("get-all-config", key, "node")
        return ask("get-onetime-password", key, "onetime-password")

    home = Server.objects.get(name="imp-pub")
    users = PresenceSession.objects.filter(node=home).values_list("user__userid", flat=True)
    held = dict.fromkeys(list(users)[:CLIENTS], settings.JABBER_PASSWORD)
    for what in ("sign in", "log in at the other node"):
        statements = 0
        began, processor = time.perf_counter(), time.process_time()
        with connection.execute_wrapper(count):
            held = {userid: client(userid, password) for userid, password in held.items()}
        each = (time.process_time() - processor) / len(held)
        took = (time.perf_counter() - began) / len(held)
        yield Figure(
            PART,
            f"{database}: {len(held)} clients {what}",
            f"{each * 1000:.1f} ms of a processor, {took * 1000:.1f} ms each; "
            f"{statements / len(held):.0f} statements; {1 / each:.0f} a second of one processor",
        )
        group = RedundancyGroup.objects.get()
        peer = group.servers.exclude(pk=home.pk).get()
        move_sessions(MoveRequest(peer.pk, MoveKind.TAKE_OVER, group.epoch, group.ha_generation))


def main() -> None:
    """Measure on the database of this process."""
    with valkey():
        set_up()
        tell(figures(sys.argv[1]))


if __name__ == "__main__":
    main()
