"""The sample cluster: something to look at on an empty system."""

from dataclasses import dataclass

from django.db import transaction

from redundancy.catalog import (
    MESSAGE_ARCHIVER,
    PRESENCE_ENGINE,
    SIP_FEDERATION_MANAGER,
    TEXT_CONFERENCE_MANAGER,
    XMPP_FEDERATION_MANAGER,
)
from redundancy.errors import Refused
from redundancy.functions import (
    COMPLIANCE,
    FUNCTION_BY_KEY,
    PERSISTENT_CHAT,
    SHARED_DATABASE,
    SIP_FEDERATION,
    XMPP_FEDERATION,
    Function,
)
from redundancy.models import PresenceUser, RedundancyGroup, Server, ServerType
from redundancy.operations import locks, presence
from redundancy.operations.activation import set_activations
from redundancy.operations.functions import set_functions
from redundancy.operations.groups import edit_group
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.srm.words import say

USERS = 1000
_DOMAIN = "example.com"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A kind of deployment that the sample cluster can have.

    ``activated``, ``deactivated``: services of both nodes, where that is not as on a new node.
    ``logs_in``: whether the users have clients that log in.
    """

    key: str
    name: str
    text: str
    functions: tuple[Function, ...] = ()
    activated: tuple[str, ...] = ()
    deactivated: tuple[str, ...] = ()
    logs_in: bool = True


IM_AND_PRESENCE = Deployment(
    "im-presence",
    say("IM and presence"),
    say(
        "The default services of a new node. SRM monitors database, XCP Router and Presence Engine."
    ),
)
DEPLOYMENTS: tuple[Deployment, ...] = (
    IM_AND_PRESENCE,
    Deployment(
        "im-only",
        say("IM only"),
        say("Without Presence Engine and SIP Proxy. SRM monitors database and XCP Router."),
        deactivated=(PRESENCE_ENGINE, "Cisco SIP Proxy"),
    ),
    Deployment(
        "federation",
        say("IM and presence, with federation"),
        say("SRM also monitors the connection managers of SIP federation and of XMPP federation."),
        functions=(SIP_FEDERATION, XMPP_FEDERATION),
        activated=(SIP_FEDERATION_MANAGER, XMPP_FEDERATION_MANAGER),
    ),
    Deployment(
        "compliance",
        say("IM and presence, with compliance"),
        say("SRM also monitors the Message Archiver."),
        functions=(COMPLIANCE,),
        activated=(MESSAGE_ARCHIVER,),
    ),
    Deployment(
        "persistent-chat",
        say("IM and presence, with persistent chat"),
        say(
            "SRM also monitors the Text Conference Manager. The nodes share the external database."
        ),
        functions=(PERSISTENT_CHAT, SHARED_DATABASE),
        activated=(TEXT_CONFERENCE_MANAGER,),
    ),
    Deployment(
        "rcc",
        say("Remote call control only"),
        say(
            "Users are with a server of Microsoft and control their telephones through the SIP Proxy; no "
            "client logs in here. SRM monitors database, XCP Router and Presence Engine."
        ),
        deactivated=(
            "Cisco XCP Connection Manager",
            "Cisco XCP Authentication Service",
            "Cisco XCP Web Connection Manager",
        ),
        logs_in=False,
    ),
)
DEPLOYMENT_BY_KEY: dict[str, Deployment] = {each.key: each for each in DEPLOYMENTS}


def load_sample_cluster(*, actor: str, deployment: Deployment = IM_AND_PRESENCE) -> RedundancyGroup:
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
        _deploy(deployment, group, actor)
    return group


def _deploy(deployment: Deployment, group: RedundancyGroup, actor: str) -> None:
    """Let the cluster be deployed like this: functions that are configured otherwise are so no longer."""
    keys = {function.key for function in deployment.functions}
    set_functions(configured={key: key in keys for key in FUNCTION_BY_KEY}, actor=actor)
    services = dict.fromkeys(deployment.activated, True)
    services |= dict.fromkeys(deployment.deactivated, False)
    for node in group.servers.order_by("slot") if services else ():
        set_activations(server=node, activated=services, actor=actor)
    if not deployment.logs_in:
        presence.sign(users=PresenceUser.objects.all(), out=True, actor=actor)
