"""The audit of the live tables: quiet when all is well, and naming every breach planted."""

import logging
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from redundancy import bus, tasks
from redundancy.clock import lab_datetime
from redundancy.models import (
    EventKind,
    HaEvent,
    Machine,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
)
from redundancy.monitor import audit as audits
from redundancy.monitor.audit import INVARIANTS, audit
from redundancy.operations import events
from redundancy.operations.groups import disable_ha, enable_ha
from redundancy.operations.moves import MoveRequest, move_sessions
from redundancy.operations.sample import load_sample_cluster
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 10)
    return load_sample_cluster(actor="")


def node(name: str) -> Server:
    return Server.objects.get(name=name)


def found() -> list[tuple[str, str]]:
    return [(breach.invariant, breach.sentence) for breach in audit()]


def move(group: RedundancyGroup, name: str, kind: MoveKind) -> None:
    group.refresh_from_db()
    move_sessions(MoveRequest(node(name).pk, kind, group.epoch, group.ha_generation))


def state(name: str, to: State, why: Reason, *, at: float = 0, cause: str = "because") -> HaEvent:
    """Change a state as the sweep does: memory and event."""
    runtime = NodeRuntime.objects.get(server__name=name)
    event = events.record(
        kind=EventKind.STATE,
        sentence=cause,
        node=Server.objects.select_related("group").get(name=name),
        old_state=runtime.state,
        old_reason=runtime.reason,
        new_state=to,
        new_reason=why,
        epoch=0,
        at=at or None,
    )
    NodeRuntime.objects.filter(pk=runtime.pk).update(state=to, reason=why)
    return event


def test_nothing_is_found_where_nothing_is_wrong(group: RedundancyGroup) -> None:
    assert found() == []
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    assert found() == []
    move(group, "imp-pub", MoveKind.HOME)
    move(group, "imp-pub", MoveKind.TAKE_OVER)
    disable_ha(group=group, actor="")
    assert found() == []


def stray(group: RedundancyGroup) -> None:
    pks = PresenceSession.objects.filter(node__name="imp-pub").values("pk")[:3]
    PresenceSession.objects.filter(pk__in=list(pks.values_list("pk", flat=True))).update(
        node=node("imp-sub")
    )


