"""Compare a cluster before and after a change: ``manage.py compare_clusters BEFORE AFTER``."""

import json
import re
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser, no_translations

from redundancy.cluster import change_report, reads
from redundancy.cluster.assembling import assemble
from redundancy.cluster.comparing import Verdict, compare
from redundancy.cluster.document import Unusable
from redundancy.cluster.lab import LAB, lab_snapshot
from redundancy.cluster.reader.reading import read
from redundancy.cluster.reader.sources import Unreadable
from redundancy.cluster.snapshot import Snapshot
from redundancy.management.joined import JoinedCommand
from redundancy.models import ClusterSnapshot
from redundancy.srm.words import english

_KEPT = re.compile(r"snapshot:(\d{1,18})$")


class Command(JoinedCommand):
    """Read two inputs and say what changed. No table is written, and none is read for files."""

    help = (
        "Compares what two inputs tell of a cluster (docs/cluster.md): services, states, users, versions, parameters. "
        "Exit code 0: back as it was; 1: not; 2: it cannot be told, or an input cannot be used."
    )
    requires_system_checks: list[str] = []
    unfit_code = 2

    def needs_tables(self, options: dict[str, Any]) -> bool:
        """Return whether one of the two is in the database."""
        return any(_is_stored(options[name]) for name in ("before", "after"))

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        for name in ("before", "after"):
            parser.add_argument(
                name,
                metavar=name.upper(),
                help="file, ZIP file or folder, #N behind it names the Nth snapshot of several; snapshot:N: a kept "
                "one; lab: the lab now",
            )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Read both, compare, and report."""
        (before, one), (after, two) = (_snapshot(options[name]) for name in ("before", "after"))
        comparison = compare(before, after, all_read=one and two)
        if options["json"]:
            self.stdout.write(json.dumps(change_report.data(comparison, before, after), indent=2))
        else:
            self.stdout.write("\n".join(change_report.text(comparison, before, after)))
        if comparison.verdict is Verdict.NOT_BACK:
            raise CommandError("Not back as it was.", returncode=1)
        if comparison.verdict is Verdict.UNKNOWN:
            raise CommandError("It cannot be told whether it is back as it was.", returncode=2)


def _is_stored(given: str) -> bool:
    """Return whether the lab or a kept snapshot is meant; a file of that name goes before."""
    return not Path(given).exists() and (given == LAB or _KEPT.match(given) is not None)


def _stored(given: str) -> tuple[Snapshot, bool]:
    found = _KEPT.match(given)
    if found is None:
        return lab_snapshot(), True
    row = ClusterSnapshot.objects.filter(pk=int(found[1]), kept=True).first()
    if row is None:
        raise CommandError(f"{given}: There is no such snapshot.", returncode=2)
    try:
        return reads.whole(row), row.all_read
    except Unusable as error:
        raise CommandError(f"{given}: {error}", returncode=2) from None


def _snapshot(given: str) -> tuple[Snapshot, bool]:
    """Return the one snapshot that is meant, and whether all of its input was read."""
    if _is_stored(given):
        return _stored(given)
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
    return snapshots[place - 1], not (reading.refused or reading.dropped)
