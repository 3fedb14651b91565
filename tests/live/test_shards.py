"""Groups divided among shards: each is swept by itself, and nobody is called seen while one stands still."""

import json
import re
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from redundancy import bus, pulse, shards, tasks
from redundancy import clock as lab_clock
from redundancy.history.reads import timeline
from redundancy.live import sweep as sweeping
from redundancy.live.alone import LoneSrm
from redundancy.models import (
    Fault,
    FaultKind,
    HaEvent,
    Incident,
    Machine,
    MessageKind,
    NodeRuntime,
    RedundancyGroup,
    Server,
)
from redundancy.monitor import reads as monitor
from redundancy.monitor.audit import audit
from redundancy.operations import power
from redundancy.operations.moves import MoveRequest
from redundancy.operations.servers import add_server
from redundancy.selectors import observing
from redundancy.shards import WHOLE, Shard
from redundancy.srm.states import State
from redundancy.srm.types import MoveKind
from tests.bench.population import add_pairs
from tests.live.pair import Clock
from tests.live.pairs import INTERVAL, Pairs, nodes
from tests.pages.html import soup, words

COUNT = 6
BLIND = 9


@pytest.fixture
def two(clock: Clock, settings: Settings) -> Pairs:
    """Pairs in two shards."""
    settings.SWEEP_SHARDS = 2
    return Pairs(clock, COUNT, shards.every(2))


def of(pairs: Pairs, number: int) -> list[RedundancyGroup]:
    """The groups of one of two shards."""
    return [group for group in pairs.groups if Shard(number, 2).holds(group.pk)]


def grow_old(shard: int, seconds: float) -> None:
    """Let the last sweep of a shard be so many wall seconds ago."""
    key = bus.of_shard(bus.MARK, shard)
    assert bus.client().pexpire(key, round(1000 * (bus.MARK_SECONDS - seconds)))


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_each_node_is_in_one_shard_and_those_of_a_group_in_the_same(count: int) -> None:
    add_pairs(5)
    add_server(name="alone", server_type="imp", actor="")
    Server.objects.filter(name="alone").update(group=None)
    seen: list[int] = []
    for shard in shards.every(count):
        found = Server.objects.filter(shard.whose("group"))
        assert all(shards.shard_of(s.group_id, count) == shard.number for s in found)
        assert all(shard.holds(s.group_id) for s in found if s.group_id)
        assert set(NodeRuntime.objects.filter(shard.whose("server__group"))) == {
            s.runtime for s in found
        }
        seen += [s.pk for s in found]
    assert sorted(seen) == sorted(Server.objects.values_list("pk", flat=True))


def test_a_sweep_steps_the_nodes_of_its_shard_only(two: Pairs) -> None:
    before = dict(NodeRuntime.objects.values_list("pk", "version"))
    two.clock.now += INTERVAL + 1
    assert sweeping.sweep(two.wanted.extend, shard=Shard(1, 2)) > 0
    after = dict(NodeRuntime.objects.values_list("pk", "version"))
    stepped = {pk for pk in before if after[pk] > before[pk]}
    of_it = nodes(of(two, 1), 1) + nodes(of(two, 1), 2)
    assert stepped == {node.pk for node in of_it}


def story(pairs: Pairs) -> list[tuple[Any, ...]]:
    """Let nodes fail over by hand and by silence; return what became of each, and when."""
    began = pairs.clock.now
    pairs.ask(pairs.groups[:2], MessageKind.FAILOVER, 1)
    dark = nodes(pairs.groups[2:4], 2)
    Machine.objects.filter(server__in=dark).update(powered=False, srm_running=False)
    pairs.run(5 * INTERVAL)
    pairs.ask(pairs.groups[:2], MessageKind.FALLBACK, 1)
    pairs.run(INTERVAL)
    changes = HaEvent.objects.filter(kind="state", at__gte=lab_clock.lab_datetime(began))
    return sorted(
        (e.node_name, e.at.timestamp() - began, e.old_state, e.new_state, e.new_reason)
        for e in changes
    )


@pytest.mark.parametrize("count", [2, 3])
def test_what_happens_does_not_depend_on_the_shards(
    clock: Clock, settings: Settings, count: int
) -> None:
    whole = Pairs(clock, COUNT)
    as_one = story(whole)
    Incident.objects.all().delete()
    HaEvent.objects.all().delete()
    RedundancyGroup.objects.update(holder=None)
    Server.objects.all().delete()
    RedundancyGroup.objects.all().delete()
    bus.client().flushdb()
    settings.SWEEP_SHARDS = count
    assert story(Pairs(clock, COUNT, shards.every(count))) == as_one
    assert {change[3] for change in as_one} >= {State.IDLE, State.BACKUP, State.TAKING_OVER}
    assert not audit()


