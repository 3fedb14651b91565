"""The stage on the running system: everything is done by operations, and seen as its history tells."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings

from redundancy import bus, clock
from redundancy.errors import Refused
from redundancy.faultlab.writes import PAUSE
from redundancy.models import EventKind, HaEvent
from redundancy.planned.reads.sessions import sessions_back
from redundancy.rehearsal import deeds
from redundancy.rehearsal.actions import EVERYWHERE, FAULTS, Action, Verb
from redundancy.rehearsal.cast import Cast, Functions, Parameters
from redundancy.rehearsal.cautions import of_enabling
from redundancy.rehearsal.noticed import noticed
from redundancy.rehearsal.runner import Player, Playthrough, Snapshot
from redundancy.rehearsal.scenario import Scenario, Shown
from redundancy.selectors import effects, enterprise, observing, watching
from redundancy.selectors.presence import Presence
from redundancy.selectors.sessions import of_homes
from redundancy.selectors.watching import Watched
from redundancy.srm.states import NOT_RESPONDING, SERVING_FOR_PEER, Reason, State
from redundancy.srm.words import english

# Wall seconds between two looks.
LOOK_SECONDS = 0.05


class CannotRun(Exception):
    """The running system cannot be used for this rehearsal; the message says why."""


class LiveStage:
    """A scenario's pair on the running system."""

    def __init__(self, scenario: Scenario, cast: Cast, slack: float) -> None:
        self.slack = slack
        self._scenario = scenario
        self._servers = cast.make()
        assert cast.group is not None
        self._group = cast.group
        self._names = {server.pk: name for name, server in self._servers.items()}
        self._states: dict[str, Shown] = dict.fromkeys(
            scenario.nodes, (State.UNKNOWN.value, Reason.HA_NOT_ENABLED.value)
        )
        self._refused: dict[str, str | None] = {}
        # The clients of a user, each with a session.
        self._each = enterprise.clients().per_user
        self._last = Watched(
            reports=dict.fromkeys(self._names, True),
            presence={
                server.pk: Presence(scenario.users[name]) for name, server in self._servers.items()
            },
        )
        self._began = self._seen_at = clock.lab_now()
        self._paused_until = 0.0
        self._new: list[Snapshot] = []
        self._present = self._snapshot(0, self._shown(self._last), self._last.presence)

    @property
    def group_id(self) -> int:
        """Return the key of the pair's group."""
        return self._group.pk

    def begin(self) -> None:
        """Let the scenario's time begin now."""
        self._began = self._seen_at = clock.lab_now()

    def now(self) -> float:
        """Return the present moment."""
        return clock.lab_now() - self._began

    def present(self) -> Snapshot:
        """Return the pair as it was at the last look."""
        return self._present

    def look(self, until: float) -> tuple[Sequence[Snapshot], bool]:
        """Return what the last looks at the system saw."""
        new, self._new = self._new, []
        return new, self._seen_at - self._began < until

    def settled(self) -> bool:
        """Return whether every SRM that runs has taken in what it was told."""
        return self._last.settled or self._seen_at < self._paused_until

    # --- seeing --------------------------------------------------------------------------------

    def see(self, now: float, watched: Watched) -> None:
        """Take in a look at the system, made at lab time ``now``."""
        self._seen_at = now
        where: Mapping[int, Presence] = self._last.presence
        reports = dict(self._last.reports)
        for event in watched.events:
            at = event.at.timestamp() - self._began
            if event.kind == EventKind.MOVE or not watched.ha_enabled:
                where = self._moved(event, watched, where)
            if event.kind == EventKind.STATE and event.node_id in self._names:
                # Who changes its state reports.
                reports[event.node_id] = True
                name = self._names[event.node_id]
                self._states[name] = (event.new_state, event.new_reason)
                enabled = event.new_state != State.UNKNOWN
                shown = self._shown(Watched(ha_enabled=enabled, reports=reports))
                self._add(at, shown, where, name, event.sentence)
            if event.refused and event.node_id in self._names:
                self._refused[f"{event.request} {self._names[event.node_id]}"] = event.sentence
        self._last = watched
        shown = self._shown(watched)
        for pk, name in self._names.items():
            if shown[name] != self._present.states[name]:
                self._add(now - self._began, shown, watched.presence, name, self._why(pk, watched))
        seen = self._snapshot(now - self._began, shown, watched.presence)
        before = self._present
        if (seen.sessions, seen.active) != (before.sessions, before.active):
            self._present = seen
            self._new.append(seen)

    def _moved(
        self, event: HaEvent, watched: Watched, where: Mapping[int, Presence]
    ) -> Mapping[int, Presence]:
        """Return where the sessions are after a move: all on the node that takes over, or at home.

        Of them as many are logged in as are by now.
        """
        if event.kind != EventKind.MOVE or event.node_id not in self._names:
            return watched.presence
        total = sum(here.sessions for here in where.values())
        if self._states[self._names[event.node_id]][0] in SERVING_FOR_PEER:
            sessions = {pk: total if pk == event.node_id else 0 for pk in self._names}
        else:
            sessions = {pk: home.signed_in for pk, home in of_homes(list(self._names)).items()}
        active = {pk: min(number, watched.presence[pk].active) for pk, number in sessions.items()}
        return {pk: Presence(active[pk], number - active[pk]) for pk, number in sessions.items()}

    def _shown(self, watched: Watched) -> dict[str, Shown]:
        """Return what the administration shows of each node."""
        return {
            name: (NOT_RESPONDING, "")
            if watched.ha_enabled and not watched.reports[pk]
            else self._states[name]
            for pk, name in self._names.items()
        }

    def _why(self, pk: int, watched: Watched) -> str:
        name = self._names[pk]
        return f"The SRM of {name} {'reports again' if watched.reports[pk] else 'does not report'}."

    def _add(
        self,
        at: float,
        shown: Mapping[str, Shown],
        where: Mapping[int, Presence],
        node: str,
        sentence: str,
    ) -> None:
        self._present = self._snapshot(at, shown, where, node, sentence)
        self._new.append(self._present)

    def _snapshot(
        self,
        at: float,
        shown: Mapping[str, Shown],
        where: Mapping[int, Presence],
        node: str = "",
        sentence: str = "",
    ) -> Snapshot:
        here = {name: where[pk] for pk, name in self._names.items()}
        sessions = {name: each.sessions * self._each for name, each in here.items()}
        active = {name: each.active * self._each for name, each in here.items()}
        return Snapshot(at, dict(shown), sessions, active, node, sentence)

    # --- doing ---------------------------------------------------------------------------------

    def refusal(self, action: Action) -> str | None:
        """Return why the last try of this action was refused, as far as it is known by now."""
        return self._refused.get(action.text)

    def cautions(self, action: Action) -> Sequence[str]:
        """Return what it breaks: whom enabling comes too early for, or who is moved where nobody logs in."""
        if action.verb == Verb.ENABLE_HA:
            return () if self._last.ha_enabled else of_enabling(sessions_back(self._group))
        if action.verb not in {Verb.FAILOVER, Verb.FALLBACK}:
            return ()
        node = self._servers[action.node]
        peer = next(server for name, server in self._servers.items() if name != action.node)
        request = "failover" if action.verb == Verb.FAILOVER else "fallback"
        return [english(sentence) for sentence in effects.shut_after(request, node, peer)]

    def do(self, action: Action) -> str | None:
        """Do it; return why it was refused at once, or None."""
        self._last.settled = False
        self._refused[action.text] = None
        try:
            deeds.do(action, self._group, self._servers)
        except Refused as error:
            self._refused[action.text] = error.rule
        if action.parameter:
            self._each = enterprise.clients().per_user
        if action.verb in PAUSE.sentences:
            self._paused_until = clock.lab_now() + action.seconds
        return self._refused[action.text]


