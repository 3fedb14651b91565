"""Bring the database, the static files and the administrator up to date: ``python -m cucm_admin.stack.prepare``.

Safe to repeat. Where the processes run on several machines it runs once, before them.
"""

import argparse
import os
import sys
from collections.abc import Sequence

DEFAULTS = "--defaults"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prepare, or end with one line that says why not."""
    parser = argparse.ArgumentParser(prog="python -m cucm_admin.stack.prepare", description=__doc__)
    parser.add_argument(
        DEFAULTS,
        action="store_true",
        help="shared settings that the environment does not give become their defaults again, "
        "instead of staying as they are",
    )
    defaults = parser.parse_args(arguments).defaults
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    try:
        django.setup()
    except (ImproperlyConfigured, ValueError) as error:
        sys.exit(f"The settings cannot be used: {_first_line(error)}")
    try:
        _prepare(defaults=defaults)
    except DatabaseError as error:
        sys.exit(f"DATABASE_URL: the database cannot be used: {_first_line(error)}")


def _prepare(*, defaults: bool) -> None:
    import redis
    from django.conf import settings
    from django.core.management import call_command

    from cucm_admin import env, shared
    from cucm_admin.stack import statics

    for problem in env.make_all_private(settings.VAR_DIR):
        sys.stderr.write(f"VAR_DIR: {problem}\n")
    try:
        with redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        sys.exit(f"REDIS_URL: the server cannot be used: {_first_line(error)}")
    check_migrations()
    call_command("migrate", interactive=False, verbosity=0)
    warn_of_growth()
    if wrong := shared.keep(defaults=defaults):
        sys.exit(wrong)
    statics.collect()
    call_command("ensure_admin")
    if settings.LAB_CLOCK_RATE != 1:
        sys.stdout.write(
            f"Lab clock: all of SRM's time runs {settings.LAB_CLOCK_RATE:g} times as fast (LAB_CLOCK_RATE)\n"
        )


def check_migrations() -> None:
    """End where the database has seen migrations of ours that are not among those of this version."""
    from cucm_admin import schema

    _, strange = schema.missing_and_strange()
    if strange:
        sys.exit(
            "The database was made before version 0.2.0, or by a later version than this one "
            f"({'.'.join(strange[0])} is not known here). Start that version, or this one with an "
            "empty database: with another DATABASE_URL or VAR_DIR"
        )


def warn_of_growth() -> None:
    """Say it where PostgreSQL does not clear away what was changed: each heartbeat changes a row."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW autovacuum")
        if cursor.fetchone() == ("off",):
            sys.stderr.write(
                "DATABASE_URL: autovacuum is off on the server: tables grow with each heartbeat, and all becomes slow\n"
            )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


if __name__ == "__main__":
    main()
