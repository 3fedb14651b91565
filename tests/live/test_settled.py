"""What the first test has made is what the others begin with, and nothing of other tests."""

import pytest
from django.contrib.auth.models import User

from redundancy import bus
from redundancy.models import HaEvent, PresenceUser
from tests.live.pair import Pair
from tests.live.settled import begin_with

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_pair_that_was_copied_goes_on_like_one_that_was_made(pair: Pair, time: str) -> None:
    assert pair.sessions() == (500, 500)
    assert bus.sweep_age() is not None
    changes = HaEvent.objects.count()
    # Heartbeats are on the way, so that nobody misses his peer.
    pair.run(100)
    assert pair.states() == ("Normal", "Normal")
    assert HaEvent.objects.count() == changes
    PresenceUser.objects.all().delete()


def test_nothing_is_lost_that_a_test_has_written_before(valkey: str) -> None:
    made: list[User] = []

    def make() -> None:
        made.append(User.objects.create_user(f"made{len(made)}"))

    begin_with(make)
    User.objects.create_user("of the first test")
    User.objects.all().delete()
    bus.client().flushdb()
    begin_with(make)
    assert len(made) == 1
    assert User.objects.filter(username__startswith="made").count() == 1
    # Now there is somebody already.
    bus.client().flushdb()
    begin_with(make)
    assert User.objects.count() == 2
    # Keys go on as they did at first.
    assert made[1].pk == made[0].pk + 1
