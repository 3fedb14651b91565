"""What happened: the history of high availability."""

from django.db import models

from redundancy.models.fields import SentenceField


class EventKind(models.TextChoices):
    """Sort of event."""

    STATE = "state", "State change"
    ADMIN = "admin", "Administrator's action"
    MOVE = "move", "Session move"
    LAB = "lab", "Lab"
    PARAMETER = "parameter", "Parameter change"


class HaEvent(models.Model):
    """One thing that happened. A change of state has exactly one row, with its cause.

    Names are kept besides the keys, so that the history outlives a deleted server or group.
    """

    at = models.DateTimeField("Lab time")
    recorded_at = models.DateTimeField("Wall time", auto_now_add=True)
    kind = models.CharField(max_length=10, choices=EventKind.choices)
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="events",
        # Indexes below begin with it.
        db_index=False,
    )
    node = models.ForeignKey(
        "redundancy.Server",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="events",
        # Indexes below begin with it.
        db_index=False,
    )
    group_name = models.CharField(max_length=128, blank=True)
    node_name = models.CharField(max_length=63, blank=True)
    actor = models.CharField("Who", max_length=150, blank=True)
    old_state = models.CharField(max_length=60, blank=True)
    old_reason = models.CharField(max_length=60, blank=True)
    new_state = models.CharField(max_length=60, blank=True)
    new_reason = models.CharField(max_length=60, blank=True)
    sentence = SentenceField()
    epoch = models.PositiveBigIntegerField(null=True, blank=True)
    # What SRM decided upon, of a change of state: see ``srm.inputs``. Of others, what they changed:
    # ``reports`` (whether the node's SRM does), ``ha_enabled``, ``unseen_since`` (lab seconds).
    inputs = models.JSONField(null=True, blank=True)
    # Where an administrator's request came from; empty of the command line and of the system.
    address = models.GenericIPAddressField("From", null=True, blank=True)

    class Meta:
        verbose_name = "HA event"
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
        return self.sentence
