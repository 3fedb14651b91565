"""Whether the sessions are back that a restart or a move took away, and how long that may take.

High Availability that is enabled before breaks the presence of the clients whose sessions are not
there yet. So the sessions of each node are counted first, as *ActiveJsmSessions* counts them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max

from redundancy.catalog import PRESENCE_ENGINE, XCP_ROUTER
from redundancy.clock import lab_now
from redundancy.drivers import Observation, get_driver
from redundancy.models import (
    PlannedRestart,
    PresenceSession,
    RedundancyGroup,
    Server,
    ServiceStatus,
)
from redundancy.selectors import enterprise
from redundancy.selectors.enterprise import ONE_CLIENT, ClientSettings
from redundancy.selectors.presence import presence
from redundancy.srm.clients import PUSH_WAIT
from redundancy.srm.words import say, say_count, together

# Lab seconds: all sessions are usually back by the first; by the second something is wrong.
USUAL, LIMIT = 15 * 60.0, 30 * 60.0


@dataclass(frozen=True, slots=True)
class SessionsBack:
    """The sessions of a node that runs what they need.

    ``noted``: users that were logged in when a planned restart began, None without one. ``active``:
    those that are now. ``waiting``: clients whose session is here, and who have not logged in yet.
    ``clients``: how the clients of users are; all other numbers are users. ``stage``: 0 for the first 15 minutes after the last start or move, 1 up to 30, 2 from then on.
    """

    node: str
    noted: int | None
    active: int
    waiting: int
    stage: int
    clients: ClientSettings = ONE_CLIENT

    @property
    def missing(self) -> int:
        """How many sessions are not there yet."""
        return max(self.waiting, (self.noted or 0) - self.active)

    @property
    def sentence(self) -> str:
        """What is there, and what is not."""
        if self.clients.per_user == 1:
            return self._users
        counter = say(
            "These are users: ActiveJsmSessions counts their {clients} clients each, {sessions:,} there.",
            clients=self.clients.per_user,
            sessions=self.active * self.clients.per_user,
        )
        return together([self._users, counter])

    @property
    def _users(self) -> str:
        if self.noted is None:
            return say_count(
                "{active:,} logged in at {node}; {count:,} client has not logged in again yet.",
                "{active:,} logged in at {node}; {count:,} clients have not logged in again yet.",
                self.waiting,
                active=self.active,
                node=self.node,
            )
        return say(
            "{active:,} logged in at {node}; {noted:,} were noted.",
            active=self.active,
            node=self.node,
            noted=self.noted,
        )

    @property
    def advice(self) -> str:
        """What to do about those that are missing; empty when none is."""
        if not self.missing:
            return ""
        if self.clients.push and self.stage < 2:
            lower, upper = PUSH_WAIT
            push = say(
                "Push clients take {lower:.0f} to {upper:.0f} minutes to return.",
                lower=lower / 60,
                upper=upper / 60,
            )
            return together([self._wait, push])
        return self._wait

    @property
    def _wait(self) -> str:
        match self.stage:
            case 0:
                return say(
                    "All are usually back within 15 minutes: wait, and restart nothing meanwhile."
                )
            case 1:
                return say(
                    "It takes longer than the usual 15 minutes: wait until 30 have passed, and restart "
                    "nothing before."
                )
            case _:
                return say(
                    "It has taken more than 30 minutes: restart the {engine} on {node}, and nothing "
                    "else right after it.",
                    engine=PRESENCE_ENGINE,
                    node=self.node,
                )


def sessions_back(group: RedundancyGroup) -> tuple[SessionsBack, ...]:
    """Return the sessions of each node of the group at which clients can be logged in now.

    In a constant number of queries. A node whose services do not run is left out: there nobody can be
    back.
    """
    servers = list(Server.objects.filter(group=group).select_related("machine").order_by("slot"))
    return back_on(servers, get_driver().observe(servers))


def back_on(
    servers: Sequence[Server], services: Mapping[int, Sequence[Observation]]
) -> tuple[SessionsBack, ...]:
    """Return the same of the nodes of a group, with their services as they are observed."""
    now, keys = lab_now(), [server.pk for server in servers]
    here = presence(keys, now)
    record = PlannedRestart.objects.filter(server__in=keys, ended_at=None).first()
    noted = record.noted if record else {}
    moved = {}
    if any(each.waiting for each in here.values()):
        waits = PresenceSession.objects.filter(node__in=keys, relogin_at__gt=now)
        moved = dict(waits.values_list("node").annotate(Max("since")).order_by())
    clients = enterprise.clients()
    found = []
    for server in servers:
        needed = [
            service
            for service in services[server.pk]
            if service.name in {PRESENCE_ENGINE, XCP_ROUTER} and service.activated
        ]
        if not here[server.pk].serves or any(s.status != ServiceStatus.STARTED for s in needed):
            continue
        begun = [service.since for service in needed]
        if (last := moved.get(server.pk)) is not None:
            begun.append(last.timestamp())
        passed = now - max(begun)
        found.append(
            SessionsBack(
                server.name,
                noted[server.name]["active"] if server.name in noted else None,
                here[server.pk].active,
                here[server.pk].waiting,
                (passed >= USUAL) + (passed >= LIMIT),
                clients,
            )
        )
    return tuple(found)
