"""Assign many users at once: to a node, to none, or as the User Assignment Mode has it."""

from collections.abc import Callable, Sequence

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from redundancy.catalog import ASSIGNMENT_MODE, AssignmentMode
from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import EventKind, PresenceUser, Server
from redundancy.operations import events, locks, rules
from redundancy.operations.pairs import Pairs
from redundancy.operations.records import record_assignment
from redundancy.operations.sessions import follow_assignment
from redundancy.operations.users import check_cluster, check_homes
from redundancy.selectors import enterprise, spread
from redundancy.srm.words import say, say_count


def assign_users(*, users: QuerySet[PresenceUser], node: Server | None, actor: str) -> int:
    """Assign all of ``users`` to ``node``, or to none, and return how many that changed.

    Their sessions follow. The number of statements does not depend on the number of users.
    """
    if node is not None:
        rules.check_is_node(node, field="home")
    with transaction.atomic():
        locks.one_administrator()
        elsewhere = ~Q(home=node) | Q(home__isnull=True) if node else Q(home__isnull=False)
        # Keys first: a condition such as "on imp-pub" stops matching while the users are changed.
        rows = list(users.filter(elsewhere).order_by().values_list("pk", "home_id"))
        goal = node.pk if node else None
        change([(pk, home, goal) for pk, home in rows])
        if rows:
            sentence = (
                say_count(
                    "{count} user was assigned to {node}.",
                    "{count:,} users were assigned to {node}.",
                    len(rows),
                    node=node.name,
                )
                if node
                else say_count(
                    "{count} user was unassigned.", "{count:,} users were unassigned.", len(rows)
                )
            )
            events.record(kind=EventKind.ADMIN, sentence=sentence, node=node, actor=actor)
    return len(rows)


def assign_all(*, actor: str) -> int:
    """Assign everybody who has no node as the User Assignment Mode has it; return how many that were."""
    return _carry_out(
        spread.all_unassigned,
        lambda users, **mode: say_count(
            "{count} user was assigned ({parameter}: {mode}).",
            "{count:,} users were assigned ({parameter}: {mode}).",
            users,
            **mode,
        ),
        actor,
    )


def rebalance(*, actor: str) -> int:
    """Move as few users as are needed for the User Assignment Mode to hold; return how many that were."""
    return _carry_out(
        spread.rebalancing,
        lambda users, **mode: say_count(
            "{count} user was moved to another node ({parameter}: {mode}).",
            "{count:,} users were moved to another node ({parameter}: {mode}).",
            users,
            **mode,
        ),
        actor,
    )


def check_mode() -> AssignmentMode:
    """Return the User Assignment Mode; refuse when it assigns nobody."""
    mode = enterprise.assignment_mode()
    if mode is AssignmentMode.NONE:
        raise Refused(
            say(
                "{parameter} is {mode}: users are not assigned automatically.",
                parameter=ASSIGNMENT_MODE.name,
                mode=mode.value,
            )
        )
    if not spread.goals(mode):
        raise Refused(
            say("No node is in a presence redundancy group: there is none to assign users to.")
        )
    return mode


def _carry_out(make: Callable[[], spread.SpreadPlan], said: Callable[..., str], actor: str) -> int:
    with transaction.atomic():
        locks.one_administrator()
        mode = check_mode()
        plan = make()
        change(list(spread.steps(plan)))
        if plan.users:
            sentence = said(plan.users, parameter=ASSIGNMENT_MODE.name, mode=mode.value)
            events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)
    return plan.users


def change(rows: Sequence[tuple[int, int | None, int | None]]) -> None:
    """Give users other nodes; the sessions follow. Refused where a node is gone, or the cluster unsettled.

    ``rows``: of each user the key, and the keys of the old and the new node (None for no node).
    """
    homes = {home for row in rows for home in row[1:] if home is not None}
    check_homes(homes)
    check_cluster()
    if not rows:
        return
    pairs = Pairs.of((pk, new) for pk, _, new in rows)
    follow_assignment(pairs)
    table = PresenceUser._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET home_id = p.node_id FROM {pairs.sql} p WHERE id = p.item_id",
            [pairs.param],
        )
    record_assignment(((pk, new) for pk, _, new in rows), lab_now())
