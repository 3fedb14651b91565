"""Keep the database in one file, while everything runs: ``manage.py backup FILE``."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db import DatabaseError, connection

from cucm_admin.backup import postgresql, sqlite
from cucm_admin.backup.files import BackupError


class Command(BaseCommand):
    """Write a backup, whole or not at all; exit code 1 when it was not written."""

    help = "Write the whole database to FILE, while everything runs; FILE must not exist."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path, metavar="FILE")

    @no_translations
    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        """Write the backup and say what it holds."""
        if file.exists():
            raise CommandError(f"{file} is there already; a backup replaces no file")
        try:
            if connection.vendor == "sqlite":
                told = sqlite.back_up(Path(settings.DATABASES["default"]["NAME"]), file)
            else:
                told = postgresql.back_up(file)
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error).strip()) from None
        self.stdout.write(
            f"{file} ({file.stat().st_size:,} bytes) holds the whole database: {told}."
        )
        self.stdout.write("Passwords are in it as hashes; keep it as safe as the system itself.")
        self.stdout.write(
            "It does not hold SECRET_KEY (without one given, secret_key in VAR_DIR), the other variables "
            "of the environment, and what is on Redis or Valkey, which is made anew."
        )
