"""Change the product in one small place after the other, and print how many changes no test notices.

A change is a mutant: noticed, it is killed; else it survives. Each runs against the tests that run its
line. `make mutants ARGS='srm'` names areas; of all but `srm` a sample is taken, which `--seed` repeats.
"""

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants import running
from tests.mutants.mutations import mutants_of
from tests.mutants.running import Fate

KEPT = Path("var/mutants")
ALONE = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
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
    given = parser.parse_args()
    if unknown := set(given.areas) - set(AREAS):
        parser.error(f"no such area: {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}")
    running.preload()
    areas = given.areas or [*AREAS]
    scores = []
    for pure in (True, False):
        wanted = [area for area in areas if (area == "srm") is pure]
        if not wanted:
            continue
        options = PURE if pure else WHOLE
        tests = given.tests or (PURE_TESTS if pure else WHOLE_TESTS)
        folders = [str(AREAS[area]) for area in wanted]
        cover = running.measure(folders, [*options, *tests], KEPT / f"{wanted[0]}.json")
        for area in wanted:
            size = given.sample or (0 if pure else SAMPLE)
            scores.append(_judge(area, cover, options, random.Random(given.seed), size, given.file))
    _show(scores)


def _judge(
    area: str,
    cover: running.Cover,
    options: tuple[str, ...],
    dice: random.Random,
    size: int,
    part: str,
) -> Score:
    paths = [path for path in sorted(AREAS[area].rglob("*.py")) if part in str(path)]
    mutants = [mutant for path in paths for mutant in mutants_of(path)]
    score = Score(area, len(mutants))
    if size and size < len(mutants):
        mutants = sorted(dice.sample(mutants, size), key=lambda m: (m.path, m.line))
    began = time.monotonic()
    for mutant in mutants:
        fate = running.fate(mutant, cover, options, KEPT / "last.log")
        score.fates[fate] += 1
        if fate is not Fate.KILLED:
            print(f"{fate.value}: {mutant}", flush=True)
    print(f"{area}: {len(mutants)} mutants in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return score


def _show(scores: list[Score]) -> None:
    table = Table("Area", "Mutants", "Run", *(fate.value.capitalize() for fate in Fate), "Score")
    for score in scores:
        run, survived = score.fates.total(), score.fates[Fate.SURVIVED]
        share = f"{100 * (run - survived) / run:.1f} %" if run else "-"
        numbers = (score.mutants, run, *(score.fates[fate] for fate in Fate))
        table.add_row(score.area, *(f"{number:,}" for number in numbers), share)
    Console().print(table)


if __name__ == "__main__":
    main()
