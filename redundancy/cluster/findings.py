"""What is wrong in a snapshot, or does not fit: kinds, fields and sentences. Pure.

What is not told is never taken for good: it is a finding of its own, or none is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from redundancy.cluster.facts import Place
from redundancy.srm.words import english, say


class Risk(IntEnum):
    """What a finding puts at risk; the gravest first."""

    SERVICE = 1
    FAILOVER = 2
    ORDER = 3
    KNOWLEDGE = 4

    @property
    def title(self) -> str:
        """The risk in words."""
        return _RISKS[self]


_RISKS: dict[Risk, str] = {
    Risk.SERVICE: say("Users have no service, or may lose it"),
    Risk.FAILOVER: say("A failover would not help, or not all"),
    Risk.ORDER: say("Not as it should be"),
    Risk.KNOWLEDGE: say("Cannot be told"),
}


class Kind(StrEnum):
    """What is found. The value is its name in JSON."""

    STATES = "states"
    STATES_UNEXPLAINED = "states-unexplained"
    STATE_NOT_TOLD = "state-not-told"
    HA_OFF = "ha-off"
    ALONE = "one-node"
    NO_PAIR = "no-pair"
    WITHOUT_GROUP = "without-group"
    VERSIONS_APART = "versions-apart"
    SERVICE_DOWN = "service-down"
    SERVICES_UNREAD = "services-unread"
    NOT_REACHED = "not-reached"
    GROUP_TOO_LARGE = "group-too-large"
    CLUSTER_TOO_LARGE = "cluster-too-large"
    COUNT_TOO_LARGE = "count-too-large"
    USERS_UNASSIGNED = "users-unassigned"
    USERS_ELSEWHERE = "users-elsewhere"
    USERS_NOT_ALL = "users-not-all"
    PARAMETERS_APART = "parameters-apart"
    PARAMETER_RULE = "parameter-rule"
    DISPUTED = "disputed"
    CHANGED = "changed"
    LOOSE = "loose"
    CLOCK_BACKWARDS = "clock-backwards"
    CONNECTED_LATER = "connected-later"


SENTENCES: dict[Kind, str] = {
    Kind.STATES: say("{group}: {cause}"),
    Kind.STATES_UNEXPLAINED: say(
        "{group}: {one} is in the state {state}, {two} in the state {state2}; the reasons are not told."
    ),
    Kind.STATE_NOT_TOLD: say(
        "High Availability of {group} is on, and the state of {node} is not told."
    ),
    Kind.HA_OFF: say("High Availability of {group} is off: nobody takes over when a node fails."),
    Kind.ALONE: say("{group} has one node, {node}: nobody can take over from it."),
    Kind.NO_PAIR: say("{what}"),
    Kind.WITHOUT_GROUP: say("{node} is in no presence redundancy group."),
    Kind.VERSIONS_APART: say("{one} runs version {version}, {two} runs {version2}."),
    Kind.SERVICE_DOWN: say("{service} on {node}: {status}. {effect}"),
    Kind.SERVICES_UNREAD: say("Whether these run on {node} could not be read: {services}."),
    Kind.NOT_REACHED: say("{node} is not reached by the node that was asked."),
    Kind.GROUP_TOO_LARGE: say(
        "{group} has {users:,} users and High Availability: the vendor supports {most:,}, so one node may not "
        "carry them all."
    ),
    Kind.CLUSTER_TOO_LARGE: say(
        "There are {users:,} users; the vendor supports {most:,} in a cluster."
    ),
    Kind.COUNT_TOO_LARGE: say(
        "There are {users:,} users; the vendor supports {most:,} users of IM and Presence in a cluster. How "
        "many of them are such users is not told."
    ),
    Kind.USERS_UNASSIGNED: say(
        "Users that are assigned to no node: {users:,}, such as {example}. Who has a telephone alone needs none."
    ),
    Kind.USERS_ELSEWHERE: say(
        "Users that are assigned to {node}, which is no node that was told: {users:,}, such as {example}."
    ),
    Kind.USERS_NOT_ALL: say("There are {all:,} users by a count, and {users:,} were listed."),
    Kind.PARAMETERS_APART: say(
        "{parameter} differs in a pair: {value} on {one}, {value2} on {two}."
    ),
    Kind.PARAMETER_RULE: say("{where}: {rule}"),
    Kind.DISPUTED: say(
        "{field} of {what} is told to be {value}, and elsewhere {value2}; which came later is not told."
    ),
    Kind.CHANGED: say(
        "{field} of {what} changed while it was collected: from {value} to {value2}."
    ),
    Kind.LOOSE: say("It is not told whose {what} these are: {number:,} values."),
    Kind.CLOCK_BACKWARDS: say(
        "A clock shows {later}, behind one that shows {earlier}: the order is not certain."
    ),
    Kind.CONNECTED_LATER: say("{node} is connected since {since}, which is later than {taken}."),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found: its kind, what it puts at risk, its values, where it stands, and what to do about it."""

    kind: Kind
    risk: Risk
    fields: Mapping[str, Any]
    places: tuple[Place, ...]
    advice: str = field(default="")

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return say(english(SENTENCES[self.kind]), **self.fields)
