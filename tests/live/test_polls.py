"""What a poll is answered at once, without a look, is what a look would answer.

Real operations and sweeps; each region is polled at the address its page has, by which the last
answer may be remembered, and at an address of its own, by which nothing can be.
"""

from collections.abc import Callable, Iterator
from html import unescape
from itertools import count

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from redundancy import bus
from redundancy.faultlab import writes as faults
from redundancy.models import EventKind, HaEvent, PresenceUser, RedundancyGroup
from redundancy.operations import (
    actions,
    assignment,
    events,
    groups,
    power,
    presence,
    servers,
    services,
    users,
)
from redundancy.parameters.writes import parameters
from redundancy.planned import writes as planned
from redundancy.selectors import policy, stamp
from redundancy.traces.writes import set_trace_level
from tests.live.pair import ROUTER, Pair, server

ACTOR = "ann"
# The session, its user, the lab clock and the stamp; the clock of this test asks nobody.
QUERIES_OF_NO_NEWS = 3


class Region:
    """A live region of a page that stays open."""

    numbers = count()

    def __init__(self, client: Client, page: str, mark: str) -> None:
        self._client, self.page, self._mark = client, page, mark
        self._address = ""
        self.take(client.get(page).content.decode())

    def take(self, html: str) -> None:
        """Poll from now on as ``html`` says."""
        told = html.partition(self._mark)[2].partition('hx-get="')[2].partition('"')[0]
        assert told, f"{self.page} polls nothing"
        path = self.page.partition("?")[0]
        self._address = unescape(path + told if told.startswith("?") else told)

    def remembered(self) -> int:
        return self._client.get(self._address).status_code

    def looked_at(self) -> int:
        """Poll at an address that nobody had before; show what it answers."""
        answer = self._client.get(f"{self._address}&n={next(self.numbers)}")
        if answer.status_code == 200:
            self._show(answer.content.decode())
        return answer.status_code

    def _show(self, html: str) -> None:
        if self._mark in html:
            self.take(html)
        else:
            # The ages alone, at the old address: the page is loaded again.
            self.take(self._client.get(self.page).content.decode())


@pytest.fixture
def client(pair: Pair, settings: LazySettings) -> Client:
    settings.FAULT_LAB = True
    client = Client()
    client.force_login(User.objects.create_superuser(ACTOR))
    return client


@pytest.fixture
def regions(client: Client, pair: Pair) -> list[Region]:
    group, pub = RedundancyGroup.objects.get(), server("imp-pub")
    restart = planned.begin(server=server("imp-sub"), service=ROUTER, actor=ACTOR)
    live = 'id="live"'
    pages = [
        (reverse("topology"), live),
        (f"{reverse('topology')}?view=grid", live),
        (reverse("node_details", args=[pub.pk]), live),
        (reverse("group_edit", args=[group.pk]), live),
        (reverse("group_logins", args=[group.pk]), live),
        (reverse("preflight", args=[group.pk]), 'id="preflight"'),
        (f"{reverse('control_center', args=['network'])}?server={pub.pk}", live),
        (f"{reverse('control_center', args=['feature'])}?server={pub.pk}", live),
        (reverse("planned_restart", args=[restart.pk]), live),
    ]
    return [Region(client, page, mark) for page, mark in pages]


def compare(regions: list[Region], what: str, *, swept: bool = True) -> set[str]:
    """Poll each region both ways until a look finds nothing new, then again; return what changed."""

    def poll(ask: Callable[[], int]) -> int:
        # How long ago a sweep ran is judged by real time, of which a test may take much.
        bus.mark_sweep() if swept else bus.client().delete(bus.MARK)
        return ask()

    changed = set()
    for region in regions:
        for _ in range(2):
            quick = poll(region.remembered)
            if quick == 204 and region.page in changed:
                # Nothing has happened since that look: it says for this one, too, what is so.
                break
            slow = poll(region.looked_at)
            assert quick == slow, f"{region.page} after {what}: {quick}, a look says {slow}"
            if slow == 204:
                again = poll(region.remembered)
                assert again == 204, f"{region.page} after {what}: {again} from memory"
                break
            changed.add(region.page)
    return changed


