"""Play clients that really log in: ``manage.py jabber USERS``."""

import ipaddress
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser, no_translations

from redundancy.jabber import pace
from redundancy.jabber.player import Numbers, Player
from redundancy.jabber.waves import failures_text
from redundancy.jabber.wire import Line, where
from redundancy.management.joined import JoinedCommand
from redundancy.models import PresenceUser
from redundancy.operations import clients
from redundancy.operations.ceilings import keep_ceiling

# Fewer logins at once than failed ones after which an address waits (``operations.throttle``).
MOST, MOST_CONNECTIONS = 20_000, 24
# Wall seconds between two looks, and between two lines where nobody sees a line change.
LOOK, LINE = 0.5, 5.0
WIDTH = 30


class Command(JoinedCommand):
    """Sign clients in, let them follow their users' sessions, and say how that went."""

    help = (
        "Plays real clients of assigned users over HTTP (Client Profile Agent): they log in, hear of each move of their "
        "sessions, wait between their re-login limits and log in at the other node. Ends with Ctrl-C, and lets "
        "the lab play their users again. Exit code 0: everybody was logged in at the end; 1: not; 2: nothing was begun."
    )
    requires_system_checks: list[str] = []
    unfit_code = 2

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("users", nargs="?", type=int, help=f"how many clients, up to {MOST:,}")
        port = os.environ.get("PORT") or "8000"
        parser.add_argument(
            "--url",
            default=f"http://127.0.0.1:{port}",
            help="where the web process listens (default: on this machine)",
        )
        parser.add_argument(
            "--anywhere", action="store_true", help="allow a URL of another machine"
        )
        parser.add_argument("--group", help="only users assigned to nodes of this group")
        parser.add_argument(
            "--connections",
            type=int,
            default=4,
            help=f"logins at the same time, up to {MOST_CONNECTIONS} (default: 4)",
        )
        parser.add_argument(
            "--moves", type=int, help="end when everybody is back after so many moves"
        )
        parser.add_argument("--seconds", type=float, help="end after so many wall seconds")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument(
            "--show-password",
            action="store_true",
            help="print the password of the lab's clients, and do nothing else",
        )
        parser.add_argument(
            "--give-back",
            action="store_true",
            help="let the lab play all clients again, and do nothing else",
        )

    @no_translations
    def handle(self, *_args: Any, **options: Any) -> None:
        """Play until somebody ends it."""
        if options["show_password"]:
            self.stdout.write(settings.JABBER_PASSWORD)
            return
        if options["give_back"]:
            self.stdout.write(f"{clients.give_back():,} clients are played by the lab again.")
            return
        host, port = _address(options["url"], anywhere=options["anywhere"])
        people = _people(options["users"], options["group"])
        connections = _between("--connections", options["connections"], 1, MOST_CONNECTIONS)
        player = Player(
            lambda: Line(host, port),
            list(people),
            settings.JABBER_PASSWORD,
            connections=connections,
        )
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        show = _Shown(self._tell) if not options["json"] else None
        player.start()
        try:
            self._watch(player, show, moves=options["moves"], seconds=options["seconds"])
        except KeyboardInterrupt:
            pass
        finally:
            signal.signal(signal.SIGTERM, before)
            last = player.numbers()
            player.end()
            clients.give_back(PresenceUser.objects.filter(pk__in=people.values()))
            if rate := player.pace.best:
                keep_ceiling(
                    rate=rate, seconds=pace.SECONDS, clients=len(people), connections=connections
                )
        self._conclude(player, last, as_json=options["json"])

    def _watch(
        self, player: Player, show: "_Shown | None", *, moves: int | None, seconds: float | None
    ) -> None:
        begun, told = time.monotonic(), 0
        while True:
            numbers = player.numbers()
            if show is not None:
                show.numbers(numbers)
                for wave in player.waves[told:]:
                    show.lines(wave.text())
            told = len(player.waves)
            if player.refused:
                raise CommandError(f"{player.refused} See --show-password.", returncode=1)
            over = seconds is not None and time.monotonic() - begun >= seconds
            enough = moves is not None and told >= moves
            if over or enough or numbers.away == numbers.clients:
                return
            time.sleep(LOOK)

    def _conclude(self, player: Player, last: Numbers, *, as_json: bool) -> None:
        if as_json:
            document = {
                "clients": last.clients,
                "connected": last.connected,
                "away": last.away,
                "logins": last.logins,
                "failures": dict(last.failures),
                "ceiling": player.pace.best,
                "moves": [wave.data() for wave in player.waves],
            }
            self.stdout.write(json.dumps(document, indent=2))
        else:
            lines = [
                f"{last.logins:,} logins; {last.connected:,} of {last.clients:,} logged in at the end"
            ]
            if rate := player.pace.best:
                lines.append(
                    f"  ceiling: {rate:,.1f} logins a second over {pace.SECONDS} s in which no connection was idle"
                )
            self.stdout.write("\n".join([*lines, *failures_text(last.failures)]))
        if last.connected < last.clients:
            raise CommandError(
                f"{last.clients - last.connected:,} were not logged in.", returncode=1
            )

    def _tell(self, text: str, end: str) -> None:
        self.stdout.write(text, ending=end)
        self.stdout.flush()


class _Shown:
    """The line that shows how it stands: one that changes on a terminal, else a new one now and then."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._changes = sys.stdout.isatty()
        self._last, self._at = "", 0.0

    def numbers(self, now: Numbers) -> None:
        """Show how it stands."""
        full = now.connected * WIDTH // now.clients
        line = (
            f"[{'#' * full}{'-' * (WIDTH - full)}] {now.connected:,}/{now.clients:,} logged in, "
            f"{now.waiting:,} waiting, {now.rate:.1f} logins/s, {sum(now.failures.values()):,} failures"
        )
        if self._changes:
            self._tell(f"\r{line:<100}", "")
        elif line != self._last and time.monotonic() - self._at >= LINE:
            self._tell(line, "\n")
            self._at = time.monotonic()
        self._last = line

    def lines(self, lines: list[str]) -> None:
        """Print lines that stay."""
        self._tell(("\n" if self._changes else "") + "\n".join(lines), "\n")


def _address(url: str, *, anywhere: bool) -> tuple[str, int]:
    try:
        host, port = where(url)
    except ValueError as error:
        raise CommandError(f"--url: {error}", returncode=2) from None
    if not anywhere and not _is_here(host):
        raise CommandError(
            f"--url: {host} is another machine; --anywhere allows that.", returncode=2
        )
    return host, port


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _people(wanted: int | None, group: str | None) -> dict[str, int]:
    """Return the keys of the users whose clients are played, by their IDs."""
    if wanted is None:
        raise CommandError("users: must be given.", returncode=2)
    _between("users", wanted, 1, MOST)
    users = PresenceUser.objects.filter(home__isnull=False, signed_out=False)
    if group is not None:
        users = users.filter(home__group__name=group)
    found = dict(users.order_by("pk").values_list("userid", "pk")[:wanted])
    if len(found) < wanted:
        raise CommandError(
            f"users: only {len(found):,} are assigned and not signed out"
            + (f" in {group}." if group else "."),
            returncode=2,
        )
    return found


def _between(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise CommandError(f"{name}: must be from {low} to {high:,}, not {value}.", returncode=2)
    return value
