"""Compare a cluster before and after a change: ``manage.py compare_clusters BEFORE AFTER``."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from redundancy.cluster import change_report
from redundancy.cluster.assembling import assemble
from redundancy.cluster.comparing import Verdict, compare
from redundancy.cluster.reader.reading import Reading, read
from redundancy.cluster.reader.sources import Unreadable
from redundancy.cluster.snapshot import Snapshot
from redundancy.srm.words import english


class Command(BaseCommand):
    """Read two inputs and say what changed. No table is read or written."""

    help = (
        "Compares what two inputs tell of a cluster (docs/cluster.md): services, states, users, versions, parameters. "
        "Exit code 0: back as it was; 1: not; 2: it cannot be told, or an input cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        for name in ("before", "after"):
            parser.add_argument(
                name,
                metavar=name.upper(),
                help="file, ZIP file or folder; #N behind it names the Nth snapshot of several",
            )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Read both, compare, and report."""
        (one, before), (two, after) = (_snapshot(options[name]) for name in ("before", "after"))
        all_read = not (one.refused or one.dropped or two.refused or two.dropped)
        comparison = compare(before, after, all_read=all_read)
        if options["json"]:
            self.stdout.write(json.dumps(change_report.data(comparison, before, after), indent=2))
        else:
            self.stdout.write("\n".join(change_report.text(comparison, before, after)))
        if comparison.verdict is Verdict.NOT_BACK:
            raise CommandError("Not back as it was.", returncode=1)
        if comparison.verdict is Verdict.UNKNOWN:
            raise CommandError("It cannot be told whether it is back as it was.", returncode=2)


def _snapshot(given: str) -> tuple[Reading, Snapshot]:
    """Return the reading of an input, and the one snapshot that is meant."""
    name, number = given, ""
    if not Path(given).exists():
        name, _, number = given.rpartition("#")
    if number and not (number.isascii() and number.isdigit()):
        name, number = given, ""
    try:
        reading = read([Path(name or given)])
    except Unreadable as error:
        raise CommandError(f"{error.file}: {english(error.rule)}", returncode=2) from None
    snapshots = assemble(reading)
    if not snapshots:
        raise CommandError(f"{given}: Nothing in it tells of a cluster.", returncode=2)
    if not number and len(snapshots) > 1:
        raise CommandError(
            f"{given}: It holds {len(snapshots)} snapshots; name one, {given}#1 to {given}#{len(snapshots)}.",
            returncode=2,
        )
    place = int(number[:6]) if number else 1
    if not 1 <= place <= len(snapshots):
        raise CommandError(f"{given}: It holds {len(snapshots)} snapshot(s).", returncode=2)
    return reading, snapshots[place - 1]
