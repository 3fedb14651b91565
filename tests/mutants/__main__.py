"""Change the product in one small place after the other, and print how many changes no test notices.

A change is a mutant: noticed, it is killed; else it survives. Each runs against the tests that run its
line. `make mutants ARGS='srm'` names areas; of all but `srm` a sample is taken, which `--seed` repeats.
"""

import argparse
import gc
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants import running, warm
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.running import Fate

KEPT = Path("var/mutants")
# What the tests of a mutant may take is counted in CPU time, so no other limit stops them.
ALONE = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--timeout=0")
# SRM is pure, and so are its tests. Left out: the soak, which is long, and the comparison of the table
# with its own document, which sees every change and judges none.
PURE = (
    *ALONE,
    *("-p", "no:django", "--noconftest"),
    *("--deselect", "tests/srm/test_soak.py"),
    *("--deselect", "tests/srm/test_table.py::test_the_documentation_is_the_table"),
)
PURE_TESTS = ("tests/srm", "tests/trace/test_lines.py")
WHOLE = (*ALONE, "-m", "not live and not browser and not long")
WHOLE_TESTS = ("tests",)
AREAS = {
    name: Path("redundancy", name)
    for name in (
        "srm",
        "operations",
        "live",
        "selectors",
        "history",
        "parameters",
        "planned",
        "imports",
        "alarms",
        "traces",
        "monitor",
        "faultlab",
    )
}
SAMPLE = 60


@dataclass
class Score:
    """What became of the mutants of an area."""

    area: str
    mutants: int
    fates: Counter[Fate] = field(default_factory=Counter)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument(
        "areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}; default: all"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the samples; default: 1")
    parser.add_argument(
        "--sample", type=int, help=f"mutants of an area; default: {SAMPLE}, of srm all"
    )
    parser.add_argument("--file", default="", help="only of files whose path contains this")
    parser.add_argument(
        "--tests", nargs="+", help="files or folders of tests; default: all that fit"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=running.LIMIT,
        help=f"seconds of tests that a mutant is tried with; default: {running.LIMIT}",
    )
    parser.add_argument(
        "--measured",
        action="store_true",
        help="trust what the last run has measured: no line has moved, no test is new",
    )
    given = parser.parse_args()
    if unknown := set(given.areas) - set(AREAS):
        parser.error(f"no such area: {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}")
    running.end_with_forks()
    running.preload()
    (KEPT / "fates.txt").unlink(missing_ok=True)
    areas = given.areas or [*AREAS]
    scores = []
    for pure in (True, False):
        wanted = [area for area in areas if (area == "srm") is pure]
        if not wanted:
            continue
        options = PURE if pure else WHOLE
        tests = given.tests or (PURE_TESTS if pure else WHOLE_TESTS)
        folders = [str(AREAS[area]) for area in AREAS if (area == "srm") is pure]
        kept = KEPT / ("srm.json" if pure else "others.json")
        if not given.measured or not kept.exists():
            running.measure(folders, [*options, *tests], kept)
        cover = running.read(kept)
        cover.limit = given.limit
        size = given.sample or (0 if pure else SAMPLE)
        samples = {
            area: _sample(area, random.Random(given.seed), size, given.file) for area in wanted
        }
        mutants = [mutant for chosen, _ in samples.values() for mutant in chosen]
        began, worked = time.monotonic(), _worked()
        fates = iter(_judge(mutants, cover, options, None if pure else KEPT / "test.sqlite3"))
        for area, (chosen, all_) in samples.items():
            scores.append(Score(area, all_, Counter(islice(fates, len(chosen)))))
        took = f"{time.monotonic() - began:.0f} s, {_worked() - worked:.0f} s of CPU"
        print(f"{len(mutants)} mutants in {took}", file=sys.stderr)
    _show(scores)


def _worked() -> float:
    """Return the seconds of CPU that the forks have taken."""
    used = os.times()
    return used.children_user + used.children_system


def _sample(area: str, dice: random.Random, size: int, part: str) -> tuple[list[Mutant], int]:
    """Return the mutants of an area that are judged, and how many there are."""
    paths = [path for path in sorted(AREAS[area].rglob("*.py")) if part in str(path)]
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    if not size or size >= len(mutants):
        return mutants, len(mutants)
    chosen = sorted(dice.sample(mutants, size), key=lambda m: (m.path, m.line))
    return chosen, len(mutants)


def _judge(
    mutants: list[Mutant], cover: running.Cover, options: tuple[str, ...], database: Path | None
) -> list[Fate]:
    """Judge what differs in functions only in a process that is ready, and then all else."""
    # Beside the output of the tests.
    out = os.dup(sys.stdout.fileno())

    def tell(mutant: Mutant, fate: Fate) -> None:
        _tell(mutant, fate, out)

    found = warm.fates(mutants, cover, options, KEPT / "last.log", database, tell)
    os.close(out)
    # The forks need not look for garbage among thousands of syntax trees.
    gc.freeze()
    return [
        fate or _judge_one(mutant, cover, options, database)
        for mutant, fate in zip(mutants, found, strict=True)
    ]


def _judge_one(
    mutant: Mutant, cover: running.Cover, options: tuple[str, ...], database: Path | None
) -> Fate:
    fate = running.fate(mutant, cover, options, KEPT / "last.log", database)
    _tell(mutant, fate, sys.stdout.fileno())
    return fate


def _tell(mutant: Mutant, fate: Fate, out: int) -> None:
    """Print what was not killed; the fates of all are kept in a file, to be followed."""
    line = f"{fate.value}: {mutant}\n"
    with (KEPT / "fates.txt").open("a") as kept:
        kept.write(line)
    if fate is not Fate.KILLED:
        os.write(out, line.encode())


def _show(scores: list[Score]) -> None:
    table = Table("Area", "Mutants", "Run", *(fate.value.capitalize() for fate in Fate), "Score")
    for score in scores:
        run = score.fates.total()
        noticed = score.fates[Fate.KILLED] + score.fates[Fate.STOPPED]
        share = f"{100 * noticed / run:.1f} %" if run else "-"
        numbers = (score.mutants, run, *(score.fates[fate] for fate in Fate))
        table.add_row(score.area, *(f"{number:,}" for number in numbers), share)
    Console().print(table)


if __name__ == "__main__":
    main()
