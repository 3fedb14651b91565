"""Bring the database, the static files and the administrator up to date: ``python -m cucm_admin.stack.prepare``.

Safe to repeat. Where the processes run on several machines it runs once, before them.
"""

import os
import sys


def main() -> None:
    """Prepare, or end with one line that says why not."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    try:
        django.setup()
    except (ImproperlyConfigured, ValueError) as error:
        sys.exit(f"The settings cannot be used: {_first_line(error)}")
    try:
        _prepare()
    except DatabaseError as error:
        sys.exit(f"DATABASE_URL: the database cannot be used: {_first_line(error)}")


def _prepare() -> None:
    import redis
    from django.conf import settings
    from django.core.management import call_command

    from cucm_admin.stack import statics
    from redundancy import clock

    try:
        with redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        sys.exit(f"REDIS_URL: the server cannot be used: {_first_line(error)}")
    check_migrations()
    call_command("migrate", interactive=False, verbosity=0)
    statics.collect()
    call_command("ensure_admin")
    clock.set_rate(settings.LAB_CLOCK_RATE)
    if settings.LAB_CLOCK_RATE != 1:
        sys.stdout.write(
            f"Lab clock: all of SRM's time runs {settings.LAB_CLOCK_RATE:g} times as fast (LAB_CLOCK_RATE)\n"
        )


def check_migrations() -> None:
    """End where the database has seen migrations of ours that are not among those of this version."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    strange = [
        key
        for key in loader.applied_migrations
        if key[0] in loader.migrated_apps and key not in loader.disk_migrations
    ]
    if strange:
        sys.exit(
            "The database was made before version 0.2.0, or by a later version than this one "
            f"({'.'.join(min(strange))} is not known here). Start that version, or this one with an "
            "empty database: with another DATABASE_URL or VAR_DIR"
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


if __name__ == "__main__":
    main()
