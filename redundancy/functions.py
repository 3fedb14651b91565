"""The optional functions of a cluster: what an administrator configures, and which service carries it.

A function is configured for the whole cluster; the service that carries it is activated on each node.
SRM monitors the service of a node where both is done. Facts of the vendor's public guides, but for the
wording; pure data.
"""

from dataclasses import dataclass

from redundancy.catalog import (
    MESSAGE_ARCHIVER,
    SIP_FEDERATION_MANAGER,
    TEXT_CONFERENCE_MANAGER,
    XMPP_FEDERATION_MANAGER,
)
from redundancy.srm.words import say


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the whole cluster.

    ``name``: also the label of its switch. ``service``: what carries it on each node; empty for one
    that only says how another one works. ``facts``: what an administrator needs to know of it.
    """

    key: str
    name: str
    service: str
    facts: tuple[str, ...]


COMPLIANCE = Function(
    "compliance",
    say("Compliance"),
    MESSAGE_ARCHIVER,
    (
        say(
            "Every instant message is written to an external database, as compliance rules require."
        ),
        say(
            "A node that fails over leaves no gap: the archiver of the peer archives what its users "
            "write there, if it is activated there, too."
        ),
    ),
)
PERSISTENT_CHAT = Function(
    "persistent_chat",
    say("Persistent chat"),
    TEXT_CONFERENCE_MANAGER,
    (
        say(
            "Chat rooms outlive their conversations, in an external database. Each room belongs to "
            "the node that it was created on."
        ),
    ),
)
SHARED_DATABASE = Function(
    "shared_database",
    say("Shared external database"),
    "",
    (
        say(
            "The nodes of a group use one external database for persistent chat. After a failover the "
            "peer serves the rooms of the failed node; at the fallback they return."
        ),
        say(
            "Without it each node has a database of its own, and the rooms of a failed node are "
            "unavailable until it returns."
        ),
    ),
)
SIP_FEDERATION = Function(
    "sip_federation",
    say("SIP federation"),
    SIP_FEDERATION_MANAGER,
    (
        say("Users exchange presence and messages with those of other domains over SIP."),
        say(
            "A failover does not lead requests from outside to the peer: they go where the other domain "
            "sends them, so to a load balancer before both nodes where they are to survive it."
        ),
    ),
)
XMPP_FEDERATION = Function(
    "xmpp_federation",
    say("XMPP federation"),
    XMPP_FEDERATION_MANAGER,
    (
        say("Users exchange presence and messages with those of other domains over XMPP."),
        say(
            "Other domains find the nodes by DNS SRV records: after a failover they reach the peer where "
            "the records name it, too."
        ),
    ),
)

FUNCTIONS: tuple[Function, ...] = (
    COMPLIANCE,
    PERSISTENT_CHAT,
    SHARED_DATABASE,
    SIP_FEDERATION,
    XMPP_FEDERATION,
)
FUNCTION_BY_KEY: dict[str, Function] = {function.key: function for function in FUNCTIONS}
FUNCTION_OF_SERVICE: dict[str, Function] = {f.service: f for f in FUNCTIONS if f.service}
