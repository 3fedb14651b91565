"""Read a cluster from the text that its administrator collects: ``manage.py import_cluster FILE…``."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser, no_translations

from redundancy.cluster import report, writes
from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import Reading, read
from redundancy.cluster.reader.sources import Unreadable
from redundancy.cluster.snapshot import Snapshot
from redundancy.errors import Refused
from redundancy.management.joined import JoinedCommand
from redundancy.srm.words import english


class Command(JoinedCommand):
    """Read files and say what they tell of a cluster. With ``--keep`` the snapshots are kept; else no table is used."""

    help = (
        "Reads terminal logs, outputs, exports of users, log collections, and ZIP files of them "
        "(docs/cluster.md), and reports what they tell of a cluster and what is wrong. Exit code 0: read; 1: nothing "
        "in it tells of a cluster, or a file could not be read to its end; 2: the input cannot be used, or not be kept."
    )
    requires_system_checks: list[str] = []
    unfit_code = 2

    def needs_tables(self, options: dict[str, Any]) -> bool:
        """Return whether something is kept."""
        return bool(options["keep"])

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="file or folder")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="read and report only")
        what.add_argument("--keep", action="store_true", help="keep the snapshots, too")
        parser.add_argument(
            "--name", default="", help="what the cluster is called; without it, as its first node"
        )
        parser.add_argument("--note", default="", help="a note to the kept snapshots")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Read all of the input, and report."""
        if not (options["dry_run"] or options["keep"]):
            raise CommandError("Give --dry-run to read only, or --keep.", returncode=2)
        if (options["name"] or options["note"]) and not options["keep"]:
            raise CommandError("--name and --note go with --keep.", returncode=2)
        try:
            reading = read(options["files"])
        except Unreadable as error:
            raise CommandError(f"{error.file}: {english(error.rule)}", returncode=2) from None
        snapshots = assemble(reading)
        if options["json"]:
            self.stdout.write(json.dumps(report.data(reading, snapshots), indent=2))
        else:
            self.stdout.write("\n".join(report.text(reading, snapshots)))
        if snapshots and options["keep"]:
            self._keep(reading, snapshots, options)
        if not snapshots:
            raise CommandError("Nothing in it tells of a cluster.", returncode=1)
        if reading.refused or reading.dropped:
            raise CommandError("Not all of it was read.", returncode=1)

    def _keep(self, reading: Reading, snapshots: list[Snapshot], options: dict[str, Any]) -> None:
        """Keep what was read, all of it or nothing; say under which numbers, beside the report."""
        name, note, actor = options["name"], options["note"], "import_cluster"
        try:
            rows = writes.draft(reading=reading, snapshots=snapshots, name=name, actor=actor)
            kept = writes.keep(rows=rows, name=name, note=note, actor=actor)
        except Refused as refused:
            raise CommandError(english(refused.rule), returncode=2) from None
        for row in kept:
            self.stderr.write(f"Kept as snapshot:{row.pk}, {english(row.title)}")
