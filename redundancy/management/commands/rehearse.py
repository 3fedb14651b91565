"""Play scenario files: ``manage.py rehearse FILE…``."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from redundancy.rehearsal import format as files
from redundancy.rehearsal import report
from redundancy.rehearsal.runner import Played, Player
from redundancy.rehearsal.scenario import Scenario
from redundancy.rehearsal.virtual import VirtualStage


class Command(BaseCommand):
    """Play scenario files and say what held."""

    help = (
        "Plays scenario files (docs/rehearsals.md) and prints their timelines and expectations. "
        "Exit code 0: every expectation held; 1: one was missed; 2: a file cannot be used."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path)
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Play every file, or none when one of them cannot be read."""
        try:
            scenarios = [files.load(path) for path in options["files"]]
        except files.BadFile as error:
            raise CommandError(str(error), returncode=2) from None
        played = [play(scenario) for scenario in scenarios]
        self._report(played, as_json=options["json"])
        missed = [each.scenario.file for each in played if not each.held]
        if missed:
            raise CommandError(f"Missed: {', '.join(missed)}", returncode=1)

    def _report(self, played: list[Played], *, as_json: bool) -> None:
        if as_json:
            documents = [report.data(each, live=False) for each in played]
            held = all(each.held for each in played)
            self.stdout.write(json.dumps({"held": held, "rehearsals": documents}, indent=2))
            return
        for each in played:
            self.stdout.write("\n".join([*report.text(each, live=False), ""]))


def play(scenario: Scenario) -> Played:
    """Play a scenario in virtual time."""
    player = Player(scenario, VirtualStage(scenario))
    for _ in player.play():
        pass
    return player.played
