"""Play a scenario: do its steps at their moments, and judge what it expects.

The same player serves virtual time and the running system; what differs is the stage.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from redundancy.rehearsal.actions import Action
from redundancy.rehearsal.scenario import Expectation, Scenario, ScenarioStep, Shown, When


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The pair at one moment. ``active``: clients logged in. ``node`` is the one that changed, ``sentence`` why; empty for none."""

    at: float
    states: Mapping[str, Shown]
    sessions: Mapping[str, int]
    active: Mapping[str, int]
    node: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A step that was done; ``refused``: why not, if it was refused.

    ``cautions``: what an administrator would be asked about before.
    """

    at: float
    line: int
    text: str
    refused: str | None = None
    cautions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an expectation held. ``snapshot`` decided it."""

    at: float
    line: int
    when: When
    moment: int
    text: str
    held: bool
    snapshot: Snapshot


Line = Snapshot | DoneStep | Verdict


class Stage(Protocol):
    """Where a scenario is played. All times are lab seconds after its beginning.

    ``slack``: how late things may be, because looking and acting take time; 0 in virtual time.
    """

    slack: float

    def now(self) -> float:
        """Return the present moment."""
        ...

    def present(self) -> Snapshot:
        """Return the pair as it is now."""
        ...

    def look(self, until: float) -> tuple[Sequence[Snapshot], bool]:
        """Return what was seen since the last look, and whether ``until`` is still to come.

        In virtual time the next thing happens; on the running system time passes between looks.
        """
        ...

    def cautions(self, action: Action) -> Sequence[str]:
        """Return what an administrator would be asked about before doing it now."""
        ...

    def do(self, action: Action) -> str | None:
        """Do it; return why it was refused, or None."""
        ...

    def refusal(self, action: Action) -> str | None:
        """Return why the last try of this action was refused, as far as it is known by now."""
        ...

    def settled(self) -> bool:
        """Return whether the nodes have taken in what was done."""
        ...


@dataclass(frozen=True, slots=True)
class Playthrough:
    """A scenario that was played."""

    scenario: Scenario
    lines: tuple[Line, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Return every expectation with its outcome."""
        return tuple(line for line in self.lines if isinstance(line, Verdict))

    @property
    def held(self) -> bool:
        """Return whether all expectations held."""
        return all(verdict.held for verdict in self.verdicts)


class Player:
    """Plays one scenario on one stage."""

    def __init__(self, scenario: Scenario, stage: Stage) -> None:
        self.scenario = scenario
        self.stage = stage
        self.lines: list[Line] = []
        # How much later than written the steps are done: time stands still while one is late.
        self._late = 0.0
        # What was seen but is not judged yet, and the last that was.
        self._ahead: deque[Snapshot] = deque()
        self._seen = stage.present()

    def play(self) -> Iterator[None]:
        """Play all steps; whoever iterates lets time pass between two looks."""
        for step in self.scenario.steps:
            if step.action is not None:
                yield from self._do(step, step.action)
            elif step.expectation is not None:
                match step.when:
                    case When.AT:
                        yield from self._at(step, step.expectation)
                    case When.BY:
                        yield from self._by(step, step.expectation)
                    case When.UNTIL:
                        yield from self._until(step, step.expectation)

    @property
    def played(self) -> Playthrough:
        """Return what was played so far."""
        return Playthrough(self.scenario, tuple(self.lines))

    # --- steps ---------------------------------------------------------------------------------

    def _do(self, step: ScenarioStep, action: Action) -> Iterator[None]:
        yield from self._pass_to(step.moment + self._late)
        at = self.stage.now()
        self._late = max(self._late, at - step.moment)
        cautions = self.stage.cautions(action)
        refused = self.stage.do(action)
        self.lines.append(
            DoneStep(at, step.line, action.text, refused, () if refused else cautions)
        )

    def _at(self, step: ScenarioStep, expected: Expectation) -> Iterator[None]:
        """Judge at the moment; on the running system, until it can be seen."""
        moment = step.moment + self._late
        yield from self._pass_to(moment)
        yield from self._settle()
        yield from self._find(step, expected, moment + self.stage.slack)

    def _by(self, step: ScenarioStep, expected: Expectation) -> Iterator[None]:
        """Judge whenever something happens, and be over as soon as it holds."""
        yield from self._find(step, expected, step.moment + self._late + self.stage.slack)

    def _find(self, step: ScenarioStep, expected: Expectation, limit: float) -> Iterator[None]:
        more = True
        while True:
            if (self.stage.settled() or not more) and self._holds(expected, self._seen):
                break
            more = more and self._look(limit)
            if any(self._holds(expected, seen) for seen in self._pass(limit)) or not more:
                break
            yield
        self._judge(step, expected)

    def _until(self, step: ScenarioStep, expected: Expectation) -> Iterator[None]:
        """Judge from the end of the step before on, whatever happens, until the moment."""
        moment = step.moment + self._late
        grace = self.stage.now() + self.stage.slack
        yield from self._pass_to(self.stage.now())
        yield from self._settle()
        more, held = True, self._holds(expected, self._seen)
        while more and (held or self.stage.now() < grace):
            more = self._look(moment)
            for seen in self._pass(moment):
                before, held = held, self._holds(expected, seen)
                if before and not held:
                    more = False
                    break
            if more:
                yield
        self._judge(step, expected)

    # --- time ----------------------------------------------------------------------------------

    def _pass_to(self, moment: float) -> Iterator[None]:
        """Let time pass to ``moment``, and everything happen that is due by then."""
        more = True
        while more:
            more = self._look(moment)
            for _ in self._pass(moment):
                pass
            if more:
                yield

    def _settle(self) -> Iterator[None]:
        """Wait until the nodes have taken in what was done; not for ever."""
        limit = self.stage.now() + self.stage.slack
        while not self.stage.settled() and self._look(limit):
            yield

    def _look(self, until: float) -> bool:
        """See what happens; return whether ``until`` is still to come."""
        new, more = self.stage.look(until)
        self.lines.extend(snapshot for snapshot in new if snapshot.node)
        self._ahead.extend(new)
        return more

    def _pass(self, moment: float) -> Iterator[Snapshot]:
        """Go through what was seen, up to ``moment``; what is not asked for stays ahead."""
        while self._ahead and self._ahead[0].at <= moment:
            self._seen = self._ahead.popleft()
            yield self._seen

    # --- judging -------------------------------------------------------------------------------

    def _holds(self, expected: Expectation, seen: Snapshot) -> bool:
        if expected.refused is not None and self.stage.refusal(expected.refused) is None:
            return False
        return expected.holds(seen.states, seen.sessions, seen.active)

    def _judge(self, step: ScenarioStep, expected: Expectation) -> None:
        seen, now = self._seen, self.stage.now()
        held = self._holds(expected, seen)
        self.lines.append(
            Verdict(now, step.line, step.when, step.moment, expected.text, held, seen)
        )
