"""What pruning keeps of a real pair's history: incidents, last states, moves; and the audit agrees."""

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from redundancy.clock import lab_now
from redundancy.history import writes as retention
from redundancy.history.reads.incident_report import report
from redundancy.history.writes import prune
from redundancy.models import HaEvent, Incident, PresenceSession, RedundancyGroup, SessionMove
from redundancy.monitor.audit import audit
from redundancy.operations import actions, incidents, services
from redundancy.operations.groups import disable_ha
from tests.history.test_retention import age
from tests.live.conftest import pair as pair
from tests.live.pair import ROUTER, Pair, server


@pytest.fixture
def failed_over(pair: Pair) -> Pair:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(95)
    assert pair.states()[1] == "Running in Backup Mode"
    return pair


def fall_back(pair: Pair) -> None:
    services.start_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(3)
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="bob")
    pair.run(10)
    assert pair.states() == ("Normal", "Normal")


def test_an_open_incident_loses_nothing(failed_over: Pair) -> None:
    incident = Incident.objects.get()
    before = list(report(incident, lab_now()).events)
    age(100)
    assert prune(days=90)[0] > 0
    assert list(report(incident, lab_now()).events) == before
    assert [moved.move.moved for moved in report(incident, lab_now()).moves] == [500]
    assert audit() == []
    # Closed today: it is kept for as long again.
    fall_back(failed_over)
    prune(days=90)
    assert list(report(incident, lab_now()).events)[: len(before)] == before
    assert audit() == []
    age(100)
    prune(days=90)
    assert not Incident.objects.exists()
    assert audit() == []
    assert HaEvent.objects.count() < len(before)


def test_the_audit_finds_nothing_however_far_it_got(
    failed_over: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    fall_back(failed_over)
    disable_ha(group=RedundancyGroup.objects.get(), actor="")
    age(100)
    monkeypatch.setattr(retention, "CHUNK", 3)
    monkeypatch.setattr(retention, "CHUNKS", 1)
    more = True
    while more:
        _, more = prune(days=90)
        assert audit() == []
        monkeypatch.setattr(retention, "CHUNKS", retention.CHUNKS + 1)
    # The last state of each node, and the move its users came home by.
    assert HaEvent.objects.filter(kind="state").count() == 2
    assert SessionMove.objects.count() >= 1


def test_a_move_is_kept_while_sessions_tell_of_it(failed_over: Pair) -> None:
    # Nobody is moved by the later ones: where everybody is, is told by the first.
    SessionMove.objects.update(logins={})
    told = PresenceSession.objects.filter(relogin_at__gt=F("limits_at")).count()
    assert told == 500
    with transaction.atomic():
        incidents.close(RedundancyGroup.objects.get(), lab_now())
    first = SessionMove.objects.get()
    later = HaEvent.objects.latest("pk")
    SessionMove.objects.create(
        event=later, group=first.group, at=lab_now(), epoch=9, moved=0, lower=1, upper=2
    )
    age(100)
    prune(days=90)
    assert SessionMove.objects.filter(pk=first.pk).exists()
    PresenceSession.objects.update(since=timezone.now())
    prune(days=90)
    assert not SessionMove.objects.filter(pk=first.pk).exists()
