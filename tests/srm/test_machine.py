"""Random faults at a pair: the invariants hold after every step, and the pair finds rest."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.srm.trial import BEGINNINGS, DEEDS, Deed, Trial


def sampled(choices: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    return {name: st.sampled_from(values) for name, values in choices.items()}


class Pair(RuleBasedStateMachine):
    """A pair on trial; its rules are the deeds."""

    @initialize(beginning=st.fixed_dictionaries(sampled(BEGINNINGS)))
    def start(self, beginning: dict[str, Any]) -> None:
        self.trial = Trial(**beginning)


def rule_of(deed: Deed) -> Any:
    def do(self: Pair, **values: Any) -> None:
        self.trial.do(deed, values)

    do.__name__ = deed.name
    fits = precondition(lambda self: deed.fits(self.trial))
    return fits(rule(**sampled(deed.choices))(do))


for each in DEEDS:
    setattr(Pair, each.name, rule_of(each))

Pair.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestPair = Pair.TestCase
