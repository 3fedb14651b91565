"""Put a backup in the place of the database: ``manage.py restore FILE``."""

from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db import DatabaseError, connection

from cucm_admin.backup import postgresql, sqlite
from cucm_admin.backup.files import BackupError, kind_of
from cucm_admin.env import redis_url
from cucm_admin.stack import checks
from redundancy import bus
from redundancy.models import ClientLogin

# Wall seconds: sweeps come at least once a second, and one may last.
SWEPT_LATELY = 15


class Command(BaseCommand):
    """Restore, or change nothing; exit code 1 when it was not restored."""

    help = "Put the backup FILE in the place of the database. All processes must be stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, and whether data may be replaced."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--force", action="store_true", help="replace the database that is there"
        )

    @no_translations
    def handle(self, *_args: Any, file: Path, force: bool, **_options: Any) -> None:
        """Check everything first, then replace the database and forget what was on the bus."""
        # Held to the end: nobody starts the product in this folder meanwhile.
        with checks.take_folder(settings.VAR_DIR):
            try:
                told = _restore(file, force=force)
            except (BackupError, DatabaseError, redis.RedisError) as error:
                raise CommandError(f"Nothing was restored: {str(error).strip()}") from None
            call_command("migrate", interactive=False, verbosity=0)
            # One-time passwords that were used after the backup would be good again.
            ClientLogin.objects.all().delete()
        self.stdout.write(f"Restored from {file}: {told}.")
        self.stdout.write(
            "Start the processes, then check with manage.py audit. Who was signed in stays so only with "
            "the SECRET_KEY of then."
        )


def _restore(file: Path, *, force: bool) -> str:
    kind = kind_of(file)
    if kind != connection.vendor:
        raise BackupError(
            f"{file} is a backup of {kind}, and DATABASE_URL names a database of {connection.vendor}"
        )
    # The embedded Valkey runs only while the stack does, and begins empty.
    outside = redis_url(settings.VAR_DIR, {}) != settings.REDIS_URL
    if outside:
        age = bus.newest_sweep_age()
        if age is not None and age < SWEPT_LATELY:
            raise BackupError(
                f"a worker swept {age:.0f} s ago; stop all processes first, and wait {SWEPT_LATELY} s"
            )
    database = Path(settings.DATABASES["default"]["NAME"])
    there = sqlite.holds_data(database) if kind == "sqlite" else postgresql.holds_data()
    if there and not force:
        raise BackupError("there is a database already; --force replaces it, and all that is in it")
    # Django's own connection would be another process's in the eyes of what follows.
    connection.close()
    told = sqlite.restore(file, database) if kind == "sqlite" else postgresql.restore(file)
    if outside:
        # Heartbeats and orders of what was after the backup: for the restored nodes they never were.
        bus.forget_all()
    return told
