"""What is done to the pair of these tests."""

from redundancy.models import PresenceSession, RedundancyGroup, Server
from redundancy.operations.moves import MoveRequest, move_sessions
from redundancy.parameters.writes.parameters import set_parameters
from redundancy.srm.types import MoveKind

BEGIN = 2_000_000_000.0
USERS = 200


def node(name: str) -> Server:
    return Server.objects.select_related("group").get(name=name)


def take_over(name: str) -> None:
    """Let the node take everybody."""
    _move(name, MoveKind.TAKE_OVER)


def go_home(name: str) -> None:
    """Let everybody go home, as the node asks for it."""
    _move(name, MoveKind.HOME)


def _move(name: str, kind: MoveKind) -> None:
    group = RedundancyGroup.objects.get(servers__name=name)
    move_sessions(MoveRequest(node(name).pk, kind, group.epoch, group.ha_generation))


def set_limits(name: str, lower: int, upper: int) -> None:
    """Set both re-login limits of the node."""
    set_parameters(
        values={"relogin_lower": str(lower), "relogin_upper": str(upper)},
        server=node(name),
        actor="",
    )


def logins(home: str) -> list[float]:
    """When the users of that node log in, after BEGIN."""
    sessions = PresenceSession.objects.filter(user__home__name=home)
    return [moment - BEGIN for moment in sessions.values_list("relogin_at", flat=True)]
