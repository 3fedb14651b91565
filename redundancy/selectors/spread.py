"""How the User Assignment Mode spreads users over nodes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heapreplace

from django.db.models import Count

from redundancy.catalog import AssignmentMode
from redundancy.models import PresenceUser, Server
from redundancy.selectors.enterprise import assignment_mode

# Of a user: the key, and the keys of the node now (or None) and of the new one.
UserStep = tuple[int, int | None, int]


@dataclass(frozen=True, slots=True)
class SpreadPlan:
    """How many users leave and enter each node, by its key. None: those who have no node."""

    leaving: Mapping[int | None, int] = field(default_factory=dict)
    entering: Mapping[int, int] = field(default_factory=dict)

    @property
    def users(self) -> int:
        """How many users get another node."""
        return sum(self.entering.values())


def spread_equally(
    counts: Mapping[int, int], nodes: Collection[int], number: int
) -> dict[int, int]:
    """Return how many of ``number`` users each of ``nodes`` gets, so that they come closest to equal.

    Nobody who is counted in ``counts`` moves.
    """
    got = dict.fromkeys(nodes, 0)
    heap = [(counts.get(node, 0), node) for node in nodes]
    heapify(heap)
    for _ in range(number if heap else 0):
        count, node = heap[0]
        got[node] += 1
        heapreplace(heap, (count + 1, node))
    return {node: users for node, users in got.items() if users}


def level(counts: Mapping[int, int], nodes: Collection[int]) -> SpreadPlan:
    """Return the fewest moves after which all counted users are spread equally over ``nodes``."""
    if not nodes:
        return SpreadPlan()
    base, more = divmod(sum(counts.values()), len(nodes))
    # The nodes with the most users keep one more, so that the fewest users move.
    fullest = sorted(nodes, key=lambda node: (-counts.get(node, 0), node))
    goals = {node: base + (place < more) for place, node in enumerate(fullest)}
    gaps = {node: goals.get(node, 0) - counts.get(node, 0) for node in {*goals, *counts}}
    return SpreadPlan(
        leaving={node: -gap for node, gap in sorted(gaps.items()) if gap < 0},
        entering={node: gap for node, gap in sorted(gaps.items()) if gap > 0},
    )


def counts() -> dict[int, int]:
    """Return how many users are assigned to each node that has any."""
    rows = PresenceUser.objects.filter(home__isnull=False).order_by().values_list("home")
    return dict(rows.annotate(n=Count("pk")))


def goals(mode: AssignmentMode) -> list[int]:
    """Return the keys of the nodes to which ``mode`` assigns users."""
    nodes = Server.objects.filter(group__isnull=False)
    match mode:
        case AssignmentMode.BALANCED:
            pass
        case AssignmentMode.ACTIVE_STANDBY:
            nodes = nodes.filter(slot=1)
        case AssignmentMode.NONE:
            return []
    return list(nodes.order_by("pk").values_list("pk", flat=True))


def newcomers(number: int) -> dict[int, int]:
    """Return how many of ``number`` new users each node gets by the present mode."""
    return spread_equally(counts(), goals(assignment_mode()), number)


def all_unassigned() -> SpreadPlan:
    """Return where users without a node go by the present mode."""
    waiting = PresenceUser.objects.filter(home__isnull=True).count()
    entering = newcomers(waiting)
    return SpreadPlan({None: waiting} if entering else {}, entering)


def rebalancing() -> SpreadPlan:
    """Return the fewest moves after which everybody who has a node is where the mode wants them."""
    return level(counts(), goals(assignment_mode()))


def steps(plan: SpreadPlan) -> Iterator[UserStep]:
    """Yield which user goes where; the first by key leave, and users of one node stay together."""
    nodes = [node for node, users in plan.entering.items() for _ in range(users)]
    nodes.reverse()
    homes = [node for node in plan.leaving if node is not None]
    users = PresenceUser.objects.filter(home__in=homes)
    if None in plan.leaving:
        users |= PresenceUser.objects.filter(home__isnull=True)
    left = dict(plan.leaving)
    for pk, home in users.order_by("home_id", "pk").values_list("pk", "home_id").iterator():
        if left[home]:
            left[home] -= 1
            yield pk, home, nodes.pop()
