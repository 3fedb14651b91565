"""What a quiet sweep writes on PostgreSQL: updates that touch no index (HOT), whose old rows go at once."""

import pytest
from django.db import connection

from redundancy.models import NodeRuntime
from redundancy.operations import groups
from tests.bench.population import add_pairs
from tests.live.pair import Pair

PAIRS = 10
SECONDS = 90


def counted() -> dict[str, tuple[int, int]]:
    """Return for each table how many rows were updated, and how many of them without an index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables")
        return {name: (updated, hot) for name, updated, hot in cursor.fetchall()}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such updates")
def test_a_quiet_sweep_updates_no_index(pair: Pair) -> None:
    for group in add_pairs(PAIRS):
        groups.enable_ha(group=group, actor="")
    pair.run(20)
    assert set(NodeRuntime.objects.values_list("state", flat=True)) == {"Normal"}
    before = counted()
    pair.run(SECONDS)
    updates = {
        name: (updated - before[name][0], hot - before[name][1])
        for name, (updated, hot) in counted().items()
        if updated > before[name][0]
    }
    assert updates.keys() == {NodeRuntime._meta.db_table}
    updated, hot = updates[NodeRuntime._meta.db_table]
    assert updated > PAIRS * 2 * SECONDS / 16
    # An index on what a step writes would leave none. Where the vacuum looks at the table meanwhile, rows
    # that it still sees take the room of the next ones: a few updates then find none on their page.
    assert hot / updated > 0.75


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite changes a row in its place")
def test_a_page_has_room_for_the_next_version_of_its_rows(db: None) -> None:
    with connection.cursor() as cursor:
        table = NodeRuntime._meta.db_table
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [table])
        assert cursor.fetchone() == (["fillfactor=60"],)
