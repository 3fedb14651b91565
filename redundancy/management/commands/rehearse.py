"""Play scenario files: ``manage.py rehearse FILE…``."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser, no_translations

from redundancy.management.joined import JoinedCommand
from redundancy.rehearsal import format as files
from redundancy.rehearsal import live, report
from redundancy.rehearsal.runner import Playthrough
from redundancy.rehearsal.scenario import Scenario
from redundancy.rehearsal.virtual import play


class Command(JoinedCommand):
    """Play scenario files and say what held."""

    help = (
        "Plays scenario files (docs/rehearsals.md) and prints their timelines and expectations. "
        "Exit code 0: every expectation held; 1: one was missed; 2: a file, or the running system, "
        "cannot be used."
    )
    requires_system_checks: list[str] = []
    unfit_code = 2

    def needs_tables(self, options: dict[str, Any]) -> bool:
        """Return whether it is played on the running system: virtual time has no tables."""
        return bool(options["live"])

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path)
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument(
            "--live",
            action="store_true",
            help="play on the running system, at the rate of its lab clock, instead of in virtual time",
        )
        parser.add_argument(
            "--together",
            type=_from(1, 100, int),
            default=1,
            metavar="N",
            help="with --live: play up to N files at the same time; the third file's servers are named NAME-3",
        )
        parser.add_argument(
            "--slack",
            type=_from(0, 600, float),
            default=2.0,
            metavar="SECONDS",
            help="with --live: wall seconds that the system may be late (default: 2)",
        )

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Play every file, or none when one of them cannot be read."""
        try:
            scenarios = [files.load_scenario(path) for path in options["files"]]
        except files.BadFile as error:
            raise CommandError(str(error), returncode=2) from None
        played: list[Playthrough] = []

        def done(each: Playthrough) -> None:
            played.append(each)
            if not options["json"]:
                lines = report.text(each, live=options["live"])
                self.stdout.write("\n".join([*lines, ""]))
                self.stdout.flush()

        if options["live"]:
            _perform(scenarios, slack=options["slack"], together=options["together"], done=done)
        else:
            for scenario in scenarios:
                done(play(scenario))
        held = all(each.held for each in played)
        if options["json"]:
            documents = [report.data(each, live=options["live"]) for each in played]
            self.stdout.write(json.dumps({"held": held, "rehearsals": documents}, indent=2))
        if not held:
            missed = [each.scenario.file for each in played if not each.held]
            raise CommandError(f"Missed: {', '.join(missed)}", returncode=1)


def _from(low: float, high: float, kind: Callable[[str], float]) -> Callable[[str], float]:
    """Return a reader of an option's number that takes only those from ``low`` to ``high``."""

    def read(text: str) -> float:
        number = kind(text)
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"must be from {low:g} to {high:g}, not {text}")
        return number

    return read


def _perform(
    scenarios: Sequence[Scenario],
    *,
    slack: float,
    together: int,
    done: Callable[[Playthrough], None],
) -> None:
    # Told to end, it still removes what it made.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        live.perform(scenarios, slack=slack, together=together, done=done)
    except live.CannotRun as error:
        raise CommandError(str(error), returncode=2) from None
    finally:
        signal.signal(signal.SIGTERM, before)
