"""Which failure of a test counts, where the tests are ready and run in forks."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.mutants import swapping, warm
from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.running import Cover, Fate

SLOW, PURE = "test_module.py::test_slow", "test_module.py::test_pure"
FAILS, PASSES = (Fate.KILLED, SLOW), (Fate.SURVIVED, None)


class Judge(warm._Judge):
    """Plays what forks say, one after the other, instead of making them."""

    def __init__(self, mutant: Mutant, cover: Cover, marks: dict[str, set[str]]) -> None:
        def tell(_mutant: Mutant, _fate: Fate) -> None:
            """Nobody asks."""

        super().__init__([mutant], cover, Path("last.log"), Path("test.sqlite3"), tell)
        self.answers: list[tuple[Fate | None, str | None]] = []
        self.tried: list[list[str]] = []
        items: dict[str, Any] = {
            test: SimpleNamespace(get_closest_marker=lambda name, of=of: name in of or None)
            for test, of in marks.items()
        }
        self._items = items

    def _try(self, tests: Any, codes: swapping.Codes, path: str) -> tuple[Fate | None, str | None]:
        self.tried.append([*tests, "as it was"] if not codes else [*tests])
        return self.answers.pop(0)


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Of one mutant, whose line two tests run: one of them waits for processes."""
    monkeypatch.chdir(tmp_path)
    Path("module.py").write_text("def one():\n    return 1\n")
    (mutant,) = mutants_of(Path("module.py"))
    cover = Cover(lines={"module.py": {2: {SLOW, PURE}}}, seconds={SLOW: 0.1, PURE: 0.2})
    return Judge(mutant, cover, {SLOW: {"process"}, PURE: set()})


def test_a_test_that_waits_for_processes_must_fail_twice(judge: Judge) -> None:
    judge.answers = [FAILS, PASSES, FAILS]
    assert judge._fate(judge.mutants[0]) is Fate.KILLED
    assert judge.tried == [[SLOW, PURE], [SLOW, "as it was"], [SLOW]]


def test_what_failed_once_only_leaves_the_mutant_to_the_others(judge: Judge) -> None:
    judge.answers = [FAILS, PASSES, PASSES, PASSES]
    assert judge._fate(judge.mutants[0]) is Fate.SURVIVED
    assert judge.tried[-1] == [PURE]


def test_any_other_test_needs_to_fail_but_once(judge: Judge) -> None:
    judge.answers = [(Fate.KILLED, PURE), PASSES]
    assert judge._fate(judge.mutants[0]) is Fate.KILLED


def test_a_test_that_fails_without_the_mutant_kills_nothing(judge: Judge) -> None:
    judge.answers = [FAILS, FAILS, PASSES]
    assert judge._fate(judge.mutants[0]) is Fate.SURVIVED
    assert judge.tried[-1] == [PURE]