def test_a_pair_turns_over_within_one_sweep_of_its_shard(two: Pairs) -> None:
    groups = of(two, 1)
    two.ask(groups, MessageKind.FAILOVER, 1)
    two.clock.now += 1
    sweeping.sweep(two.wanted.extend, shard=Shard(0, 2))
    assert two.states(groups, 1) == {State.NORMAL}
    sweeping.sweep(two.wanted.extend, shard=Shard(1, 2))
    assert (two.states(groups, 1), two.states(groups, 2)) == (
        {State.FAILING_OVER},
        {State.TAKING_OVER},
    )


def test_a_shard_that_stood_still_fails_nobody_over(two: Pairs) -> None:
    two.shards = [Shard(0, 2)]
    stood = two.clock.now
    two.run(200)
    for pairs_of in (0, 1):
        assert two.states(of(two, pairs_of), 1) == {State.NORMAL}
    two.shards = shards.every(2)
    grow_old(1, 200)
    two.run(2 * INTERVAL)
    assert two.states(two.groups, 1) == two.states(two.groups, 2) == {State.NORMAL}
    told = HaEvent.objects.get(inputs__has_key="unseen_since")
    assert told.sentence.startswith("Nobody could see the nodes of shard 2 of 2 since ")
    # Only the groups that were not seen were not.
    begin, end = stood - 10, two.clock.now
    unseen = {g.pk: timeline.happened(g, begin, end).unseen for g in two.groups}
    assert {pk for pk, events in unseen.items() if events} == {g.pk for g in of(two, 1)}


def test_a_shard_whose_mark_the_bus_forgot_is_judged_by_its_own_nodes(two: Pairs) -> None:
    two.shards = [Shard(0, 2)]
    two.run(100)
    two.shards = shards.every(2)
    bus.client().delete(bus.of_shard(bus.MARK, 1))
    two.run(1)
    told = HaEvent.objects.get(inputs__has_key="unseen_since")
    assert shards.of_facts(told.inputs) == Shard(1, 2)


def test_nothing_is_seen_while_one_shard_is_not(two: Pairs) -> None:
    for shard in range(2):
        bus.mark_sweep(shard, 2)
    assert observing.observer().ok
    grow_old(1, BLIND)
    bus.mark_sweep(0, 2)
    seen = observing.observer()
    assert (seen.ok, observing.sees()) == (False, False)
    assert ": shard 2 of 2 was not swept. " in seen.sentence
    assert observing.observer(of(two, 0)[0].pk).ok
    assert not observing.observer(of(two, 1)[0].pk).ok
    bus.client().delete(bus.of_shard(bus.MARK, 1))
    assert observing.observer().sentence == (
        "We cannot see all nodes: no sweep of shard 2 of 2 has run yet."
    )
    assert bus.sweep_age() is None
    # Where all stand still it is no matter of one of them.
    grow_old(0, BLIND)
    bus.mark_sweep(1, 2)
    grow_old(1, BLIND + 1)
    assert "We could not see the nodes since" in observing.observer().sentence


@pytest.fixture
def running(two: Pairs) -> None:
    """Two shards a moment after their sweeps, with workers that work."""
    bus.client().delete(pulse.TICKS)
    for shard in range(2):
        pulse.note_sweep(took=0.01 * (shard + 1), steps=2, asked=False, shard=shard)
        bus.mark_sweep(shard, 2)
    for queue in ("sweep", "moves"):
        pulse.note_canary(queue, pulse.now() - 0.25, f"{queue}@here")
    tasks.audit()


