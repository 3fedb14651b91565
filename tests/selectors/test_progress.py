"""How far an installation has come."""

from typing import Any

import pytest

from redundancy.models import EventKind, Server
from redundancy.operations import events, groups
from redundancy.operations.servers import add_server
from redundancy.selectors.progress import TourProgress, tour_progress
from redundancy.srm.states import Reason, State

pytestmark = pytest.mark.django_db


def change(node: Server, old: State, new: State) -> None:
    facts: dict[str, Any] = {
        "old_state": old,
        "new_state": new,
        "new_reason": Reason.NORMAL,
        "node": node,
    }
    events.record(kind=EventKind.STATE, sentence="Changed.", **facts)


def done() -> set[str]:
    """What has been done so far."""
    found = tour_progress()
    steps = ("empty", "paired", "enabled", "normal", "failed_over", "fell_back")
    return {step for step in steps if getattr(found, step)}


def test_each_step_is_ticked_when_it_is_done_and_stays_so() -> None:
    assert tour_progress() == TourProgress(True, 0, None, *[False] * 5)
    add_server(name="cucm", server_type="cucm", actor="")
    assert done() == set()
    assert tour_progress().nodes == 0
    pub, sub = (
        add_server(name=name, server_type="imp", actor="") for name in ("imp-pub", "imp-sub")
    )
    assert pub.group is not None
    assert (tour_progress().nodes, tour_progress().group) == (2, pub.group.pk)
    assert done() == set()
    group = groups.edit_group(
        group=pub.group, name="pair", description="", first=pub, second=sub, actor=""
    )
    assert done() == {"paired"}
    groups.enable_ha(group=group, actor="")
    sub.refresh_from_db()
    assert done() == {"paired", "enabled"}
    # Both nodes must have become Normal: one of them twice is not enough.
    for node, ticked in ((pub, False), (pub, False), (sub, True)):
        change(node, State.INITIALIZING, State.NORMAL)
        assert ("normal" in done()) == ticked
    change(pub, State.NORMAL, State.FAILING_OVER)
    assert "failed_over" not in done()
    change(sub, State.NORMAL, State.BACKUP)
    assert done() == {"paired", "enabled", "normal", "failed_over"}
    change(sub, State.BACKUP, State.NORMAL)
    assert "fell_back" not in done()
    change(pub, State.TAKING_BACK, State.FAILED_OVER)
    assert "fell_back" not in done()
    change(pub, State.TAKING_BACK, State.NORMAL)
    assert "fell_back" in done()
    assert tour_progress().group == group.pk
