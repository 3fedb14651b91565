"""Who comes in: the product's users, with the roles they have on the pages."""

from django.contrib.auth import authenticate
from django.db import connections

from redundancy.operations.signins import Outcome, record_sign_in
from redundancy.origin import coming_from
from redundancy.permissions import can_write, has_role
from redundancy.selectors import nodes
from redundancy.ssh.running import Caller


def sign_in(username: str, password: str, address: str, node: int | None = None) -> Caller | None:
    """Return the caller, on ``node``, when name and password are right and the user has a role; else None.

    It is recorded either way. Raises TryLater when there were too many tries; its sentence says when to try again.
    """
    try:
        with coming_from(address):
            user = authenticate(username=username, password=password)
        if user is None or not has_role(user):
            return None
        record_sign_in(username=username, outcome=Outcome.OK, address=address)
        return Caller(user.get_username(), address, can_write(user), node)
    finally:
        # This thread may wait for long until it is needed again.
        connections.close_all()


def not_there(key: int | None) -> str:
    """Return why nobody can be on the node that was dialled; empty when somebody can."""
    try:
        node = None if key is None else nodes.node(key)
        if key is None or (node and node.machine.powered):
            return ""
        return (
            f"{node.name} has no power; it does not answer." if node else "There is no such node."
        )
    finally:
        connections.close_all()
