"""What SRMs have noticed since anybody looked: one row, so that a poll need not go through all memories."""

from django.db import connection

from redundancy.models import NodeRuntime, SrmNews

_NEWS, _RUNTIMES = SrmNews._meta.db_table, NodeRuntime._meta.db_table
# One statement that makes the row where it is missing; the ORM has none that adds to a column.
_COUNT = f"""
INSERT INTO {_NEWS} AS n (id, looks, late, late_nodes) VALUES ({SrmNews.ONLY}, %s, 0, 0)
ON CONFLICT (id) DO UPDATE SET looks = n.looks + excluded.looks
"""
_NOTE = f"""
INSERT INTO {_NEWS} AS n (id, looks, late, late_nodes) VALUES ({SrmNews.ONLY}, 0, %s, %s)
ON CONFLICT (id) DO UPDATE SET late = excluded.late, late_nodes = excluded.late_nodes
"""
_LATE = f"""
SELECT now.late, now.nodes, noted.late, noted.nodes
FROM (SELECT COUNT(*) AS late, COALESCE(SUM(server_id), 0) AS nodes FROM {_RUNTIMES} WHERE late_at < %s) AS now,
     (SELECT COALESCE(MAX(late), 0) AS late, COALESCE(MAX(late_nodes), 0) AS nodes FROM {_NEWS}) AS noted
"""


def count_looks(steps: int) -> None:
    """Note that so many steps were stored after which pages may show something else.

    Last in the transaction that stores them: others that have news wait for its end.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [steps])


def note_late(now: float) -> None:
    """Note which nodes' peers are late at ``now`` (lab seconds), if they are others than noted before."""
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [now])
        late, nodes, late_before, nodes_before = map(int, cursor.fetchone())
        if (late, nodes) != (late_before, nodes_before):
            cursor.execute(_NOTE, [late, nodes])
