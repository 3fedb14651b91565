"""Play random deeds at pairs, ten million by default, and judge each pair after every one (`make soak`).

An episode is a pair with HA enabled and a hundred deeds; it depends on the seed and its own number
only, so any of them is played again by ``--seed S --episode N``, which shows its timeline, and one
that was broken off goes on with ``--seed S --first N``. The result is the same however many
processes play.
"""

import argparse
import itertools
import multiprocessing
import os
import random
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.srm.trial import BEGINNINGS, DEEDS, Trial

STEPS_PER_EPISODE = 100
# How often a soak tells how far it is.
PROGRESS = 100
WEIGHTS = tuple(deed.weight for deed in DEEDS)


@dataclass(frozen=True, slots=True)
class Played:
    """What became of an episode.

    ``breach``: what was wrong, empty if nothing was. ``print``: a checksum of its history, by which
    two runs can be compared.
    """

    number: int
    steps: int
    breach: str
    print: int


def play(
    seed: int,
    number: int,
    steps: int = STEPS_PER_EPISODE,
    tell: Callable[[str], None] | None = None,
) -> Played:
    """Play one episode of so many steps, until the first breach. ``tell`` is told its timeline."""
    dice = random.Random(f"{seed}/{number}")
    beginning = {name: dice.choice(values) for name, values in BEGINNINGS.items()}
    trial = Trial(**beginning)
    if tell:
        tell(f"{0:12.3f}  a pair: {_arguments(beginning)}")
    told, step, breach = 0, 0, ""
    for step in range(1, steps + 1):
        deed, values = _choose(dice, trial)
        if tell:
            tell(f"{trial.sim.now:12.3f}  > {deed.name} {_arguments(values)}".rstrip())
        try:
            trial.do(deed, values)
        except Exception as error:
            # A table that does not settle, say, is a breach as any other.
            breach = f"step {step}, {deed.name}: {type(error).__name__}: {error}"
            if tell:
                tell(traceback.format_exc())
        if tell:
            for line in _history(trial, told):
                tell(line)
            told = len(trial.sim.history)
        if breach:
            break
    history = "\n".join(_history(trial, 0))
    return Played(number, step, breach, zlib.crc32(history.encode()))


def _choose(dice: random.Random, trial: Trial) -> tuple[Any, dict[str, Any]]:
    while True:
        (deed,) = dice.choices(DEEDS, WEIGHTS)
        if deed.fits(trial):
            return deed, {name: dice.choice(values) for name, values in deed.choices.items()}


def _arguments(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())


def _history(trial: Trial, begin: int) -> Iterator[str]:
    for entry in itertools.islice(trial.sim.history, begin, None):
        change = entry.change
        yield (
            f"{entry.at:12.3f}    {entry.node}: {change.new_state} / {change.new_reason}"
            f" - {change.sentence}"
        )


def soak(seed: int, steps: int, processes: int, first: int = 0) -> int:
    """Play episodes from ``first`` on until so many steps are done. Return the number of breaches."""
    whole, rest = divmod(steps, STEPS_PER_EPISODE)
    lengths = [STEPS_PER_EPISODE] * whole + [rest] * bool(rest)
    began, done, breaches, checksum = time.perf_counter(), 0, 0, 0
    with ExitStack() as stack:
        plays: Iterable[Played]
        if processes == 1:
            plays = map(partial(_play_one, seed), enumerate(lengths, first))
        else:
            # Not forked: the copy of a process with threads may hang.
            pool = stack.enter_context(multiprocessing.get_context("spawn").Pool(processes))
            plays = pool.imap(partial(_play_one, seed), enumerate(lengths, first), chunksize=10)
        for played in plays:
            done += played.steps
            checksum = zlib.crc32(f"{played.steps} {played.print}".encode(), checksum)
            if played.breach:
                breaches += 1
                _say(f"BREACH in episode {played.number}, {played.breach}")
                _say(f"  again: make soak ARGS='--seed {seed} --episode {played.number}'")
            if (played.number + 1 - first) % max(1, len(lengths) // PROGRESS) == 0:
                took = time.perf_counter() - began
                _progress(f"{done:,} steps, {took:.0f} s; --first {played.number + 1} goes on here")
    _progress(f"{time.perf_counter() - began:.0f} s with {processes} processes")
    _say(
        f"{done:,} steps in {len(lengths):,} episodes, seed {seed}: breaches: {breaches} "
        f"(checksum {checksum:08x})"
    )
    return breaches


def _play_one(seed: int, episode: tuple[int, int]) -> Played:
    return play(seed, *episode)


def _say(line: str) -> None:
    print(line, flush=True)


def _progress(line: str) -> None:
    """Tell what may differ from run to run."""
    print(line, file=sys.stderr, flush=True)


def main(words: list[str] | None = None) -> int:
    """Do what the command line asks for. Return 1 when there was a breach, else 0."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, help="of all episodes; default: a new one")
    parser.add_argument("--steps", type=int, default=10_000_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first episode")
    parser.add_argument("--episode", type=int, help="play this one only, and show its timeline")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(words)
    seed = random.SystemRandom().randrange(2**32) if given.seed is None else given.seed
    _say(f"seed {seed}")
    if given.episode is None:
        return int(soak(seed, given.steps, given.processes, given.first) > 0)
    played = play(seed, given.episode, tell=_say)
    _say(f"BREACH in episode {played.number}, {played.breach}" if played.breach else "no breach")
    return int(bool(played.breach))


if __name__ == "__main__":
    sys.exit(main())
