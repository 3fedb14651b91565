"""Two groups, a and b: the nodes a1 and a2, b1 and b2."""

from redundancy.models import RedundancyGroup, Server
from redundancy.operations import groups, moves
from redundancy.operations.moves import MoveRequest
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.srm.states import Reason, State
from redundancy.srm.types import MoveKind
from tests.labtime import stand_at
from tests.memory import remember_pair

BEGIN = 2_000_000_000.0
NORMAL = (State.NORMAL, Reason.NORMAL)


def make_pairs() -> None:
    """Make both, High Availability on, at ``BEGIN``, with three users on each node."""
    stand_at(BEGIN)
    for name in "ab":
        first, second = (
            add_server(name=f"{name}{number}", server_type="imp", actor="") for number in (1, 2)
        )
        made = first.group or groups.add_group(name=name, description="", first=first, actor="")
        groups.edit_group(
            group=made, name=name, description="", first=first, second=second, actor=""
        )
        add_users(
            rows=[
                (f"{home.name}.{number}", "", f"{home.name}.{number}@example.com", home)
                for home in (first, second)
                for number in range(3)
            ],
            actor="",
        )
        groups.enable_ha(group=group(name), actor="")
        become(name, NORMAL)


def node(name: str) -> Server:
    return Server.objects.get(name=name)


def group(name: str) -> RedundancyGroup:
    return RedundancyGroup.objects.get(name=name)


def become(name: str, state: tuple[State, Reason]) -> None:
    remember_pair(node(f"{name}1"), state, node(f"{name}2"), state)


def take_over(name: str) -> None:
    """Let this node have everybody."""
    its = Server.objects.select_related("group").get(name=name).group
    assert its is not None
    moves.move_sessions(
        MoveRequest(node(name).pk, MoveKind.TAKE_OVER, its.epoch, its.ha_generation)
    )
