"""What each page costs, and each region that a page refreshes, at 3 and at 1,000 groups.

The pages are those of ``tests.everypage``. The whole WSGI application answers in this process: every
middleware, no network. One pair has lost a node, one has HA off, all others are Normal; each of their
nodes has 10 users. Of a region: what it costs when it changed (200), and when nothing did (204): then the
product's *own* time is what it takes longer than a view that loads session and user only (``bare``), asked
just before. Sizes are bytes before any compression.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from bs4 import BeautifulSoup

from tests.bench.databases import on_each, set_up, tell
from tests.bench.figures import Figure, percentile

if TYPE_CHECKING:
    from tests.bench.sweep import Lab

# Wall seconds after which a process may count fewer old events.
YOUNG_SECONDS = 62.0
PART = "pages"
SIZES = (3, 1000)
# Groups that are furnished; the others are alike.
FURNISHED = 2
USERS = 10
TIMES, POLLS = 40, 150
AIM_PAGE_MS, AIM_PAGE_KB, AIM_204_MS = 60.0, 100, 1.0
NEW, SAME = "200", "204"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. ``sent``: the body of a form, None to get it. ``status``: what must be answered."""

    path: str
    sent: str | None = None
    signed_in: bool = True
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What answers to a request cost: milliseconds of each, queries and bytes of one.

    ``worked``: of the milliseconds, those that this process had a processor: without what waits for
    other work of the machine, and without the server of PostgreSQL. ``bare``: milliseconds of a view that
    loads session and user only, each time just before; empty where it was not asked.
    """

    took: Sequence[float]
    worked: Sequence[float]
    queries: int
    size: int
    bare: Sequence[float] = ()

    @property
    def own(self) -> float:
        """The product's own milliseconds, the median."""
        return percentile([a - b for a, b in zip(self.took, self.bare, strict=True)], 50)

    def __str__(self) -> str:
        p50, p95 = (percentile(self.took, percent) for percent in (50, 95))
        worked = percentile(self.worked, 50)
        own = f"own p50 {self.own:.2f} ms, " if self.bare else ""
        return (
            f"{own}p50 {p50:.1f} ms, p95 {p95:.1f} ms (processor {worked:.1f} ms), "
            f"{self.queries} queries, {self.size:,} bytes"
        )


def measure() -> Iterator[Figure]:
    """Measure on each database."""
    yield from on_each("tests.bench.pages")


class Server:
    """Asks the application as a web server would."""

    # Of a form and of its cookie alike.
    TOKEN = "0123456789abcdefghijABCDEFGHIJ01"

    def __init__(self) -> None:
        from django.contrib.auth.models import User
        from django.core.wsgi import get_wsgi_application
        from django.test import Client

        client = Client()
        client.force_login(User.objects.create_superuser("reader"))
        self._session = client.cookies["sessionid"].value
        self._application = get_wsgi_application()

    def ask(self, request: Request) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        path, _, query = request.path.partition("?")
        body = (request.sent or "").encode()
        cookies = f"csrftoken={self.TOKEN}"
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET" if request.sent is None else "POST",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_COOKIE": f"{cookies}; sessionid={self._session}"
            if request.signed_in
            else cookies,
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
        }
        status: list[str] = []

        def start(line: str, *_: Any) -> Callable[[bytes], object]:
            status.append(line)
            return lambda _: None

        answer = self._application(environ, start)
        content = b"".join(answer)
        if close := getattr(answer, "close", None):
            close()
        return int(status[0][:3]), content

    def cost(self, request: Request, times: int, beside: Request | None = None) -> Cost:
        """Ask ``times`` times, each time ``beside`` before, and once more to count the queries."""
        from django.db import connection, reset_queries
        from django.test.utils import CaptureQueriesContext

        from redundancy import bus

        took, worked, bare, size = [], [], [], 0
        for _ in range(times):
            # Else it would soon be said that nobody sweeps.
            bus.mark_sweep()
            if beside is not None:
                began = time.perf_counter()
                self.ask(beside)
                bare.append((time.perf_counter() - began) * 1000)
            began, work = time.perf_counter(), time.thread_time()
            status, content = self.ask(request)
            took.append((time.perf_counter() - began) * 1000)
            worked.append((time.thread_time() - work) * 1000)
            size = len(content)
            if status >= 500 or request.status not in {None, status}:
                raise RuntimeError(f"{request.path} answered {status}")
        reset_queries()
        with CaptureQueriesContext(connection) as asked:
            self.ask(request)
        return Cost(took, worked, len(asked), size, bare)


