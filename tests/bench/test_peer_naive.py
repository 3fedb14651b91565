"""The naive design that the product is measured beside does its work."""

from typing import Any

import pytest

from tests.bench import peer_naive
from tests.bench.peer_naive import TIMEOUT, declare, declared, heard

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What it sends, in its order: alarms with their seconds, and which are revoked."""
    found: list[Any] = []
    monkeypatch.setattr(
        declare,
        "apply_async",
        lambda args, task_id, countdown: found.append((args, task_id, countdown)),
    )
    monkeypatch.setattr(peer_naive.app.control, "revoke", found.append)
    peer_naive.make_table(2)
    return found


def test_each_heartbeat_sets_an_alarm_and_revokes_the_one_before(sent: list[Any]) -> None:
    heard(1)
    heard(1)
    (node, first, seconds), (_, second, _), revoked = sent
    assert (node, seconds, revoked) == ((1,), TIMEOUT, first)
    assert first != second
    assert peer_naive.heard_of() == 1


def test_only_the_last_alarm_declares_its_node_and_a_heartbeat_ends_that(sent: list[Any]) -> None:
    heard(0)
    heard(1)
    heard(1)
    alarms = [alarm for _, alarm, _ in (each for each in sent if isinstance(each, tuple))]
    # The revocation of the first came too late.
    declare.apply((1,), task_id=alarms[1])
    assert declared() == {}
    declare.apply((1,), task_id=alarms[2])
    assert declared().keys() == {1}
    heard(1)
    assert declared() == {}
