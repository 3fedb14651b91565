"""Read a cluster from the text that its administrator collects, or ask it: ``manage.py import_cluster``."""

import io
import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser, no_translations

from redundancy.cluster import plan_report, report, writes
from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import Reading, read, read_streams
from redundancy.cluster.reader.sources import Unreadable
from redundancy.cluster.sharing import Leak, replace_names
from redundancy.cluster.snapshot import Snapshot
from redundancy.errors import Refused
from redundancy.management import applying, asking
from redundancy.management.joined import JoinedCommand
from redundancy.pull.sources import Source
from redundancy.srm.words import english


class Command(JoinedCommand):
    """Read files or ask a cluster, say what that tells, and keep it or make a lab of it where that is asked for."""

    help = (
        "Reads terminal logs, outputs, exports of users, log collections, and ZIP files of them, "
        "or asks a cluster by AXL or over SSH (docs/cluster.md), and reports what they tell of a cluster and what is wrong; --keep stores it, --apply makes a lab of it. "
        "Exit code 0: read, and done; 1: nothing in it tells of a cluster, or a file could not be read to its end; "
        "2: the input cannot be used, or what was asked for was refused or not confirmed."
    )
    requires_system_checks: list[str] = []
    unfit_code = 2

    def needs_tables(self, options: dict[str, Any]) -> bool:
        """Return whether the database is used: to read and report it is not."""
        return bool(options["apply"] or options["undo"] or options["keep"])

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("files", nargs="*", metavar="FILE", type=Path, help="file or folder")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="read and report only; with --apply: say what the lab would be",
        )
        parser.add_argument("--keep", action="store_true", help="report, and keep the snapshots")
        parser.add_argument(
            "--name",
            default="",
            help="with --keep: what the cluster is called; else as its first node",
        )
        parser.add_argument("--note", default="", help="with --keep: a note to the snapshots")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument(
            "--apply",
            action="store_true",
            help="replace the present lab by one that is as the files tell; asks first",
        )
        parser.add_argument(
            "--snapshot",
            type=int,
            metavar="N",
            help="with --apply: the Nth snapshot of several, as the report numbers them",
        )
        parser.add_argument(
            "--play-from-here",
            action="store_true",
            help="with --apply: groups begin in the states that are told, where they can; else their nodes start",
        )
        parser.add_argument(
            "--undo", action="store_true", help="put the lab back that --apply replaced; asks first"
        )
        parser.add_argument(
            "--replace-names",
            type=Path,
            metavar="OUT.zip",
            help="write a copy without hosts, domains, groups, users and addresses, to be given away",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        asking.add_arguments(parser)

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Read all of the input, report, and do what was asked for."""
        asked = asking.sources(options)
        if options["undo"]:
            if asked or any(
                options[name] for name in ("files", "apply", "dry_run", "keep", "replace_names")
            ):
                raise CommandError("--undo is given alone, or with --yes.", returncode=2)
            applying.put_back(self.stdout.write, yes=options["yes"])
            return
        if not options["files"] and not asked:
            raise CommandError(
                "Name at least one FILE, or a server: --axl HOST or --ssh HOST.", returncode=2
            )
        if not any(options[name] for name in ("dry_run", "keep", "apply", "replace_names")):
            raise CommandError(
                "Say what to do with it: --dry-run, --keep, --apply or --replace-names.",
                returncode=2,
            )
        if options["replace_names"] and any(options[n] for n in ("apply", "dry_run", "keep")):
            raise CommandError("--replace-names is given alone.", returncode=2)
        if options["keep"] and (options["apply"] or options["dry_run"]):
            raise CommandError("--keep is given without --apply and --dry-run.", returncode=2)
        if (options["name"] or options["note"]) and not options["keep"]:
            raise CommandError("--name and --note go with --keep.", returncode=2)
        reading = self._reading(asked, options)
        snapshots = assemble(reading)
        if options["replace_names"] is not None:
            self._replace_names(reading, snapshots, options["replace_names"])
            return
        if not options["json"]:
            for each in asked:
                self.stdout.write(english(each.trust))
        if options["apply"]:
            self._apply(reading, snapshots, options, asked)
            return
        if options["json"]:
            whole = {**report.data(reading, snapshots), **_asked(asked)}
            self.stdout.write(json.dumps(whole, indent=2))
        else:
            self.stdout.write("\n".join(report.text(reading, snapshots)))
        if snapshots and options["keep"]:
            self._keep(reading, snapshots, options)
        _check(reading, snapshots)

    def _reading(self, asked: list[Source], options: dict[str, Any]) -> Reading:
        try:
            if not asked:
                return read(options["files"])
            texts = asking.answers(asked, options)
            return read_streams((name, io.BytesIO(data)) for name, data in texts)
        except Unreadable as error:
            raise CommandError(f"{error.file}: {english(error.rule)}", returncode=2) from None

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

    def _apply(
        self,
        reading: Reading,
        snapshots: list[Snapshot],
        options: dict[str, Any],
        asked: list[Source],
    ) -> None:
        # Of a part of the input no lab is made.
        _check(reading, snapshots)
        snapshot = applying.chosen(snapshots, options["snapshot"])
        if options["json"] and not (options["yes"] or options["dry_run"]):
            raise CommandError(
                "With --json it does not ask: give --yes or --dry-run.", returncode=2
            )
        plan = applying.show(snapshot, None if options["json"] else self.stdout.write)
        if options["json"]:
            whole = {"plan": plan_report.data(plan), **_asked(asked)}
            self.stdout.write(json.dumps(whole, indent=2))
        if options["dry_run"]:
            if plan.refusals:
                raise CommandError("No lab can be made of it.", returncode=2)
            return
        name = ", ".join(Path(each).name for each in snapshot.files)[:100]
        replaced = applying.carry_out(
            plan, name=name, as_told=options["play_from_here"], yes=options["yes"]
        )
        if not options["json"]:
            self.stdout.write(f"Applied: {applying.words(replaced)}.")

    def _replace_names(self, reading: Reading, snapshots: list[Snapshot], out: Path) -> None:
        _check(reading, snapshots)
        try:
            copy = replace_names(reading)
        except Leak as leak:
            raise CommandError(english(leak.rule), returncode=2) from None
        try:
            with out.open("xb") as file:
                file.write(copy.zipped())
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise CommandError(f"{out}: it cannot be written: {why}.", returncode=2) from None
        self.stdout.write(
            f"Written: {out}. Lines that were not understood are left out: {copy.left_out:,}."
        )


def _asked(asked: list[Source]) -> dict[str, Any]:
    """Return which servers were asked, and why they were trusted, as JSON has it; nothing for files."""
    told = [
        {"kind": each.kind, "host": each.host, "port": each.port, "trust": english(each.trust)}
        for each in asked
    ]
    return {"asked": told} if told else {}


def _check(reading: Reading, snapshots: list[Snapshot]) -> None:
    """End with code 1 where nothing, or not all, could be read."""
    if not snapshots:
        raise CommandError("Nothing in it tells of a cluster.", returncode=1)
    if reading.refused or reading.dropped:
        raise CommandError("Not all of it was read.", returncode=1)