def story(pair: Pair) -> Iterator[tuple[str, Callable[[], object]]]:
    """Tell what happens, one thing after the other."""
    pub, sub = server("imp-pub"), server("imp-sub")
    group = RedundancyGroup.objects.get()
    somebody = PresenceUser.objects.filter(home=pub)[:10].values("pk")
    some = PresenceUser.objects.filter(pk__in=list(somebody.values_list("pk", flat=True)))

    def run(seconds: int) -> tuple[str, Callable[[], object]]:
        return f"{seconds} s", lambda: pair.run(seconds)

    yield run(1)
    yield run(16)
    yield "sign out", lambda: presence.sign(out=True, users=some, actor=ACTOR)
    yield "sign in", lambda: presence.sign(out=False, users=some, actor=ACTOR)
    yield "assign", lambda: assignment.assign_users(users=some, node=sub, actor=ACTOR)
    yield "rebalance", lambda: assignment.rebalance(actor=ACTOR)
    yield (
        "user",
        lambda: users.add_users(rows=[("x", "", "x@example.com", None)], actor=ACTOR),
    )
    yield "trace level", lambda: set_trace_level(server=pub, level="DEBUG", actor=ACTOR)
    yield (
        "limits",
        lambda: parameters.set_parameters(values={"relogin_lower": "60"}, server=sub, actor=ACTOR),
    )
    yield (
        "interval",
        lambda: parameters.set_parameters(values={"heartbeat_interval": "10"}, actor=ACTOR),
    )
    yield run(1)
    # A heartbeat that is late, and back again; then one that stays away.
    yield "cut", lambda: faults.cut_link(group=group, sender=sub, receiver=pub, actor=ACTOR)
    yield from (run(5) for _ in range(8))
    yield "restore", lambda: faults.restore_link(group=group, actor=ACTOR)
    yield from (run(7) for _ in range(4))
    yield "router stopped", lambda: services.stop_service(server=pub, name=ROUTER, actor=ACTOR)
    yield from (run(1) for _ in range(3))
    yield "router started", lambda: services.start_service(server=pub, name=ROUTER, actor=ACTOR)
    yield from (run(1) for _ in range(3))
    yield "failover", lambda: actions.request_failover(node=pub, serial=None, actor=ACTOR)
    # Clients log in, one after the other, without a write.
    yield from (run(80) for _ in range(3))
    yield "fallback", lambda: actions.request_fallback(node=pub, serial=None, actor=ACTOR)
    yield from (run(80) for _ in range(3))
    yield "power off", lambda: power.power_off(server=sub, actor=ACTOR)
    yield from (run(13) for _ in range(6))
    yield "power on", lambda: power.power_on(server=sub, actor=ACTOR)
    yield from (run(15) for _ in range(4))
    yield "SRM stopped", lambda: power.stop_srm(server=pub, actor=ACTOR)
    yield run(3)
    yield "SRM started", lambda: power.start_srm(server=pub, actor=ACTOR)
    yield run(30)
    yield "reboot", lambda: power.reboot(server=pub, actor=ACTOR)
    yield from (run(45) for _ in range(4))
    yield "HA off", lambda: groups.disable_ha(group=group, actor=ACTOR)
    yield run(125)
    yield (
        "renamed",
        lambda: groups.edit_group(
            group=group, name="Other", description="", first=pub, second=sub, actor=ACTOR
        ),
    )
    yield (
        "server",
        lambda: servers.add_server(name="imp-3", server_type="imp", actor=ACTOR),
    )
    yield "HA on", lambda: groups.enable_ha(group=RedundancyGroup.objects.get(), actor=ACTOR)
    yield from (run(1) for _ in range(4))
    # Minutes in which nothing happens but heartbeats.
    yield from (run(13) for _ in range(3))


# Forty seconds of work: more than its time where four workers share two processors with others.
@pytest.mark.timeout(600)
def test_no_poll_is_answered_from_memory_that_a_look_would_answer_otherwise(
    pair: Pair, regions: list[Region]
) -> None:
    compare(regions, "the beginning")
    seen: set[str] = set()
    for what, happen in story(pair):
        happen()
        seen |= compare(regions, what)
    # A story in which a page never changes would prove nothing of it.
    assert seen == {region.page for region in regions}


def test_the_silence_of_a_peer_that_said_goodbye_is_told_at_its_limit(
    pair: Pair, regions: list[Region]
) -> None:
    # Who is signed out does not log in again: nothing else changes with time.
    presence.sign(out=True, users=PresenceUser.objects.all(), actor=ACTOR)
    power.shut_down(server=server("imp-sub"), actor=ACTOR)
    for _ in range(8):
        pair.run(10)
        compare(regions, "10 s")


def test_a_limit_that_is_reached_before_the_next_sweep_is_told(
    pair: Pair, regions: list[Region]
) -> None:
    # Who is signed out does not log in again: nothing else changes with time.
    presence.sign(out=True, users=PresenceUser.objects.all(), actor=ACTOR)
    group, sub, pub = RedundancyGroup.objects.get(), server("imp-sub"), server("imp-pub")
    faults.cut_link(group=group, sender=sub, receiver=pub, actor=ACTOR)
    silent_at = server("imp-pub").runtime.peer_at + policy.current().heartbeat_timeout
    pair.run(int(silent_at - pair.clock.now) - 1)
    compare(regions, "a heartbeat is late")
    pair.clock.now = silent_at
    told = compare(regions, "the limit, and no sweep yet")
    assert told >= {reverse("node_details", args=[pub.pk]), f"{reverse('topology')}?view=grid"}


def test_that_nobody_sweeps_any_more_is_told(regions: list[Region]) -> None:
    compare(regions, "the beginning")
    blind = compare(regions, "a sweep that does not come", swept=False)
    assert {region.page for region in regions if "presence-topology" in region.page} <= blind
    assert blind == compare(regions, "a sweep")


def test_what_is_known_is_not_looked_at_again(
    client: Client, regions: list[Region], pair: Pair
) -> None:
    # A map with heartbeats tells the age of each: it is looked at.
    for region in regions[1:]:
        region.remembered()
        region.remembered()
        # Heartbeats that come in time are no news.
        pair.run(16)
        with CaptureQueriesContext(connection) as asked:
            assert region.remembered() == 204
        assert len(asked) <= QUERIES_OF_NO_NEWS, (region.page, [q["sql"] for q in asked])


def test_an_event_that_is_committed_late_changes_the_stamp(pair: Pair) -> None:
    first = events.record(kind=EventKind.LAB, sentence="One that is committed last.")
    events.record(kind=EventKind.LAB, sentence="One that was numbered later.")
    HaEvent.objects.filter(pk=first.pk).delete()
    before = stamp.stamp()
    assert before == stamp.stamp()
    first.save(force_insert=True)
    assert before != stamp.stamp()


def test_each_process_looks_for_itself_when_its_memory_is_gone(regions: list[Region]) -> None:
    for region in regions:
        region.remembered()
        cache.clear()
        assert region.remembered() == 204
