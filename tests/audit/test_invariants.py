"""Every breach that is planted is named, and nothing else."""

from collections.abc import Callable

import pytest
from django.db.models import F

from redundancy.clock import lab_datetime
from redundancy.models import (
    EventKind,
    NodeRuntime,
    NodeService,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
)
from redundancy.monitor.audit import INVARIANTS
from redundancy.operations import access, events, power, services
from redundancy.operations.groups import enable_ha
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveKind
from tests.audit.pair import found, holds, lost, move, node, state, stray, without_cause

pytestmark = pytest.mark.django_db


def left_behind(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    session = PresenceSession.objects.filter(user__home__name="imp-pub")[0]
    PresenceSession.objects.filter(pk=session.pk).update(node=node("imp-pub"))


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
    holds(node("imp-sub"))


def unserved_without_power(group: RedundancyGroup) -> None:
    enable_ha(group=group, actor="")
    state("imp-sub", State.BACKUP, Reason.PEER_DOWN)
    holds(node("imp-sub"))
    power.power_off(server=node("imp-pub"), actor="")


def without_a_service(group: RedundancyGroup) -> None:
    NodeService.objects.filter(
        server__name="imp-sub", name="Cisco XCP Authentication Service"
    ).update(running=False)


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
    (old_epoch, "I3", "tells of move number 1, after move number 2."),
    (epoch_stays, "I3", "tells of move number 1, after move number 1."),
    (epoch_set_back, "I3", "DefaultCUPSubCluster is at move number 0, but event"),
    (unserved, "I4", "5 session(s) are on imp-pub (Failed Over), while its peer serves."),
    (unserved_without_power, "I4", "5 session(s) are on imp-pub (Unknown), while its peer serves."),
    (without_a_service, "I12", "clients count as logged in at imp-sub, which lacks a service"),
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
    holds(node("imp-pub"))
    power.power_off(server=node("imp-pub"), actor="")


def taken_by_its_peer_behind_a_cut_link(group: RedundancyGroup) -> None:
    """As docs/decisions.md has it: the first one does not know, and the users wait for an administrator."""
    enable_ha(group=group, actor="")
    move(group, "imp-pub", MoveKind.TAKE_OVER)
    holds(node("imp-pub"))
    state("imp-pub", State.BACKUP, Reason.ON_ADMIN_REQUEST)
    group.refresh_from_db()
    move(group, "imp-sub", MoveKind.TAKE_OVER)
    state("imp-sub", State.BACKUP, Reason.PEER_DOWN)
    power.power_off(server=node("imp-sub"), actor="")


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
        taken_by_its_peer_behind_a_cut_link,
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
    access.follow_all(now)
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


def test_every_invariant_is_planted() -> None:
    assert {invariant for _, invariant, _ in PLANTED} == INVARIANTS.keys()


def nobody_else_could_serve(group: RedundancyGroup) -> None:
    """imp-pub failed over, imp-sub lost its power, imp-pub took everybody, and lost its power as well."""
    enable_ha(group=group, actor="")
    state("imp-sub", State.BACKUP, Reason.PEER_DOWN)
    holds(node("imp-sub"))
    power.power_off(server=node("imp-pub"), actor="")


@pytest.mark.parametrize(
    ("act", "found_one"),
    [
        (lambda: None, True),
        (lambda: power.power_off(server=node("imp-sub"), actor=""), False),
        (lambda: power.stop_srm(server=node("imp-sub"), actor=""), False),
        # It runs again, and its SRM has not said yet where it stands.
        (lambda: power.restart_srm(server=node("imp-sub"), actor=""), False),
        (
            lambda: services.stop_service(
                server=node("imp-sub"), name="Cisco XCP Authentication Service", actor=""
            ),
            False,
        ),
    ],
    ids=["it serves", "no power", "no SRM", "SRM just started", "no logins"],
)
def test_a_peer_that_cannot_serve_is_no_place_to_be_missed_at(
    group: RedundancyGroup, act: Callable[[], None], found_one: bool
) -> None:
    nobody_else_could_serve(group)
    act()
    assert ("I4" in {invariant for invariant, _ in found()}) is found_one
