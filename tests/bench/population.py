"""Many pairs at once, as the operations would make them one by one."""

from django.db import transaction

from redundancy.models import RedundancyGroup, Server, ServerType
from redundancy.operations import servers


def add_pairs(count: int) -> list[RedundancyGroup]:
    """Add ``count`` groups of two nodes each, HA off, without users; return the groups.

    Nodes are named ``imp-0007a`` and ``imp-0007b``; the first of all is the publisher.
    """
    first = RedundancyGroup.objects.count() + 1
    numbers = range(first, first + count)
    with transaction.atomic():
        groups = RedundancyGroup.objects.bulk_create(
            RedundancyGroup(name=f"Group-{number:05}") for number in numbers
        )
        nodes = Server.objects.bulk_create(
            Server(
                name=f"imp-{number:05}{letter}",
                server_type=ServerType.IMP,
                group=group,
                slot=slot,
                is_publisher=number == slot == 1,
            )
            for number, group in zip(numbers, groups, strict=True)
            for slot, letter in enumerate("ab", 1)
        )
        servers.install(nodes)
    return groups
