"""Read a cluster from the text that its administrator collects: ``manage.py import_cluster FILE…``."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from redundancy.cluster import report
from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import read
from redundancy.cluster.reader.sources import Unreadable
from redundancy.srm.words import english


class Command(BaseCommand):
    """Read files and say what they tell of a cluster. No table is read or written."""

    help = (
        "Reads terminal logs, outputs, exports of users, log collections, and ZIP files of them "
        "(docs/cluster.md), and reports what they tell of a cluster and what is wrong. Exit code 0: read; 1: nothing "
        "in it tells of a cluster, or a file could not be read to its end; 2: the input cannot be used."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="file or folder")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="read and report only; so far there is nothing else, and it must be given",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Read all of the input, and report."""
        if not options["dry_run"]:
            raise CommandError("Reading is all there is so far: give --dry-run.", returncode=2)
        try:
            reading = read(options["files"])
        except Unreadable as error:
            raise CommandError(f"{error.file}: {english(error.rule)}", returncode=2) from None
        snapshots = assemble(reading)
        if options["json"]:
            self.stdout.write(json.dumps(report.data(reading, snapshots), indent=2))
        else:
            self.stdout.write("\n".join(report.text(reading, snapshots)))
        if not snapshots:
            raise CommandError("Nothing in it tells of a cluster.", returncode=1)
        if reading.refused or reading.dropped:
            raise CommandError("Not all of it was read.", returncode=1)
