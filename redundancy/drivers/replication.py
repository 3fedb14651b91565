"""Database replication of the lab's nodes, and the Data Monitor that holds services back for it.

Replication is set up unless the Fault Lab says otherwise. Where it is not, the Cisco IM and Presence
Data Monitor lets no feature service start: on a subscriber until it is set up, on the publisher only
for a while after the node came up.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings

from redundancy.clock import lab_datetime
from redundancy.models import Fault, FaultKind, Machine

# Lab seconds after which the publisher's Data Monitor goes on. The guides say that there is a
# time-out, not how long.
PUBLISHER_TIMEOUT = 300.0


def not_set_up(nodes: Collection[int]) -> set[int]:
    """Return those of the nodes whose database replication is not set up, in at most one query."""
    if not settings.FAULT_LAB:
        return set()
    broken = Fault.objects.filter(kind=FaultKind.REPLICATION, node__in=nodes)
    return set(broken.values_list("node_id", flat=True))


def holding_features(machines: Iterable[Machine]) -> set[int]:
    """Return the nodes, by their keys, whose Data Monitor lets no feature service start now."""
    watched = {machine.pk: machine for machine in machines if machine.replication_monitor}
    found = set()
    for pk in not_set_up(watched):
        goes_on = goes_on_at(watched[pk])
        if goes_on is None or lab_datetime() < goes_on:
            found.add(pk)
    return found


def goes_on_at(machine: Machine) -> datetime | None:
    """Return the lab time at which the Data Monitor goes on without replication; None: it does not."""
    if not machine.server.is_publisher or machine.up_since is None:
        return None
    return machine.up_since + timedelta(seconds=PUBLISHER_TIMEOUT)
