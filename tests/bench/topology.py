"""What the Presence Topology costs: its page, its fragment, and a 204, at 3, 200 and 1,000 groups.

Every view and middleware, no network. The pairs are Normal, and of the 1,000 ten are failed over; each
node has 10 users. Sizes are bytes before any compression.
"""

import sys
import time
from collections.abc import Iterator
from html import unescape

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile

PART = "topology"
SIZES = (3, 200, 1000)
USERS = 10
TIMES = 20


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.topology")


def populate(count: int) -> None:
    """Let each node of the first ``count`` pairs have USERS users, logged in, where it has none."""
    from django.db import transaction

    from redundancy.models import PresenceUser, Server
    from redundancy.operations.users import add_users

    bare = Server.objects.filter(assigned_users=None).order_by("pk")
    with transaction.atomic():
        add_users(
            rows=(
                (f"u{node.pk}.{number}", "", f"u{node.pk}.{number}@example.com", node)
                for node in bare
                for number in range(USERS)
            ),
            actor="",
        )
    assert PresenceUser.objects.count() == 2 * USERS * count


def figures(database: str) -> Iterator[Figure]:
    """Yield the figures of this process's database, for one size after the other."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from redundancy import bus
    from redundancy.permissions import READ_ONLY
    from tests.bench.sweep import Lab, change, enable
    from tests.pages.conftest import make_user

    settings.ALLOWED_HOSTS = ["testserver"]
    client, lab, there = Client(), Lab(), 0
    client.force_login(make_user("reader", READ_ONLY))
    page = reverse("topology")
    for size in SIZES:
        enable(lab, size - there)
        populate(size)
        there = size
        if size == SIZES[-1]:
            change(0.01)
        for _ in range(5):
            lab.sweep()
            lab.move()
        text = client.get(page).content.decode()
        refresh = unescape(
            text.partition('id="live"')[2].partition('hx-get="')[2].partition('"')[0]
        )
        addresses = {
            "page": page,
            "fragment": f"{page}?fragment=1",
            "nothing new (204)": refresh,
            "not Normal only": f"{page}?state=not-normal",
        }
        for what, address in addresses.items():
            took = []
            for _ in range(TIMES):
                # Else it would soon be said that nobody sweeps.
                bus.mark_sweep()
                began = time.perf_counter()
                answer = client.get(address)
                took.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == (204 if "204" in what else 200)
            with CaptureQueriesContext(connection) as captured:
                client.get(address)
            yield Figure(
                PART,
                f"{database}, {size:,} groups, {what}",
                f"p50 {percentile(took, 50):.0f} ms, p95 {percentile(took, 95):.0f} ms; "
                f"{len(captured)} queries; {len(answer.content):,} bytes",
            )


def main() -> None:
    """Measure in this process."""
    from django.core.management import call_command

    from tests.bench.sweep import valkey

    set_up()
    call_command("collectstatic", verbosity=0, interactive=False)
    with valkey():
        tell(figures(sys.argv[1]))


if __name__ == "__main__":
    main()
