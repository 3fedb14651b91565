"""Runs tests against a mutant, in a fork of this process that has never seen the product's modules."""

import ast
import contextlib
import importlib.abc
import importlib.util
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import coverage
import hypothesis
import pytest

from tests.mutants.mutations import Mutant

# Imported once here instead of in each fork. None of them may import the product.
PRELOADED = (
    "django.core.management",
    "django.db.models",
    "django.contrib.admin",
    "hypothesis.stateful",
)
MEMORY = 3 << 30
# Nobody reads how a test failed, and showing it takes longer than most tests.
UNSEEN = "--tb=no"
# Tests that are tried first, and seconds of tests that are tried at all.
FIRST, LIMIT = 10, 60

# A test that fails only because the machine is slow would be taken for one that notices the mutant.
hypothesis.settings.register_profile(
    "mutants",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)


class Fate(Enum):
    """What becomes of a mutant.

    STOPPED: its tests took far too much CPU time, and were stopped. UNKNOWN: they came to no end, but used
    little of the processor: they wait for something, or the machine had no room for them.
    """

    KILLED = "killed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    SURVIVED = "survived"


@dataclass
class Cover:
    """Which tests run which lines. ``lines``: file → line → tests; ``seconds``: test → of CPU, watched.

    ``imported``: file → lines that run while it is imported. ``kills``: test → how many mutants it has
    noticed so far. ``limit``: seconds of tests that one mutant is tried with.
    """

    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    imported: dict[str, set[int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    limit: float = LIMIT

    def is_imported(self, mutant: Mutant) -> bool:
        """Return whether the place of a mutant runs while its file is imported."""
        lines = self.imported.get(str(mutant.path), set())
        return not lines.isdisjoint(statement_of(mutant.path, mutant.line))

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that may notice a mutant, the likeliest first, within the limit.

        What runs when its file is imported may concern all tests: those of its file are tried first.
        """
        by_line = self.lines.get(str(mutant.path), {})
        lines = statement_of(mutant.path, mutant.line)
        tests = set[str]().union(*(by_line.get(line, ()) for line in lines))
        near = set[str]()
        if not tests and self.is_imported(mutant):
            near = set[str]().union(*by_line.values())
            tests = {*self.seconds}
        chosen: list[str] = []
        sum_ = 0.0

        def rank(test: str) -> tuple[bool, float, str]:
            # By how many a test may notice in a second.
            return test not in near, -(1 + self.kills[test]) / (0.05 + self.seconds[test]), test

        for test in sorted(tests, key=rank):
            sum_ += self.seconds[test]
            if chosen and sum_ > self.limit:
                break
            chosen.append(test)
        return chosen


def statement_of(path: Path, line: int) -> range:
    """Return the lines of the innermost statement that a line belongs to, without its block.

    Not every line of a long statement is one that Python counts as run.
    """
    return min(
        (lines for lines in _statements(path) if line in lines),
        key=len,
        default=range(line, line + 1),
    )


@cache
def _statements(path: Path) -> list[range]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            first = node.pattern if isinstance(node, ast.match_case) else node
            body = getattr(node, "body", None)
            last = node if not body else None
            assert first.lineno
            end = (
                last.end_lineno
                if isinstance(last, ast.stmt)
                else body[0].lineno - 1
                if body
                else None
            )
            found.append(range(first.lineno, max(first.lineno, end or 0) + 1))
    return found


class _Recorder:
    """Tells coverage which test runs, and how long each takes."""

    def __init__(self, measure: coverage.Coverage) -> None:
        self.measure = measure
        self.seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self.measure.switch_context(item.nodeid)
        began = time.process_time()
        result = yield
        self.seconds[item.nodeid] += time.process_time() - began
        self.measure.switch_context("")
        return result


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module of the product as its mutant."""

    def __init__(self, mutant: Mutant) -> None:
        self.path = mutant.path.absolute()
        self.code = compile(mutant.source, self.path, "exec")
        self.name = ".".join(mutant.path.with_suffix("").parts).removesuffix(".__init__")

    def find_spec(self, name: str, _path: Any, _target: Any = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


def preload() -> None:
    """Import what every fork needs."""
    for name in PRELOADED:
        importlib.import_module(name)
    seen = [name for name in sys.modules if name.partition(".")[0] in ("redundancy", "topology")]
    assert not seen, f"a fork would not import {seen} again"


def measure(sources: Iterable[str], options: Sequence[str], kept: Path) -> Cover:
    """Run the tests once, and return which of them run which lines of ``sources`` (folders).

    Raises:
        SystemExit: A test fails without any change.
    """

    def run() -> int:
        watch = coverage.Coverage(data_file=None, source=[*sources])
        recorder = _Recorder(watch)
        watch.start()
        code = pytest.main([*options], plugins=[recorder])
        watch.stop()
        data = watch.get_data()
        lines = {
            str(Path(file).relative_to(Path.cwd())): data.contexts_by_lineno(file)
            for file in data.measured_files()
        }
        kept.write_text(json.dumps({"lines": lines, "seconds": recorder.seconds}))
        return int(code)

    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.unlink(missing_ok=True)
    if forked(run, kept.with_suffix(".log"), 3600) or not kept.exists():
        sys.exit(f"tests fail without a mutant: see {kept.with_suffix('.log')}")
    return read(kept)


def read(kept: Path) -> Cover:
    """Return what ``measure`` kept."""
    data = json.loads(kept.read_text())
    cover = Cover(seconds=data["seconds"])
    for file, by_line in data["lines"].items():
        # What runs outside of tests has no name.
        cover.lines[file] = {int(line): {*tests} - {""} for line, tests in by_line.items()}
        cover.imported[file] = {int(line) for line, tests in by_line.items() if "" in tests}
    return cover


class Outcome:
    """A plugin that notes what failed, and how many tests passed."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.passed = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed += report.when == "call" and report.passed
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


class _Choice:
    """A plugin that leaves of the tests of some files those that were asked for, in their order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.tests = tests

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        place = {test: number for number, test in enumerate(self.tests)}
        items[:] = sorted(
            (item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid]
        )


def fate(
    mutant: Mutant, cover: Cover, options: Sequence[str], log: Path, database: Path | None = None
) -> Fate:
    """Return what the tests that may notice a mutant make of it, where it is imported anew.

    ``database``: a migrated one for the tests to begin with.
    """
    tests = cover.tests_of(mutant)
    changed = _Changed(mutant)
    told = log.with_suffix(".json")
    # The likeliest first: most mutants need no look at the others, not even their import.
    for batch in filter(None, (tests[:FIRST], tests[FIRST:])):

        def run(batch: Sequence[str] = batch) -> int:
            limit_memory()
            sys.meta_path.insert(0, changed)
            begun = []
            if database and database.exists():
                shutil.copyfile(database, Path(os.environ["VAR_DIR"], database.name))
                begun = ["--reuse-db"]
            outcome = Outcome()
            files = sorted({test.partition("::")[0] for test in batch})
            code: int = pytest.ExitCode.USAGE_ERROR
            with contextlib.suppress(Exception):
                code = pytest.main(
                    [*options, *begun, UNSEEN, "-x", *files], plugins=[outcome, _Choice(batch)]
                )
            told.write_text(json.dumps(outcome.failed))
            # Not even the configuration of the tests can import the product.
            broken = code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR)
            return int(bool(outcome.failed) or broken)

        told.write_text("[]")
        status = forked(run, log, 4 + 3 * sum(cover.seconds[test] for test in batch))
        if os.WIFSIGNALED(status):
            return stopped_by(status)
        assert os.waitstatus_to_exitcode(status) in (0, 1), log
        if status:
            cover.kills.update(json.loads(told.read_text()))
            return Fate.KILLED
    return Fate.SURVIVED


def stopped_by(status: int) -> Fate:
    """Return the fate of a mutant whose fork a signal has ended, by what ``os.waitpid`` tells.

    The wall clock (SIGALRM) and a kernel short of memory (SIGKILL) may speak of other work on this machine.
    """
    load = (signal.SIGALRM, signal.SIGKILL)
    return Fate.UNKNOWN if os.WTERMSIG(status) in load else Fate.STOPPED


def limit_memory() -> None:
    """Let a mutant that takes ever more memory fail."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def end_with_forks() -> None:
    """Let SIGTERM end this process as Ctrl-C does: its forks, and theirs, end with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def limit_time(seconds: float) -> None:
    """End this process when it has worked for so many seconds of CPU from now on."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    # For one that sleeps; the machine may have others to serve.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(60 * seconds))


def forked(run: Callable[[], int], log: Path, limit: float | None) -> int:
    """Return how a fork ends that does ``run`` in ``limit`` seconds of CPU, as ``os.waitpid`` tells."""
    with tempfile.TemporaryDirectory(
        prefix="cucm-admin-test-", ignore_cleanup_errors=True
    ) as folder:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            _play(run, log, limit, folder)
        try:
            return os.waitpid(child, 0)[1]
        except KeyboardInterrupt:
            # It may have forks of its own.
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                # What the tests started and a time limit left behind.
                os.killpg(child, signal.SIGKILL)


def _play(run: Callable[[], int], log: Path, limit: float | None, folder: str) -> NoReturn:
    code = 70
    try:
        os.setpgid(0, 0)
        os.environ["VAR_DIR"] = folder
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        if limit is not None:
            limit_time(limit)
        hypothesis.settings.load_profile("mutants")
        code = run()
    finally:
        os._exit(code)
