"""The version of a live region changes with everything that it shows, and not with time alone."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from redundancy import bus
from redundancy.faultlab import writes as faults
from redundancy.fingerprint import PASSING, fingerprint
from redundancy.imports.writes import begin_import
from redundancy.models import Alarm, EventKind, RedundancyGroup, Server
from redundancy.operations import actions
from redundancy.planned import writes as planned
from redundancy.traces.writes import begin_collection
from redundancy.views.polls import Region
from tests.live.pair import ROUTER, Pair, server

ACTOR = "ann"
# Fields that change with time alone; whoever adds one has to see that nothing else changes it.
PASSES = {
    "Check.figure",
    "Ear.heard_at",
    "Ear.holds_until",
    "Logins.elapsed",
    "ObserverView.lab_now",
    "ObserverView.sentence",
    "ObserverView.unseen_since",
    "ServiceRow.up_seconds",
}
# What is not looked at for the version: it follows from what is, or from the address.
ASIDE = {
    "buttons",
    "chart",
    "columns",
    "group",
    "incident",
    "job",
    "kept",
    "kind",
    "last_event",
    "map",
    "most",
    "preflight_rows",
    "sections",
    "preflight_tone",
    "problems",
    "refresh",
    "search",
    "server",
    "tail",
    "topology",
}


@dataclass(frozen=True)
class Leaf:
    """A whole in which one value was changed: which, and whether its version has to change."""

    where: str
    whole: Any
    counts: bool


def leaves(value: Any, where: str = "") -> Iterator[Leaf]:
    """Yield ``value`` with one thing of it changed, for each thing in it."""
    if is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            here, old = f"{where}.{each.name}", getattr(value, each.name)
            for leaf in leaves(old, here):
                # Of what passes with time only whether it is there counts.
                counts = leaf.counts if not each.metadata else old in (None, "")
                yield Leaf(leaf.where, replace(value, **{each.name: leaf.whole}), counts)
    elif isinstance(value, Model):
        for column in value._meta.concrete_fields:
            for leaf in leaves(value.__dict__[column.attname], f"{where}.{column.attname}"):
                changed = copy.copy(value)
                changed.__dict__[column.attname] = leaf.whole
                yield Leaf(leaf.where, changed, leaf.counts)
    elif isinstance(value, Mapping):
        for key, old in value.items():
            for leaf in leaves(old, f"{where}[{key}]"):
                yield Leaf(leaf.where, {**value, key: leaf.whole}, leaf.counts)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield Leaf(f"{where}[more]", [*value, "more"], counts=True)
        for number, old in enumerate(value):
            for leaf in leaves(old, f"{where}[{number}]"):
                whole = [*value[:number], leaf.whole, *value[number + 1 :]]
                yield Leaf(leaf.where, whole, leaf.counts)
    else:
        yield Leaf(where, another(value), counts=True)


def another(value: Any) -> Any:
    match value:
        case None:
            return 1
        case bool():
            return not value
        case int() | float():
            return value + 1
        case datetime():
            return value + timedelta(microseconds=1)
        case str():
            return f"{value}x"
    raise AssertionError(f"{value!r}")


def passing(value: Any) -> Iterator[str]:
    """Yield the names of the fields in ``value`` that pass with time."""
    if is_dataclass(value):
        for each in fields(value):
            if each.metadata:
                yield f"{type(value).__name__}.{each.name}"
            yield from passing(getattr(value, each.name))
    elif isinstance(value, Mapping):
        yield from passing(list(value.values()))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from passing(each)


@pytest.fixture
def regions(
    pair: Pair, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> "dict[str, Region]":
    """The live regions of all pages, while much is to be seen on them, by their address."""
    settings.FAULT_LAB = True
    # Judged by real time, of which a test may take much.
    monkeypatch.setattr(bus, "sweep_age", lambda: 0.4)
    client, group, pub = Client(), RedundancyGroup.objects.get(), server("imp-pub")
    client.force_login(User.objects.create_superuser(ACTOR))
    pair.run(20)
    restart = planned.begin(server=server("imp-sub"), service=ROUTER, actor=ACTOR)
    actions.request_failover(node=pub, serial=None, actor=ACTOR)
    pair.run(60)
    faults.lose_heartbeats(group=group, percent=30, actor=ACTOR)
    now = pair.clock.now
    begin_collection(group=group, since=now - 60, until=now, incident=None, actor=ACTOR)
    job = begin_import(name="users.csv", chunks=[b"User ID\nx\n"], at_once=False, actor=ACTOR)
    Alarm.objects.create(kind="SRMFailover", group=group, raised_at=now, sentence="It failed over.")
    center = "control_center"
    addresses = [
        f"{reverse('topology')}?fragment=1&view=map",
        f"{reverse('topology')}?fragment=1&view=grid",
        f"{reverse('node_details', args=[pub.pk])}?fragment=1",
        f"{reverse('group_edit', args=[group.pk])}?fragment=1",
        f"{reverse('group_logins', args=[group.pk])}?fragment=1",
        f"{reverse('preflight', args=[group.pk])}?",
        f"{reverse(center, args=['network'])}?fragment=1&server={pub.pk}",
        f"{reverse('planned_restart', args=[restart.pk])}?fragment=1",
        f"{reverse('import_job', args=[job.pk])}?fragment=1",
        f"{reverse('log_collection')}?fragment=1",
        f"{reverse('srm_trace')}?fragment=1&server={pub.pk}",
        f"{reverse('alarm_banner')}?",
        f"{reverse('fault_banner')}?",
    ]
    seen: list[Region] = []
    changed = Region.changed

    def record(region: Region, version: str) -> set[str]:
        seen.append(region)
        return changed(region, version)

    monkeypatch.setattr(Region, "changed", record)
    for address in addresses:
        assert client.get(f"{address}&v=old").status_code == 200, address
    return dict(zip(addresses, seen, strict=True))


def test_whatever_changes_of_what_is_shown_changes_the_version(regions: dict[str, Region]) -> None:
    for address, region in regions.items():
        number = 0
        for leaf in leaves(region.content):
            number += 1
            version = replace(region, content=leaf.whole).version
            assert (version != region.version) == leaf.counts, f"{address} {leaf.where}"
        assert number, address


def test_only_what_time_changes_is_left_out(regions: dict[str, Region]) -> None:
    assert {name for region in regions.values() for name in passing(region.content)} == PASSES
    assert {name for region in regions.values() for name in region.aside} == ASIDE


def test_time_alone_makes_no_other_version(regions: dict[str, Region], pair: Pair) -> None:
    client = Client()
    client.force_login(User.objects.get(username=ACTOR))
    pair.clock.now += 0.01
    for address, region in regions.items():
        assert client.get(f"{address}&v={region.version}").status_code == 204, address


@dataclass(frozen=True)
class Sample:
    name: str
    state: EventKind
    counts: dict[str, int]
    age: float | None = field(default=None, metadata=PASSING)


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    sample = Sample("imp-pub", EventKind.STATE, {"b": 1, "a": 2}, 3.5)
    assert fingerprint(sample) == "e14e615881262a08"
    assert fingerprint(replace(sample, counts={"a": 2, "b": 1}, age=4.5)) == fingerprint(sample)
    assert fingerprint(replace(sample, age=None)) != fingerprint(sample)


@pytest.mark.parametrize("value", [object(), {1, 2}, Server.objects, lambda: 1])
def test_what_is_no_value_has_no_fingerprint(value: object) -> None:
    # A set has another order in another process, a query asks anew.
    with pytest.raises(TypeError):
        fingerprint([value])