def test_the_monitor_names_the_shard_that_stands_still(
    running: None, client: Client, admin_client: Client, settings: Settings
) -> None:
    def swept(address: str) -> str:
        # However slow this machine is, the first one is swept.
        bus.mark_sweep(0, 2)
        return address

    bus.mark_sweep(1, 2)
    assert client.get(swept("/healthz")).status_code == 200
    grow_old(1, 6000)
    bus.mark_sweep(0, 2)
    said = monitor.look_at_system()
    (trouble,) = said.troubles
    assert re.fullmatch(
        r"Shard 2 of 2: The last sweep ran 60\d\d s ago: beat or the sweep worker does not work.",
        trouble,
    )
    assert said.beat is not None
    assert said.beat.age == max(beat.age or 0 for beat in said.shards)
    answer = client.get(swept("/healthz"))
    assert (answer.status_code, answer.content.decode()) == (503, "not ok\nsweep\n")
    page = soup(admin_client.get(swept(reverse("beat_monitor"))))
    first, second = page.select("#shards-frame tbody tr")
    assert "Works" in words(first)
    assert "The last sweep ran 60" in words(second)
    assert second.select(".tone-ok") == []
    text = client.get(swept("/metrics")).content.decode()
    found = {
        (f.name, sample.labels.get("shard")): sample.value
        for f in text_string_to_metric_families(text)
        for sample in f.samples
    }
    assert found["srm_last_sweep_age_seconds", None] >= 6000
    assert found["srm_shard_last_sweep_age_seconds", "1"] < 6000
    assert (found["srm_shard_works", "1"], found["srm_shard_works", "2"]) == (1, 0)
    settings.SWEEP_SHARDS = 1
    bus.mark_sweep(0, 2)
    assert monitor.look_at_system().troubles == ()
    assert not soup(admin_client.get(reverse("beat_monitor"))).select("#shards-frame")
    assert "srm_shard" not in client.get("/metrics").content.decode()


def test_the_ticks_of_a_shard_are_judged_by_themselves() -> None:
    told = [
        pulse.SweepTick(at + 0.1 * shard, 0.1 * (shard + 1), 2, False, shard)
        for at in range(60)
        for shard in range(2)
        if shard == 0 or at % 2
    ]
    first, second = monitor.beats_of(told, 1.0, [0.5, 0.7], ["", "disk full"])
    assert (first.missed, first.doubled, second.doubled) == (0, 0, 0)
    assert second.missed == 29
    assert (first.trouble, "disk full" in second.trouble) == ("", True)
    both = monitor.all_of([first, second])
    assert (both.sweeps, both.missed, both.age) == (90, 29, 0.7)
    assert both.took_p99 == pytest.approx(0.2)
    assert monitor.all_of(monitor.beats_of(told, 1.0, [0.5, None], ["", ""])).age is None
    assert len(monitor.told_of([first, second])) == 1


def test_what_a_shard_could_not_store_is_told_until_that_shard_can(
    two: Pairs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]

    def fail(*_: object, shard: Shard, **__: object) -> None:
        if shard.number == 1 and broken:
            raise OperationalError("disk full")
        bus.mark_sweep(shard.number, shard.of)

    monkeypatch.setattr(sweeping, "sweep", fail)
    for _ in range(3):
        for shard in range(2):
            bus.client().delete(bus.of_shard(bus.TURN, shard))
            tasks.sweep(shard=shard, of=2)
    assert bus.outages() == ["", "disk full"]
    assert bus.outage() == "disk full"
    assert caplog.text.count("sweep of shard 2 of 2: the database cannot be used") == 1
    broken.clear()
    bus.client().delete(bus.of_shard(bus.TURN, 1))
    tasks.sweep(shard=1, of=2)
    assert bus.outage() == ""
    assert caplog.text.count("sweep of shard 2 of 2: done again") == 1