def perform(
    scenarios: Sequence[Scenario],
    *,
    slack: float,
    together: int,
    done: Callable[[Playthrough], None],
) -> None:
    """Play scenarios on the running system: one after the other, or several at a time.

    Args:
        scenarios: What to play.
        slack: Wall seconds that the system may be late.
        together: How many at a time, where they allow it: with other parameters, or deeds that touch
            every group, a scenario is alone. If more than 1, the servers of each are named after its
            place among the scenarios.
        done: Called with each scenario that was played, before its servers are removed.

    Raises:
        CannotRun: The system is not running, or refuses what a scenario needs.

    """
    for scenario in scenarios:
        _check(scenario)
    try:
        with noticed(Path(scenarios[0].file).name):
            for batch in _batches(scenarios, together):
                _perform_batch(batch, slack, done)
    except bus.BusError as error:
        raise CannotRun(f"The system does not run: {error}") from None


def _batches(scenarios: Sequence[Scenario], most: int) -> list[list[tuple[Scenario, str]]]:
    """Return which scenarios are played at a time, each with what its servers' names end with."""
    if most < 2:
        return [[(scenario, "")] for scenario in scenarios]
    alike: dict[object, list[tuple[Scenario, str]]] = {}
    for number, scenario in enumerate(scenarios, 1):
        alone = any(verb in EVERYWHERE for verb in _verbs(scenario))
        given = {**scenario.parameters, **scenario.clients}
        key = number if alone else tuple(sorted(given.items()))
        alike.setdefault(key, []).append((scenario, f"-{number}"))
    return [
        some[start : start + most] for some in alike.values() for start in range(0, len(some), most)
    ]


