"""Judges mutants in forks of one process that has everything ready: tests collected, database migrated."""

import gc
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from tests.mutants import running, swapping
from tests.mutants.mutations import Mutant
from tests.mutants.running import Cover, Fate

# How a fork ends whose mutant needs an import; 0: no test failed, 1: one did.
UNFIT = 2
# Seconds of CPU that a fork may take before its first test.
START = 10.0
Told = Callable[[Mutant, Fate], None]


def fates(
    mutants: Sequence[Mutant],
    cover: Cover,
    options: Sequence[str],
    log: Path,
    database: Path | None,
    tell: Told,
) -> list[Fate | None]:
    """Return the fate of each mutant, None of one that needs an import; ``tell`` it at once, too.

    Afterwards the tests know how many mutants they noticed, and ``database`` is a migrated one (None:
    the tests are pure, and have neither a database nor a data folder).

    Raises:
        SystemExit: There is no way to judge; the log says why.
    """
    answer = log.with_name("fates.json")
    answer.unlink(missing_ok=True)

    def run() -> int:
        judge = _Judge(mutants, cover, log, database, tell)
        # Nothing is captured: a fork writes into a log of its own.
        files = sorted({test.partition("::")[0] for test in cover.seconds})
        code = pytest.main([*options, "-s", running.UNSEEN, *files], plugins=[judge])
        found = [fate and fate.value for fate in judge.fates]
        answer.write_text(json.dumps([found, cover.kills]))
        return int(code)

    ready = log.with_name("ready.log")
    if running.forked(run, ready, None) or not answer.exists():
        sys.exit(f"mutants cannot be judged: see {ready}")
    found, kills = json.loads(answer.read_text())
    cover.kills = Counter(kills)
    return [fate and Fate(fate) for fate in found]


class _Judge:
    """A plugin of pytest that judges mutants instead of running the tests once."""

    def __init__(
        self,
        mutants: Sequence[Mutant],
        cover: Cover,
        log: Path,
        database: Path | None,
        tell: Told,
    ) -> None:
        self.mutants, self.cover, self.tell = mutants, cover, tell
        self.log, self.database = log, database
        self.fates: list[Fate | None] = []
        self._items: dict[str, pytest.Item] = {}
        self._functions: swapping.Functions = {}
        # Tests that were seen to pass without any change, in a fork of their own; and those that fail.
        self._sound: set[str] = set()
        self._unsound: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        measured = self.cover.seconds
        self._items = {item.nodeid: item for item in session.items if item.nodeid in measured}
        if self.database:
            self._make_database(self.database)
        self._functions = swapping.loaded_functions()
        gc.freeze()
        for mutant in self.mutants:
            fate = self._fate(mutant)
            self.fates.append(fate)
            if fate:
                self.tell(mutant, fate)
        return True

    def _make_database(self, kept: Path) -> None:
        """Let one test make the database, and keep a copy of it."""
        made = Path(settings.DATABASES["default"]["TEST"]["NAME"])
        tests = [test for test in self._items.values() if test.get_closest_marker("database")]
        for test in sorted(tests, key=lambda test: self.cover.seconds[test.nodeid]):
            test.config.hook.pytest_runtest_protocol(item=test, nextitem=_another(test))
            # Else it was skipped.
            if made.exists():
                break
        connections.close_all()
        shutil.copyfile(made, kept)

    def _fate(self, mutant: Mutant) -> Fate | None:
        if self.cover.is_imported(mutant):
            return None
        tests = [test for test in self.cover.tests_of(mutant) if test in self._items]
        try:
            codes = swapping.new_codes(mutant)
        except swapping.Unfit:
            return None
        path = str(mutant.path.absolute())
        while True:
            tests = [test for test in tests if test not in self._unsound]
            if not tests:
                return Fate.SURVIVED
            fate, culprit = self._try(tests, codes, path)
            if fate is not Fate.KILLED or culprit is None:
                break
            if self._is_sound(culprit):
                if self._fails_again(culprit, codes, path):
                    break
                tests.remove(culprit)
        if culprit:
            self.cover.kills[culprit] += 1
        return fate

    def _fails_again(self, test: str, codes: swapping.Codes, path: str) -> bool:
        """Return whether a test that failed once does so always: one that waits for processes may not."""
        if not self._items[test].get_closest_marker("process"):
            return True
        return self._try([test], codes, path)[0] is Fate.KILLED

    def _is_sound(self, test: str) -> bool:
        """Return whether a test passes by itself where nothing was changed."""
        if test not in self._sound:
            if self._try([test], [], "")[0] is not Fate.SURVIVED:
                self._unsound.add(test)
                print(f"fails without a mutant, left out: {test}", file=sys.stderr)
                return False
            self._sound.add(test)
        return True

    def _try(
        self, tests: Sequence[str], codes: swapping.Codes, path: str
    ) -> tuple[Fate | None, str | None]:
        """Return what the tests make of new code, and which of them noticed it."""
        told = self.log.with_suffix(".json")
        told.unlink(missing_ok=True)
        outcome = running.Outcome()

        def run() -> int:
            running.limit_memory()
            try:
                swapping.swap(codes, self._functions.get(path, []))
            except swapping.Unfit:
                return UNFIT
            items = [self._items[test] for test in tests]
            items[0].config.pluginmanager.register(outcome)
            for item, following in zip(items, [*items[1:], _another(items[0])], strict=True):
                # Each for itself: one that finds no end is stopped soon, however many there are.
                running.limit_time(1 + 5 * self.cover.seconds[item.nodeid])
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if outcome.failed:
                    break
            told.write_text(json.dumps(outcome.failed[:1]))
            return int(bool(outcome.failed))

        if self.database:
            self._restore(self.database)
        status = running.forked(run, self.log, START)
        if os.WIFSIGNALED(status):
            return running.stopped_by(status), None
        match os.waitstatus_to_exitcode(status):
            case 0:
                return Fate.SURVIVED, None
            case 1:
                return Fate.KILLED, json.loads(told.read_text())[0]
        return None, None

    def _restore(self, database: Path) -> None:
        """Leave nothing in the data folder but the database, as it was when everything was ready."""
        made = Path(settings.DATABASES["default"]["TEST"]["NAME"])
        for path in settings.VAR_DIR.iterdir():
            if path.is_dir() and path != settings.STATIC_ROOT:
                shutil.rmtree(path)
            elif path.is_file() and path != made:
                path.unlink()
        shutil.copyfile(database, made)


def _another(test: pytest.Item) -> Any:
    """Return what stands for a following test of another file: what the session shares is kept for it."""
    return SimpleNamespace(listchain=lambda: [test.session])
