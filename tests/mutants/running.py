"""Runs tests against a mutant, in a fork of this process that has never seen the product's modules."""

import contextlib
import importlib.abc
import importlib.util
import json
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
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
# Tests that are tried first, and seconds of tests that are tried at all.
FIRST, LIMIT = 25, 60
NO_TESTS = 5

hypothesis.settings.register_profile("mutants", derandomize=True, database=None)


class Fate(Enum):
    """What becomes of a mutant. STOPPED: its tests took far too much time or memory, and were stopped."""

    KILLED = "killed"
    STOPPED = "stopped"
    SURVIVED = "survived"


@dataclass
class Cover:
    """Which tests run which lines. ``lines``: file → line → tests; ``seconds``: test → of CPU, watched.

    ``kills``: test → how many mutants it has noticed so far.
    """

    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    def tests_of(self, mutant: Mutant, limit: float) -> list[str]:
        """Return the tests that may notice a mutant, the likeliest first, of ``limit`` seconds together.

        A line that no test runs is one that runs when its file is imported: it may concern them all.
        """
        tests = self.lines.get(str(mutant.path), {}).get(mutant.line) or self.seconds.keys()
        chosen: list[str] = []
        sum_ = 0.0
        for test in sorted(tests, key=lambda test: (-self.kills[test], self.seconds[test], test)):
            sum_ += self.seconds[test]
            if chosen and sum_ > limit:
                break
            chosen.append(test)
        return chosen


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
            str(Path(file).relative_to(Path.cwd())): {
                line: sorted(filter(None, tests))
                for line, tests in data.contexts_by_lineno(file).items()
                if any(tests)
            }
            for file in data.measured_files()
        }
        kept.write_text(json.dumps({"lines": lines, "seconds": recorder.seconds}))
        return int(code)

    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.unlink(missing_ok=True)
    if _forked(run, kept.with_suffix(".log"), 3600) or not kept.exists():
        sys.exit(f"tests fail without a mutant: see {kept.with_suffix('.log')}")
    return read(kept)


def read(kept: Path) -> Cover:
    """Return what ``measure`` kept."""
    data = json.loads(kept.read_text())
    lines = {
        file: {int(line): set(tests) for line, tests in by_line.items()}
        for file, by_line in data["lines"].items()
    }
    return Cover(lines, data["seconds"])


def fate(mutant: Mutant, cover: Cover, options: Sequence[str], log: Path) -> Fate:
    """Return what the tests that may notice a mutant make of it."""
    tests = cover.tests_of(mutant, LIMIT)
    changed = _Changed(mutant)
    # The likeliest first: most mutants need no look at the others, not even their import.
    for batch in filter(None, (tests[:FIRST], tests[FIRST:])):

        def run(batch: Sequence[str] = batch) -> int:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            sys.meta_path.insert(0, changed)
            code = int(pytest.main([*options, "-x", *batch]))
            return 0 if code == NO_TESTS else code

        status = _forked(run, log, 4 + 3 * sum(cover.seconds[test] for test in batch))
        if os.WIFSIGNALED(status):
            return Fate.STOPPED
        if status:
            failed = re.findall(r"^FAILED (.*?)(?: - .*)?$", log.read_text(errors="replace"), re.M)
            cover.kills.update(failed)
            return Fate.KILLED
    return Fate.SURVIVED


def _forked(run: Callable[[], int], log: Path, limit: float) -> int:
    """Return how a fork ends that does ``run`` in ``limit`` seconds of CPU, as ``os.waitpid`` tells it."""
    with tempfile.TemporaryDirectory(
        prefix="cucm-admin-test-", ignore_cleanup_errors=True
    ) as folder:
        child = os.fork()
        if not child:
            _play(run, log, limit, folder)
        status = os.waitpid(child, 0)[1]
        with contextlib.suppress(ProcessLookupError):
            # What the tests started and a time limit left behind.
            os.killpg(child, signal.SIGKILL)
    return status


def _play(run: Callable[[], int], log: Path, limit: float, folder: str) -> NoReturn:
    code = 70
    try:
        os.setpgid(0, 0)
        os.environ["VAR_DIR"] = folder
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        signal.setitimer(signal.ITIMER_PROF, limit)
        # For one that sleeps; the machine may have others to serve.
        signal.alarm(int(20 * limit))
        hypothesis.settings.load_profile("mutants")
        code = run()
    finally:
        os._exit(code)
