"""How often a process that works looks for garbage."""

import gc
import signal
from collections.abc import Iterator

import pytest
from celery.signals import worker_ready

from cucm_admin import garbage, worker


@pytest.fixture
def as_before() -> Iterator[None]:
    thresholds, hung_up = gc.get_threshold(), signal.getsignal(signal.SIGHUP)
    yield
    gc.set_threshold(*thresholds)
    signal.signal(signal.SIGHUP, hung_up)


@pytest.mark.usefixtures("as_before")
def test_a_worker_that_is_ready_looks_seldom() -> None:
    gc.set_threshold(700, 10, 10)
    worker_ready.send(sender=worker)
    assert gc.get_threshold()[0] == garbage.YOUNG