def left_behind(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    session = PresenceSession.objects.filter(user__home__name="imp-pub")[0]
    PresenceSession.objects.filter(pk=session.pk).update(node=node("imp-pub"))


def lost(group: RedundancyGroup) -> None:
    PresenceSession.objects.filter(node__name="imp-pub")[0].delete()


def homeless(group: RedundancyGroup) -> None:
    user = PresenceUser.objects.filter(home__name="imp-sub")[0]
    PresenceUser.objects.filter(pk=user.pk).update(home=None)


def ghost(group: RedundancyGroup) -> None:
    user = PresenceUser.objects.filter(home__name="imp-sub")[0]
    PresenceUser.objects.filter(pk=user.pk).update(signed_out=True)


def in_limbo(group: RedundancyGroup) -> None:
    PresenceSession.objects.filter(node__name="imp-pub").update(limits_at=F("relogin_at") + 1)


def too_late(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    session = PresenceSession.objects.filter(user__home__name="imp-pub")[0]
    late = session.since.timestamp() + 538
    PresenceSession.objects.filter(pk=session.pk).update(relogin_at=late)


def too_early(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    session = PresenceSession.objects.filter(user__home__name="imp-pub")[0]
    early = session.since.timestamp() + 119
    PresenceSession.objects.filter(pk=session.pk).update(relogin_at=early)


def untold(group: RedundancyGroup) -> None:
    PresenceSession.objects.filter(node__name="imp-pub").update(relogin_at=F("limits_at") + 60)


def old_epoch(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    move(group, "imp-pub", MoveKind.HOME)
    events.record(kind=EventKind.MOVE, sentence="an old one", group=group, epoch=1)


def epoch_stays(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    events.record(kind=EventKind.MOVE, sentence="another one", group=group, epoch=1)


def epoch_set_back(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    RedundancyGroup.objects.update(epoch=0)


def unserved(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    state("imp-pub", State.FAILED_OVER, Reason.PEER_DOWN)
    state("imp-sub", State.BACKUP, Reason.PEER_DOWN)
    NodeRuntime.objects.filter(server__name="imp-sub").update(memory={"holds": True})


def unserved_without_power(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    state("imp-sub", State.BACKUP, Reason.PEER_DOWN)
    NodeRuntime.objects.filter(server__name="imp-sub").update(memory={"holds": True})
    Machine.objects.filter(server__name="imp-pub").update(powered=False)


def hasty(group: RedundancyGroup) -> None:
    now = lab_datetime().timestamp()
    NodeService.objects.update(since=lab_datetime(now - 5000))
    state("imp-pub", State.FAILED_OVER, Reason.PEER_DOWN, at=now - 1799)
    state("imp-pub", State.TAKING_BACK, Reason.AUTOMATIC_FALLBACK, at=now)


def broken_wait(group: RedundancyGroup) -> None:
    now = lab_datetime().timestamp()
    NodeService.objects.update(since=lab_datetime(now - 5000))
    NodeService.objects.filter(server__name="imp-pub", name="Cisco XCP Router").update(
        since=lab_datetime(now - 1000)
    )
    state("imp-pub", State.FAILED_OVER, Reason.PEER_DOWN, at=now - 1800)
    state("imp-pub", State.TAKING_BACK, Reason.AUTOMATIC_FALLBACK, at=now)


def without_event(group: RedundancyGroup) -> None:
    NodeRuntime.objects.filter(server__name="imp-pub").update(state=State.IDLE)


def other_event(group: RedundancyGroup) -> None:
    state("imp-pub", State.NORMAL, Reason.NORMAL)
    NodeRuntime.objects.filter(server__name="imp-pub").update(reason=Reason.PEER_DOWN)


def event_of_another_state(group: RedundancyGroup) -> None:
    state("imp-pub", State.NORMAL, Reason.NORMAL)
    NodeRuntime.objects.filter(server__name="imp-pub").update(state=State.IDLE)


def missing_event(group: RedundancyGroup) -> None:
    state("imp-pub", State.NORMAL, Reason.NORMAL)
    state("imp-pub", State.FAILING_OVER, Reason.PEER_DOWN).delete()
    state("imp-pub", State.IDLE, Reason.PEER_DOWN)


def missing_event_of_a_reason(group: RedundancyGroup) -> None:
    state("imp-pub", State.FAILED_OVER, Reason.PEER_DOWN)
    state("imp-pub", State.FAILED_OVER, Reason.CRITICAL_SERVICE_DOWN).delete()
    state("imp-pub", State.IDLE, Reason.NORMAL)


def without_cause(group: RedundancyGroup) -> None:
    state("imp-pub", State.NORMAL, Reason.NORMAL, cause="")


def twice(group: RedundancyGroup) -> None:
    state("imp-pub", State.NORMAL, Reason.NORMAL)
    state("imp-pub", State.NORMAL, Reason.NORMAL)


PLANTED: list[tuple[Callable[[RedundancyGroup], None], str, str]] = [
    (stray, "I1", "3 session(s) of users assigned to imp-pub are on imp-sub and belong on imp-pub"),
    (left_behind, "I1", "1 session(s) of users assigned to imp-pub are on imp-pub and belong on"),
    (lost, "I2", "1 user(s) assigned to imp-pub have no session."),
    (homeless, "I2", "1 session(s) on imp-sub belong to users assigned to no node."),
    (ghost, "I2", "1 session(s) on imp-sub belong to users who signed out."),
    (in_limbo, "I2", "5 session(s) on imp-pub keep limits of a login that is still to come."),
    (too_late, "I9", "s to 538 s after their move, not 120 s to 537 s."),
    (
        too_early,
        "I9",
        "5 client(s) log in at imp-sub 119 s to",
    ),
    (untold, "I9", "5 client(s) wait at imp-pub for a login that no move tells of."),
    (old_epoch, "I3", "has epoch 1 after epoch 2."),
    (epoch_stays, "I3", "has epoch 1 after epoch 1."),
    (epoch_set_back, "I3", "DefaultCUPSubCluster is at epoch 0, but event"),
    (unserved, "I4", "5 session(s) are on imp-pub (Failed Over), while its peer serves."),
    (unserved_without_power, "I4", "5 session(s) are on imp-pub (Unknown), while its peer serves."),
    (hasty, "I5", "imp-pub fell back by itself 1799 s after its last change of state"),
    (broken_wait, "I5", "imp-pub fell back by itself 1000 s after Cisco XCP Router started"),
    (without_event, "I6", "imp-pub is Idle / High Availability Not Enabled, but no event does."),
    (other_event, "I6", "imp-pub is Normal / Peer Down, but its last event says Normal / Normal."),
    (event_of_another_state, "I6", "imp-pub is Idle / Normal, but its last event says Normal /"),
    (missing_event, "I6", "leaves Failing Over / Peer Down, but imp-pub was Normal / Normal."),
    (
        missing_event_of_a_reason,
        "I6",
        "leaves Failed Over / Critical Service Down, but imp-pub was Failed Over / Peer Down.",
    ),
    (without_cause, "I6", "of imp-pub has no cause."),
    (twice, "I6", "of imp-pub changes nothing."),
]


@pytest.mark.parametrize(
    ("plant", "invariant", "sentence"), PLANTED, ids=[case[0].__name__ for case in PLANTED]
)
def test_a_planted_breach_is_named_and_nothing_else(
    group: RedundancyGroup, plant: Callable[[RedundancyGroup], None], invariant: str, sentence: str
) -> None:
    plant(group)
    breaches = found()
    assert [name for name, _ in breaches] == [invariant], breaches
    assert sentence in breaches[0][1]


def not_serving_yet(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    state("imp-pub", State.FAILED_OVER, Reason.PEER_DOWN)
    state("imp-sub", State.BACKUP, Reason.PEER_DOWN)
    NodeRuntime.objects.filter(server__name="imp-sub").update(memory={"holds": False})


def without_high_availability(group: RedundancyGroup) -> None:
    unserved(group)
    RedundancyGroup.objects.update(ha_enabled=False)


def serving_until_it_lost_power(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    state("imp-pub", State.BACKUP, Reason.PEER_DOWN)
    NodeRuntime.objects.filter(server__name="imp-pub").update(memory={"holds": True})
    Machine.objects.filter(server__name="imp-pub").update(powered=False)


def taking_back_for_another_reason(group: RedundancyGroup) -> None:
    now = lab_datetime().timestamp()
    NodeService.objects.update(since=lab_datetime(now - 5000))
    state("imp-pub", State.TAKING_BACK, Reason.ON_ADMIN_REQUEST, at=now - 10)
    state("imp-pub", State.TAKING_BACK, Reason.AUTOMATIC_FALLBACK, at=now)


@pytest.mark.parametrize(
    "arrange",
    [
        not_serving_yet,
        without_high_availability,
        serving_until_it_lost_power,
        taking_back_for_another_reason,
    ],
)
def test_what_may_be_is_no_breach(
    group: RedundancyGroup, arrange: Callable[[RedundancyGroup], None]
) -> None:
    arrange(group)
    assert found() == []


def test_another_reason_of_the_same_state_is_a_change(group: RedundancyGroup) -> None:
    state("imp-pub", State.FAILED_OVER, Reason.PEER_DOWN)
    state("imp-pub", State.FAILED_OVER, Reason.CRITICAL_SERVICE_DOWN)
    assert found() == []


def test_a_wait_of_just_so_long_and_a_login_at_just_the_limit_are_no_breach(
    group: RedundancyGroup,
) -> None:
    now = lab_datetime().timestamp()
    NodeService.objects.update(since=lab_datetime(now - 1800))
    # What began after the fallback, or is not watched, or does not run, has no part in the wait.
    node_services = NodeService.objects.filter(server__name="imp-pub")
    node_services.filter(name="A Cisco DB").update(since=lab_datetime(now + 5))
    node_services.filter(name="Cisco XCP Router").update(since=lab_datetime(now - 9), running=False)
    node_services.filter(name="Cisco SIP Proxy").update(since=lab_datetime(now - 9))
    state("imp-pub", State.FAILED_OVER, Reason.PEER_DOWN, at=now - 1800)
    state("imp-pub", State.TAKING_BACK, Reason.AUTOMATIC_FALLBACK, at=now)
    assert found() == []
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    moved = PresenceSession.objects.filter(user__home__name="imp-pub")
    at = moved[0].since.timestamp()
    for session, seconds in zip(moved, (120, 537), strict=False):
        PresenceSession.objects.filter(pk=session.pk).update(relogin_at=at + seconds)
    assert not [breach for breach in found() if breach[0] == "I9"]


def test_of_one_invariant_so_many_breaches_are_named(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "NAMED", 2)
    for _ in range(3):
        state("imp-pub", State.NORMAL, Reason.NORMAL, cause="")
    stray(group)
    assert [invariant for invariant, _ in found()] == ["I1", "I6", "I6"]


def test_moves_of_many_moments_are_found_in_pieces(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "_CHUNK", 1)
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    moved = PresenceSession.objects.filter(user__home__name="imp-pub")
    # Another moment, of which no move tells, before and after that of the move.
    for session, seconds in zip(moved, (-60, 60), strict=False):
        since = session.since + timedelta(seconds=seconds)
        PresenceSession.objects.filter(pk=session.pk).update(since=since)
    assert [sentence[:40] for _, sentence in found()] == [
        "1 client(s) wait at imp-sub for a login "
    ] * 2


def test_every_invariant_is_planted() -> None:
    assert {invariant for _, invariant, _ in PLANTED} == INVARIANTS.keys()


def test_the_command_says_so_and_ends_accordingly(group: RedundancyGroup) -> None:
    out = StringIO()
    call_command("audit", stdout=out)
    first, *checked = out.getvalue().splitlines()
    assert first == "Checked 1 group(s) and 10 session(s). It holds that"
    assert checked == [f"- {rule}" for rule in INVARIANTS.values()]
    stray(group)
    lost(group)
    with pytest.raises(
        CommandError, match=r"(?s)hold that a session .*hold that sessions are conserved.*2 breach"
    ) as error:
        call_command("audit")
    assert error.value.returncode == 1


def test_the_slow_lane_logs_breaches_of_the_last_events(
    group: RedundancyGroup,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    valkey: str,
) -> None:
    without_cause(group)
    stray(group)
    with caplog.at_level(logging.ERROR):
        tasks.audit()
    place, folds = (f"audit: It does not hold that {INVARIANTS[name]}: " for name in ("I1", "I6"))
    first, second = caplog.messages
    assert first.startswith(place)
    assert second.startswith(folds)
    caplog.clear()
    # An old breach of the history has been logged when it was new.
    monkeypatch.setattr(tasks, "RECENT_EVENTS", 1)
    events.record(kind=EventKind.LAB, sentence="something else")
    with caplog.at_level(logging.ERROR):
        tasks.audit()
    (first,) = caplog.messages
    assert first.startswith(place)


def test_the_slow_lane_comes_once_a_minute(valkey: str) -> None:
    bus.client().flushdb()
    assert [bus.mark_sweep() for _ in range(3)] == [True, False, False]
    assert 0 < int(bus.client().ttl(bus.SLOW_LANE)) <= timedelta(minutes=1).seconds
    bus.client().flushdb()


def test_it_asks_the_same_number_of_queries_whatever_the_size(
    group: RedundancyGroup, django_assert_num_queries: Callable
) -> None:
    with django_assert_num_queries(14):
        audit()
