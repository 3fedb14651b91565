"""What is said of the clients of users: several of each, and those that push notifications wake."""

from redundancy.srm.clients import PUSH_WAIT
from redundancy.srm.words import say, say_count

# The vendor's guide: lost on a sudden failure, kept on a graceful move.
KEPT = say("Their unread messages are kept, as nothing fails.")
LOST = say("Their unread messages are lost, as the failure was sudden.")


def several(per_user: int) -> str:
    """Return what sessions and logins count where a user has more than one client."""
    return say(
        "Each user has {clients} clients, which log in together: sessions and logins count clients.",
        clients=per_user,
    )


def pushed(users: int) -> str:
    """Return how long the push clients of so many users take to return."""
    return say_count(
        "{count:,} user has push clients, which return only after {lower:.0f} to {upper:.0f} minutes.",
        "{count:,} users have push clients, which return only after {lower:.0f} to {upper:.0f} minutes.",
        users,
        lower=PUSH_WAIT[0] / 60,
        upper=PUSH_WAIT[1] / 60,
    )
