"""What is brought up to date before anything starts."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from cucm_admin.stack import prepare

pytestmark = pytest.mark.django_db


def test_a_database_of_this_version_is_taken() -> None:
    # One that another application left behind is nobody's concern.
    MigrationRecorder(connection).record_applied("elsewhere", "0001_initial")
    prepare.check_migrations()


def test_a_database_of_another_version_is_refused_in_one_line() -> None:
    MigrationRecorder(connection).record_applied("redundancy", "0002_faults")
    with pytest.raises(SystemExit) as refused:
        prepare.check_migrations()
    assert str(refused.value) == (
        "The database was made before version 0.2.0, or by a later version than this one "
        "(redundancy.0002_faults is not known here). Start that version, or this one with an empty "
        "database: with another DATABASE_URL or VAR_DIR"
    )


def test_a_server_that_clears_nothing_away_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    vacuums = True
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW autovacuum")
            vacuums = cursor.fetchone() == ("on",)
    prepare.warn_of_growth()
    assert ("autovacuum is off" in capsys.readouterr().err) is not vacuums
