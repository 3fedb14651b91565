"""What happened: the history of high availability."""

from django.db import models

from redundancy.models.fields import SentenceField
from redundancy.srm.words import say


class EventKind(models.TextChoices):
    """Sort of event."""

    STATE = "state", say("State change")
    ADMIN = "admin", say("Administrator's action")
    MOVE = "move", say("Session move")
    LAB = "lab", say("Lab")
    PARAMETER = "parameter", say("Parameter change")


class RequestKind(models.TextChoices):
    """What an administrator can ask the SRMs of a group for."""

    FAILOVER = "failover", say("Failover")
    FALLBACK = "fallback", say("Fallback")
    RECOVER = "recover", say("Recover")


class HaEvent(models.Model):
    """One thing that happened. A change of state has exactly one row, with its cause.

    Names are kept besides the keys, so that the history outlives a deleted server or group.
    """

    at = models.DateTimeField(say("Lab time"))
    recorded_at = models.DateTimeField(say("Wall time"), auto_now_add=True)
    kind = models.CharField(say("kind"), max_length=10, choices=EventKind.choices)
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        verbose_name=say("group"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="events",
        # Indexes below begin with it.
        db_index=False,
    )
    node = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("node"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="events",
        # Indexes below begin with it.
        db_index=False,
    )
    group_name = models.CharField(say("group name"), max_length=128, blank=True)
    node_name = models.CharField(say("node name"), max_length=63, blank=True)
    actor = models.CharField(say("Who"), max_length=150, blank=True)
    old_state = models.CharField(say("old state"), max_length=60, blank=True)
    old_reason = models.CharField(say("old reason"), max_length=60, blank=True)
    new_state = models.CharField(say("new state"), max_length=60, blank=True)
    new_reason = models.CharField(say("new reason"), max_length=60, blank=True)
    # Of a request to SRM: what was asked for, and whether SRM refused it.
    request = models.CharField(
        say("request"), max_length=8, choices=RequestKind.choices, blank=True
    )
    refused = models.BooleanField(say("refused"), default=False)
    # For people: no code reads it.
    sentence = SentenceField(say("sentence"))
    epoch = models.PositiveBigIntegerField(say("move number"), null=True, blank=True)
    # What SRM decided upon, of a change of state: see ``srm.inputs``. Of others, what they changed:
    # ``reports`` (whether the node's SRM does), ``ha_enabled``, ``unseen_since`` (lab seconds),
    # ``shard`` (whose nodes that was: its number from 0 on, and of how many), ``services`` (names),
    # ``changes`` (see ``operations.events.Change``).
    inputs = models.JSONField(say("inputs"), null=True, blank=True)
    # Where an administrator's request came from; empty of the command line and of the system.
    address = models.GenericIPAddressField(say("From"), null=True, blank=True)

    class Meta:
        verbose_name = say("HA event")
        verbose_name_plural = say("HA events")
        ordering = ("-pk",)
        # The history is read by lab time, whatever it is filtered by, page after page.
        indexes = [
            models.Index(fields=["group", "-id"], name="event_group"),
            models.Index(fields=["at", "id"], name="event_at"),
            models.Index(fields=["group", "at", "id"], name="event_group_at"),
            models.Index(fields=["node", "at", "id"], name="event_node_at"),
            models.Index(fields=["kind", "at", "id"], name="event_kind_at"),
            # Who changed what, by wall time: the audit trail.
            models.Index(
                fields=["recorded_at", "id"], condition=~models.Q(actor=""), name="event_actor"
            ),
        ]

    def __str__(self) -> str:
        return str(self.sentence)
