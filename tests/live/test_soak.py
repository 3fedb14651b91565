"""The live soak: a short one holds, and what is wrong is found and told with the way to see it again."""

import pytest

from tests.live.faults import DEEDS, OUTAGES, Deed
from tests.live.lab import Lab
from tests.live.soak import Soak

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

SHORT = tuple(
    kind
    for kind in (*DEEDS, *OUTAGES)
    if kind.name in {"power off", "power on", "cut the link", "ask for Failover", "kill -9"}
)
OF_PUB = "HaEvent.objects.filter(kind='state', node_name='imp-pub')"
# As if a step had been stored without what caused it.
PLANTED = Deed("lose a cause", f"{OF_PUB}.update(sentence='')")


def test_a_short_soak_holds(lab: Lab) -> None:
    told: list[str] = []
    soak = Soak(lab, 3, told.append, SHORT)
    soak.play(0, faults=3)
    assert (soak.found.wrong, soak.found.rounds) == ([], 1), told
    assert soak.found.done.total() == 3


def test_what_is_wrong_is_found_and_told(lab: Lab) -> None:
    told: list[str] = []
    soak = Soak(lab, 3, told.append, [PLANTED])
    soak.play(7, faults=1)
    assert any("breach" in wrong for wrong in soak.found.wrong), told
    assert any("--seed 3 --first 7 --rounds 1" in line for line in told)
    lab.ask(f"{OF_PUB}.update(sentence='x')")


def test_what_the_product_does_not_understand_is_wrong(lab: Lab) -> None:
    told: list[str] = []
    soak = Soak(lab, 3, told.append, [Deed("nonsense", "1 / 0")])
    soak.play(0, faults=1)
    assert "ZeroDivisionError" in soak.found.wrong[0]
