"""What a backup holds, counted, and whether this version can read it."""

from collections.abc import Callable, Iterable

from cucm_admin.backup.files import BackupError

# Runs a statement that counts, and returns the number.
Count = Callable[[str], int]

TABLES = {
    "servers": "redundancy_server",
    "presence redundancy groups": "redundancy_redundancygroup",
    "presence users": "redundancy_presenceuser",
    "sessions": "redundancy_presencesession",
    "events of the history": "redundancy_haevent",
    "administrators": "auth_user",
}


def counted(count: Count) -> str:
    """Return the numbers of what matters, for a line."""
    found = {what: count(f"SELECT COUNT(*) FROM {table}") for what, table in TABLES.items()}
    return "; ".join(f"{what}: {number:,}" for what, number in found.items())


def check_schema(applied: Iterable[tuple[str, str]]) -> None:
    """Refuse the backup of a database with these migrations unless this version can bring it up to date."""
    from django.db.migrations.loader import MigrationLoader

    seen = set(applied)
    known = MigrationLoader(None)
    ours = {(app, name) for app, name in seen if app == "redundancy"}
    if not ours:
        raise BackupError("the file is a database, but none of this product")
    strange = sorted(key for key in ours if key not in known.disk_migrations)
    if strange:
        raise BackupError(
            f"the backup was made by a later version than this one ({'.'.join(strange[0])} is not "
            "known here); restore it with that version"
        )
