"""The sample cluster: something to look at on an empty system."""

from django.db import transaction

from redundancy.errors import Refused
from redundancy.models import RedundancyGroup, Server, ServerType
from redundancy.operations import locks
from redundancy.operations.groups import edit_group
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.srm.words import say

USERS = 1000
_DOMAIN = "example.com"


def load_sample_cluster(*, actor: str) -> RedundancyGroup:
    """Add imp-pub and imp-sub, both in one group with HA off, and 1,000 users; return the group."""
    with transaction.atomic():
        locks.one_administrator()
        if Server.objects.exists():
            raise Refused(say("The sample cluster can only be loaded while there is no server."))
        publisher, subscriber = (
            add_server(
                name=name,
                server_type=ServerType.IMP,
                description="Sample cluster",
                domain=_DOMAIN,
                actor=actor,
            )
            for name in ("imp-pub", "imp-sub")
        )
        group = publisher.group
        assert group is not None  # the first node always has one
        group = edit_group(
            group=group,
            name=group.name,
            description=group.description,
            first=publisher,
            second=subscriber,
            actor=actor,
        )
        add_users(
            rows=(
                (
                    f"user{number:04}",
                    f"Sample User {number:04}",
                    f"user{number:04}@{_DOMAIN}",
                    (subscriber, publisher)[number % 2],
                )
                for number in range(1, USERS + 1)
            ),
            actor=actor,
        )
    return group
