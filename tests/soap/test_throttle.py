"""More requests than an interface takes a minute (AXL_THROTTLE)."""

from dataclasses import replace

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from lxml import etree
from pytest_django.fixtures import Settings

from redundancy import bus
from redundancy.soap import throttle
from redundancy.soap.axl.service import AXL
from redundancy.soap.door import door
from tests.soap.asking import Asking, envelope

ASK = envelope("getCCMVersion")


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count in memory in place of the bus."""
    counts: dict[str, int] = {}

    def count(key: str, amount: int, seconds: int) -> int:
        counts[key] = counts.get(key, 0) + amount
        return counts[key]

    monkeypatch.setattr(bus, "count", count)
    monkeypatch.setattr(bus, "seconds_left", lambda key: 37)
    return counts


def test_so_many_are_taken_and_the_next_waits(
    axl: Asking, settings: Settings, counts: dict[str, int]
) -> None:
    settings.AXL_THROTTLE = 2
    assert [axl.post(ASK).status_code for _ in range(3)] == [200, 200, 503]
    answer = axl.post(ASK)
    assert answer["Retry-After"] == "37"
    assert b"takes a minute" in answer.content
    assert counts.pop(throttle.KEY.format("AXLAPI")) == 4
    assert axl.post(ASK).status_code == 200


def test_an_interface_may_say_it_as_a_fault(
    axl: Asking,
    settings: Settings,
    counts: dict[str, int],
) -> None:
    settings.AXL_THROTTLE = 1
    view = door(replace(AXL, too_many="Exceeded allowed rate"))
    assert axl.post(ASK).status_code == 200
    request = RequestFactory().post(
        "/", ASK, content_type="text/xml", HTTP_AUTHORIZATION=axl.header
    )
    answer = view(request)
    assert isinstance(answer, HttpResponse)
    assert answer.status_code == 500
    assert etree.fromstring(answer.content).findtext(".//faultstring") == "Exceeded allowed rate"


def test_it_is_off_unless_set(axl: Asking, counts: dict[str, int]) -> None:
    assert [axl.post(ASK).status_code for _ in range(5)] == [200] * 5
    assert throttle.KEY.format("AXLAPI") not in counts


def test_nothing_is_limited_while_the_bus_is_away(
    axl: Asking, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AXL_THROTTLE = 1

    def away(*_: object) -> int:
        raise bus.BusError("away")

    monkeypatch.setattr(bus, "count", away)
    assert [axl.post(ASK).status_code for _ in range(3)] == [200] * 3
