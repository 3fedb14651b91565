"""Look at a real cluster, read only: ``manage.py watch_cluster``."""

import signal
import sys
import threading
from typing import Any

from django.core.management.base import CommandError, CommandParser, no_translations
from django.db import Error
from django.utils import timezone

from cucm_admin import joining
from redundancy.management.joined import JoinedCommand
from redundancy.models import ClusterWatch
from redundancy.outage import OutageLog
from redundancy.srm.words import english
from redundancy.watch import reporting, watching
from redundancy.watch.configured import Watched, watched

# Wall seconds between two looks at whether one is due.
LOOK = 5.0


class Command(JoinedCommand):
    """Look once, or for ever, and say what came of it."""

    help = (
        "Looks at the real cluster that WATCH_HOST names, each WATCH_MINUTES, and keeps a snapshot where something is "
        "different (docs/cluster.md). It asks only, and changes nothing there. Exit code of --once 0: seen; 1: it failed; "
        "2: the settings name no cluster, or no interval."
    )
    requires_system_checks: list[str] = []
    unfit_code = 2
    serves = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--once", action="store_true", help="look once, now, and end")
        parser.add_argument(
            "--report",
            action="store_true",
            help="print the report on how it was last seen, without a look, and end: exit code 0: nothing is to be seen "
            "to; 1: something is; 2: it cannot be told",
        )

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Look."""
        at = watched()
        if at is None:
            raise CommandError("WATCH_HOST: must name the cluster to be watched.", returncode=2)
        if options["report"]:
            self._report(at, once=options["once"])
            return
        if options["once"]:
            self._once(at)
            return
        if not at.minutes:
            raise CommandError(
                "WATCH_MINUTES: must be 1 or more, or give --once to look once.", returncode=2
            )
        self._for_ever(at)

    def _once(self, at: Watched) -> None:
        row = watching.look(at)
        if row is None:
            raise CommandError("Another process began a look at the same moment.", returncode=1)
        self.stdout.write(told(row))
        if row.failure:
            sys.exit(1)

    def _report(self, at: Watched, *, once: bool) -> None:
        if once:
            raise CommandError("--report is given alone.", returncode=2)
        row = ClusterWatch.objects.filter(source=at.label).first()
        if row is None:
            raise CommandError("It was never looked at: give --once first.", returncode=2)
        now = timezone.now()
        self.stdout.write(reporting.text_of(row, now)[0])
        sys.exit(reporting.verdict(row, now))

    def _for_ever(self, at: Watched) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        outages, fits, last = OutageLog(), joining.Watch(), ""
        while not stopping.is_set():
            if wrong := fits.look():
                raise CommandError(f"This process ends. {wrong}")
            try:
                row = watching.look(at, due_only=True)
                reporting.send_due(timezone.now())
                outages.over("watch_cluster")
            except Error as error:
                outages.note(error, "watch_cluster")
                row = None
            # One line when it changes, as it may go on for months.
            if row is not None and (line := told(row)) != last:
                last = line
                self.stdout.write(line)
                self.stdout.flush()
            stopping.wait(LOOK)


def told(row: ClusterWatch) -> str:
    """Return in one line how the last look went."""
    if row.failing_since is not None:
        since = f"{row.failing_since:%Y-%m-%d %H:%M:%S}"
        return f"{row.source}: failed, since {since} UTC: {english(row.failure)}"
    kept = "nothing" if row.snapshot_id is None else f"snapshot:{row.snapshot_id}"
    return f"{row.source}: seen; {row.name} is as {kept} tells"