def test_each_shard_has_a_turn_of_its_own(
    clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SWEEP_SECONDS = 600
    swept: list[Shard] = []
    monkeypatch.setattr(sweeping, "sweep", lambda *_, shard, **__: swept.append(shard))
    for _ in range(2):
        tasks.sweep(shard=0, of=2)
        tasks.sweep(shard=1, of=2)
    assert swept == [Shard(0, 2), Shard(1, 2)]
    tasks.sweep(asked=True, shard=1, of=2)
    assert swept[2:] == [Shard(1, 2)]


def test_moves_ask_for_a_sweep_of_their_shards_only(
    two: Pairs, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(tasks.sweep, "delay", lambda **how: asked.append(how))
    monkeypatch.setattr(tasks.move_sessions, "delay", lambda *_: None)

    def move(groups: list[RedundancyGroup]) -> list[dict[str, object]]:
        asked.clear()
        tasks.ask_for_moves([MoveRequest(n.pk, MoveKind.TAKE_OVER, 9, 9) for n in nodes(groups, 1)])
        tasks.move_sessions()
        return list(asked)

    assert move(of(two, 1)) == [{"asked": True, "shard": 1, "of": 2}]
    # It is asked for already; the other one is not.
    assert move(two.groups) == [{"asked": True, "shard": 0, "of": 2}]
    bus.begin_wanted(1)
    assert move(of(two, 1)) == [{"asked": True, "shard": 1, "of": 2}]


def test_who_waits_for_a_limit_lets_the_sweep_of_another_shard_pass(
    clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    bus.client().rpush(settings.QUEUES[0], json.dumps({}))
    assert bus.wait_for_nothing(0.3), "of one shard no other sweep can be in the way"
    settings.SWEEP_SHARDS = 2
    assert not bus.wait_for_nothing(3600, 1)
    bus.client().delete(settings.QUEUES[0])
    assert bus.wait_for_nothing(0.05, 1)
    bus.want_sweep(0)
    assert bus.wait_for_nothing(0.05, 1), "asked for another one"
    bus.want_sweep(1)
    assert not bus.wait_for_nothing(3600, 1)


def test_a_shard_that_is_no_more_leaves_no_mark(clock: Clock, settings: Settings) -> None:
    settings.SWEEP_SHARDS = 2
    for shard in range(2):
        bus.mark_sweep(shard, 2)
    assert bus.sweep_age() is not None
    bus.mark_sweep(0, 1)
    # Should there be two again: what the one covered meanwhile was no standstill of the other.
    assert bus.sweep_ages()[1] is None
    settings.SWEEP_SHARDS = 1
    assert bus.sweep_age() is not None


def test_a_backup_is_not_restored_beside_the_sweep_of_any_shard(clock: Clock) -> None:
    assert bus.newest_sweep_age() is None
    bus.mark_sweep(3, 4)
    age = bus.newest_sweep_age()
    assert age is not None
    assert age < 5


def test_the_srm_of_one_node_reaches_a_peer_in_whichever_shard(
    two: Pairs, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    for number in range(2):
        mine, peer = (nodes(of(two, number)[:1], slot)[0] for slot in (1, 2))
        lone = LoneSrm(mine, f"w{number}")
        lone.start()
        two.clock.now += 1
        mail = bus.of_shard(bus.MAIL, number)
        bus.client().delete(mail)
        assert lone.look(lambda _: None)
        assert str(peer.pk) in bus.client().smembers(mail)
        # Kept on its way, it arrives there, too.
        fault = Fault.objects.create(kind=FaultKind.DELAY, group=mine.group, amount=2)
        bus.client().delete(mail)
        two.clock.now += INTERVAL
        assert lone.look(lambda _: None)
        late = bus.of_shard(bus.LATE, number)
        assert (bus.client().exists(mail), bus.client().exists(late)) == (0, 1)
        fault.delete()
        two.clock.now += 3
        sweeping.sweep(two.wanted.extend, shard=Shard(1 - number, 2))
        assert bus.client().exists(late)
        sweeping.sweep(two.wanted.extend, shard=Shard(number, 2))
        assert not bus.client().exists(late)


def test_a_process_that_runs_one_srm_is_counted_against_by_its_own_shard(two: Pairs) -> None:
    mine = nodes(of(two, 1), 1)[0]
    LoneSrm(mine, "w").start()
    power.count_missed_sweeps(Shard(0, 2))
    assert Machine.objects.get(server=mine).srm_missed == 0
    power.count_missed_sweeps(Shard(1, 2))
    assert Machine.objects.get(server=mine).srm_missed == 1


def test_a_restarting_node_is_booted_by_its_own_shard(two: Pairs) -> None:
    mine = nodes(of(two, 1), 1)[0]
    power.finish_shutdown(server=mine, reboot=True)
    late = two.clock.now + 10_000
    assert power.boot_due_nodes(now=late, shard=Shard(0, 2)) == 0
    assert power.boot_due_nodes(now=late, shard=Shard(1, 2)) == 1


def test_the_only_shard_has_the_keys_of_always() -> None:
    assert bus.of_shard(bus.MARK, 0) == "srm:sweep"
    assert (WHOLE.order, Shard(1, 2).order) == ({}, {"shard": 1, "of": 2})
    assert shards.of_groups([4, 6, None], 2) == [Shard(0, 2)]
    assert shards.of_groups([5, 4], 2) == shards.every(2)
    assert shards.of_facts(None) == shards.of_facts({"unseen_since": 1}) == WHOLE