def figures(database: str) -> Iterator[Figure]:
    """Yield the figures of this process's database."""
    from django.conf import settings
    from django.urls import reverse

    from cucm_admin import garbage
    from redundancy.selectors.stamp import stamp
    from tests.bench.sweep import Lab
    from tests.everypage import every_page, furnish

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.FAULT_LAB = True
    settings.ROOT_URLCONF = "tests.bench.bare"
    lab, server = Lab(), Server()
    # Pages that refuse are meant to.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    made = furnish()
    pages = {}
    for address in every_page(made):
        sent = (
            None
            if address.data is None
            else urlencode({**address.data, "csrfmiddlewaretoken": Server.TOKEN})
        )
        name = address.name + (f" {address.query}" if address.query else "")
        named = f"{name}{' (a form refused)' if sent is not None else ''}"
        while named in pages:
            named += " (another)"
        pages[named] = Request(address.path, sent, address.signed_in)
    found: dict[str, dict[int, Cost]] = {}
    there = FURNISHED
    for size in SIZES:
        grow(lab, size - there)
        there = size
        # As ``cucm_admin.wsgi`` does with all that it has loaded; who makes the groups is another process there.
        garbage.settle()
        for name, request in pages.items():
            found.setdefault(name, {})[size] = server.cost(request, TIMES)
        if size == max(SIZES):
            # A process counts the events of the last minute or two at each poll: here all that made the groups.
            for wait in (YOUNG_SECONDS, YOUNG_SECONDS, 0):
                stamp()
                time.sleep(wait)
        for name, polled in regions(server, pages).items():
            kinds = {NEW: Request(changed(polled.path)), SAME: Request(polled.path, status=204)}
            for kind, request in kinds.items():
                try:
                    cost = (
                        server.cost(request, POLLS, Request(reverse("bare")))
                        if kind == SAME
                        else server.cost(request, TIMES)
                    )
                except RuntimeError:
                    # The monitor tells ages: there is always something new.
                    continue
                found.setdefault(f"region of {name}, {kind}", {})[size] = cost
    for name, costs in found.items():
        yield figure(database, name, costs)


def figure(database: str, name: str, costs: Mapping[int, Cost]) -> Figure:
    """Return the costs of one page or region at each size."""
    value = "; ".join(f"{size:,} groups: {cost}" for size, cost in costs.items())
    most = costs[max(costs)]
    if name.endswith(SAME):
        aim = f"own p50 ≤ {AIM_204_MS:g} ms"
        return Figure(PART, f"{database}, {name}", value, aim, most.own <= AIM_204_MS)
    p95 = percentile(most.took, 95)
    aim = f"p95 ≤ {AIM_PAGE_MS:g} ms, ≤ {AIM_PAGE_KB} kB"
    held = p95 <= AIM_PAGE_MS and most.size <= AIM_PAGE_KB * 1000
    return Figure(PART, f"{database}, {name}", value, aim, held)


def grow(lab: "Lab", count: int) -> None:
    """Add so many pairs that are Normal, each node with USERS users who are logged in."""
    from django.db import connection

    from redundancy.models import PresenceSession, PresenceUser
    from redundancy.models import Server as Node
    from redundancy.operations.sessions import session_at_login
    from tests.bench.sweep import enable

    enable(lab, count)
    bare = Node.objects.filter(group__ha_enabled=True, assigned_users=None).order_by("pk")
    users = PresenceUser.objects.bulk_create(
        PresenceUser(
            userid=f"u{node.pk}.{number}", im_address=f"u{node.pk}.{number}@example.com", home=node
        )
        for node in bare
        for number in range(USERS)
    )
    PresenceSession.objects.bulk_create(
        session_at_login(user, user.home_id, lab.now) for user in users if user.home_id is not None
    )
    for _ in range(5):
        lab.sweep()
        lab.move()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # As the server does by itself within minutes.
            cursor.execute("VACUUM ANALYZE")


def regions(server: Server, pages: Mapping[str, Request]) -> dict[str, Request]:
    """Return what the pages poll, by the page; what all of them poll, once."""
    from redundancy import bus

    found: dict[str, Request] = {}
    for name, page in pages.items():
        bus.mark_sweep()
        if page.sent is not None:
            continue
        soup = BeautifulSoup(server.ask(page)[1], "html.parser")
        for tag in soup.select('[hx-trigger^="poll"]'):
            address = urljoin(page.path, unescape(str(tag["hx-get"])))
            common = str(tag.get("id", "")) in {"alarms", "faults"}
            found.setdefault(f"every page: {tag['id']}" if common else name, Request(address))
    return found


def changed(path: str) -> str:
    """Return the address of a poll by a page that shows something older."""
    parts = urlsplit(path)
    query = {key: "" if key in {"v", "a"} else value for key, value in parse_qsl(parts.query)}
    return parts._replace(query=urlencode(query)).geturl()


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
