"""Whether the database has the schema of this program: neither an older nor a newer one."""

from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

PREPARE = "python -m cucm_admin.stack.prepare"
Migration = tuple[str, str]


@cache
def _own() -> tuple[frozenset[str], frozenset[Migration]]:
    """Return the applications that have migrations, and the migrations; read from disk once a process."""
    loader = MigrationLoader(None)
    return frozenset(loader.migrated_apps), frozenset(loader.disk_migrations)


def missing_and_strange() -> tuple[list[Migration], list[Migration]]:
    """Return the migrations that the database lacks, and those of our applications that only it knows.

    Two statements. Raises django.db.Error where the database cannot be read.
    """
    apps, own = _own()
    applied = MigrationRecorder(connection).applied_migrations().keys()
    return sorted(own - applied), sorted(key for key in applied - own if key[0] in apps)


def difference() -> str:
    """Return in one line how the database's schema differs from this program's; empty when it does not."""
    missing, strange = missing_and_strange()
    if strange:
        return (
            f"The database's schema is not of this version ({'.'.join(strange[0])} is not known "
            "here): start the version that made it, or a later one"
        )
    if len(missing) == len(_own()[1]):
        return f"The database has no tables of this product: run the release step first ({PREPARE})"
    if missing:
        return (
            f"The database's schema is older than this version ({'.'.join(missing[0])} is missing): "
            f"stop all processes, run the release step ({PREPARE}), and start them again"
        )
    return ""
