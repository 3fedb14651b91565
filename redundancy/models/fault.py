"""Faults put into the lab on purpose. A row is a fault in force; none is the ordinary case."""

from datetime import UTC, datetime

from django.db import models
from django.db.models import Q

from redundancy.srm.words import say

# Amount of a fault of moves: they are held, instead of the next one failing.
HELD = 1
# Seconds there and back between two sites that the vendor supports at most.
ROUND_TRIP = 0.08


class FaultKind(models.TextChoices):
    """What is broken."""

    CUT = "cut", say("Heartbeats of a node do not reach its peer")
    DELAY = "delay", say("Heartbeats between the nodes of a group arrive late")
    LOSS = "loss", say("Some heartbeats between the nodes of a group are lost")
    MOVE = "move", say("The next session move of a group fails")
    START = "start", say("The next start of critical services on a node fails")
    REPLICATION = "repl", say("Database replication of a node is not set up")
    PAUSE = "pause", say("Nobody looks at the nodes")


# What a fault of each kind belongs to; the others belong to the whole lab.
OF_NODE = (FaultKind.CUT, FaultKind.START, FaultKind.REPLICATION)
OF_GROUP = (FaultKind.DELAY, FaultKind.LOSS, FaultKind.MOVE)
# Those of the link between the two nodes of a group.
OF_LINK = (FaultKind.CUT, FaultKind.DELAY, FaultKind.LOSS)


def _values(kinds: tuple[FaultKind, ...]) -> list[str]:
    return [kind.value for kind in kinds]


class Fault(models.Model):
    """One fault. It belongs to a node, to a group, or, as the observer's pause, to all."""

    kind = models.CharField(say("kind"), max_length=5, choices=FaultKind.choices)
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        verbose_name=say("group"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="faults",
    )
    node = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("node"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="faults",
    )
    # Lab seconds of a delay, percent of a loss, the lab time at which a pause ends; 1 of moves that
    # are held instead of the next one failing.
    amount = models.FloatField(say("amount"), default=0)
    actor = models.CharField(say("Who"), max_length=150, blank=True)

    class Meta:
        verbose_name = say("fault")
        verbose_name_plural = say("faults")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["kind", "group"], name="one_fault_of_a_group"),
            models.UniqueConstraint(fields=["kind", "node"], name="one_fault_of_a_node"),
            models.UniqueConstraint(
                fields=["kind"], condition=Q(kind="pause"), name="one_pause_of_the_observer"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=_values(OF_NODE), group__isnull=True, node__isnull=False)
                | Q(kind__in=_values(OF_GROUP), group__isnull=False, node__isnull=True)
                | Q(kind="pause", group__isnull=True, node__isnull=True),
                name="fault_belongs_to_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def sentence(self) -> str:
        """What the fault does while it is in force."""
        match self.kind:
            case FaultKind.CUT:
                return say("Heartbeats from {node} do not reach its peer.", node=str(self.node))
            case FaultKind.DELAY if 2 * self.amount > ROUND_TRIP:
                return say(
                    "Heartbeats within {group} arrive {seconds:g} s late; between sites the vendor supports "
                    "at most {most:g} ms there and back.",
                    group=str(self.group),
                    seconds=self.amount,
                    most=1000 * ROUND_TRIP,
                )
            case FaultKind.DELAY:
                return say(
                    "Heartbeats within {group} arrive {seconds:g} s late.",
                    group=str(self.group),
                    seconds=self.amount,
                )
            case FaultKind.LOSS:
                return say(
                    "{percent:g} % of the heartbeats within {group} are lost.",
                    percent=self.amount,
                    group=str(self.group),
                )
            case FaultKind.MOVE if self.amount == HELD:
                return say(
                    "Session moves of {group} wait until they are released.", group=str(self.group)
                )
            case FaultKind.MOVE:
                return say("The next session move of {group} fails.", group=str(self.group))
            case FaultKind.START:
                return say(
                    "The next start of critical services on {node} fails.", node=str(self.node)
                )
            case FaultKind.REPLICATION:
                return say("Database replication of {node} is not set up.", node=str(self.node))
            case _:
                until = datetime.fromtimestamp(self.amount, tz=UTC)
                return say(
                    "Nobody looks at the nodes until {until} UTC (lab time).",
                    until=f"{until:%Y-%m-%d %H:%M:%S}",
                )

    @property
    def pair_id(self) -> int | None:
        """The key of the group that it, or its node, belongs to."""
        return self.node.group_id if self.node else self.group_id
