"""What each SRM remembers, and what waits to be told to it."""

from typing import Any

from django.db import models
from django.db.models import F

from redundancy.models.fields import Remembered, SentenceField, ServiceDown
from redundancy.srm.states import Reason, State
from redundancy.srm.words import say

# Stands for "never" in a column of lab seconds, which cannot hold infinity.
NEVER = 1e15
# Plain texts: a migration names no code that may change.
_STATES = [(state.value, state.value) for state in State]
_REASONS = [(reason.value, reason.value) for reason in Reason]


def _of_memory(label: str, kind: "models.Field[Any, Any]", *path: str) -> models.GeneratedField:
    """Return a column that the database fills with what the memory holds at ``path``."""
    return models.GeneratedField(
        verbose_name=label,
        expression=Remembered("memory", *path, output_field=kind),
        output_field=kind,
        db_persist=True,
        null=True,
    )


class NodeRuntime(models.Model):
    """The memory of one node's SRM. Written only by compare-and-set on ``version``.

    ``memory`` is the whole of ``srm.Node`` as JSON; the columns beside it repeat what pages and
    the sweep look for. Those that are generated the database fills by itself, so that none can be older
    than the memory: pages that show thousands of nodes read them in its place. On PostgreSQL a migration
    drops the indexes on what each step changes, so that a step updates none (HOT).
    """

    server = models.OneToOneField(
        "redundancy.Server",
        verbose_name=say("server"),
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="runtime",
    )
    version = models.PositiveBigIntegerField(say("version"), default=0)
    memory = models.JSONField(say("memory"), default=dict)
    state = models.CharField(
        say("state"), max_length=60, choices=_STATES, default=State.UNKNOWN.value
    )
    reason = models.CharField(
        say("reason"),
        max_length=60,
        choices=_REASONS,
        default=Reason.HA_NOT_ENABLED.value,
    )
    # Counts the changes of state: an action confirmed for an older one is refused.
    serial = models.PositiveBigIntegerField(say("serial"), default=0)
    since = models.FloatField(say("in this state since (lab time)"), default=0)
    # Why the node is in this state.
    sentence = SentenceField(say("sentence"), blank=True)
    due_at = models.FloatField(say("wants to be called at (lab time)"), default=0, db_index=True)
    stepped_at = models.FloatField(say("last step (lab time)"), default=0)
    # When the silence of the peer will be seen if it begins now.
    late_at = models.FloatField(
        say("peer is late at (lab time)"), default=NEVER, db_default=NEVER, editable=False
    )

    # When something is judged, if nothing happens until then: a sweep looks again at that moment.
    limit_at = models.FloatField(
        say("next time limit (lab time)"),
        default=NEVER,
        db_default=NEVER,
        db_index=True,
        editable=False,
    )

    # Of ``srm.Node`` and of the heartbeat it heard last; empty where it remembers nothing, or heard none.
    generation = _of_memory(
        say("generation of High Availability"), models.BigIntegerField(), "generation"
    )
    peer_at = _of_memory(say("peer heard at (lab time)"), models.FloatField(), "peer_at")
    peer_hears = _of_memory(say("peer hears this node"), models.BooleanField(), "peer", "hears")
    peer_leaving = _of_memory(say("peer goes down"), models.BooleanField(), "peer", "leaving")
    listening_since = _of_memory(
        say("listens to its peer since (lab time)"), models.FloatField(), "listening_since"
    )
    service_down = models.GeneratedField(
        verbose_name=say("a monitored service is down"),
        expression=ServiceDown("memory"),
        output_field=models.BooleanField(),
        db_persist=True,
        null=True,
    )

    class Meta:
        verbose_name = say("SRM memory")
        verbose_name_plural = say("SRM memories")

    def __str__(self) -> str:
        return f"{self.server_id}: {self.state} / {self.reason}"

    @classmethod
    def poke(cls, *server_ids: int) -> None:
        """Let the SRM of these nodes look around at the next sweep; a step under way starts anew.

        Call it first in a transaction that changes the nodes' services or machines: see
        ``operations.locks``.
        """
        cls.objects.filter(server_id__in=server_ids).update(due_at=0, version=F("version") + 1)


class SrmNews(models.Model):
    """One row: what tells that pages may show something else of the nodes, besides events.

    ``looks`` counts the steps that changed more than the beat of heartbeats; ``late`` nodes, with the sum
    of their keys, heard nothing of their peer in time when the sweep last looked.
    """

    ONLY = 1

    looks = models.PositiveBigIntegerField(say("looks"), default=0)
    late = models.PositiveBigIntegerField(say("late"), default=0)
    late_nodes = models.PositiveBigIntegerField(say("late nodes"), default=0)

    class Meta:
        verbose_name = say("news of SRM")
        verbose_name_plural = say("news of SRM")

    def __str__(self) -> str:
        return f"{self.looks}, {self.late}"


class MessageKind(models.TextChoices):
    """What an SRM can be told besides heartbeats."""

    STARTED = "started", say("SRM started")
    SHUTDOWN = "shutdown", say("node is being shut down")
    FAILOVER = "failover", say("administrator asks for failover")
    FALLBACK = "fallback", say("administrator asks for fallback")
    RECOVER = "recover", say("administrator asks for recover")
    MOVED = "moved", say("sessions moved")
    MOVE_REFUSED = "move refused", say("session move refused: the group has had a newer one")
    MOVE_FAILED = "move failed", say("sessions could not be moved")


class SrmMessage(models.Model):
    """Something a node's SRM has not heard yet; deleted in the transaction of the step that hears it."""

    node = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("node"),
        on_delete=models.CASCADE,
        related_name="srm_messages",
    )
    kind = models.CharField(say("kind"), max_length=12, choices=MessageKind.choices)
    payload = models.JSONField(say("payload"), default=dict)
    actor = models.CharField(say("actor"), max_length=150, blank=True)

    class Meta:
        verbose_name = say("SRM message")
        verbose_name_plural = say("SRM messages")
        ordering = ("pk",)

    def __str__(self) -> str:
        return str(say("{kind} for {node}", kind=self.kind, node=self.node_id))