def _perform_batch(
    batch: Sequence[tuple[Scenario, str]], slack: float, done: Callable[[Playthrough], None]
) -> None:
    with ExitStack() as stack:
        # Whatever else is refused in the end: each of these is tried.
        stack.callback(_put_back, (before := Parameters()).restore)
        stack.callback(_put_back, Functions().restore)
        try:
            before.use(batch[0][0])
            stages = [_stage(scenario, suffix, slack, stack) for scenario, suffix in batch]
        except Refused as error:
            raise CannotRun(f"The rehearsal cannot be set up: {error.rule}") from None
        _play(
            [Player(scenario, stage) for (scenario, _), stage in zip(batch, stages, strict=True)],
            stages,
            done,
        )


def _put_back(what: Callable[[], None]) -> None:
    """Undo a part of what the rehearsal made."""
    try:
        what()
    except Refused as error:
        raise CannotRun(
            f"What the rehearsal made could not be removed, or put back: {error.rule}"
        ) from None


def _stage(scenario: Scenario, suffix: str, slack: float, stack: ExitStack) -> LiveStage:
    cast = Cast(scenario, suffix)
    # Last made, first removed: the publisher goes when the others are gone.
    stack.callback(_put_back, cast.remove)
    return LiveStage(scenario, cast, slack * clock.rate())


def _play(
    players: Sequence[Player], stages: Sequence[LiveStage], done: Callable[[Playthrough], None]
) -> None:
    """Let all players go on after each look, until the last one is done."""
    last = watching.last_event()
    for stage in stages:
        stage.begin()
    playing = [(player, player.play()) for player in players]
    while playing:
        now, last, found = watching.watch([stage.group_id for stage in stages], last)
        for stage in stages:
            stage.see(now, found[stage.group_id])
        for player, steps in list(playing):
            try:
                next(steps)
            except StopIteration:
                playing.remove((player, steps))
                done(player.played)
        time.sleep(LOOK_SECONDS)


def _check(scenario: Scenario) -> None:
    for step in scenario.steps:
        if step.action is not None and step.action.verb in FAULTS and not settings.FAULT_LAB:
            raise CannotRun(
                f"{scenario.file}:{step.line}: {step.action.text} needs the Fault Lab: "
                "set FAULT_LAB=1 here, as for the system."
            )
    seen = observing.observer()
    if not seen.ok:
        raise CannotRun(f"The system does not run: {seen.sentence}")


def _verbs(scenario: Scenario) -> Iterator[str]:
    return (step.action.verb for step in scenario.steps if step.action is not None)
