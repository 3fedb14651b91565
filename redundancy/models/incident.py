"""Incidents: a failover and everything that belongs to it."""

from django.db import models
from django.db.models import Q

from redundancy.models.fields import SentenceField
from redundancy.srm.words import say


class Incident(models.Model):
    """From the change of state that a failover began with, until both nodes are Normal again.

    A second failover meanwhile belongs to it. Its events are those of its group from the first to
    the last one. Names are kept besides the keys, as in the history.
    """

    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        verbose_name=say("group"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="incidents",
        db_index=False,
    )
    group_name = models.CharField(say("Presence Redundancy Group"), max_length=128)
    node_name = models.CharField(say("Server"), max_length=63)
    reason = models.CharField(say("reason"), max_length=60)
    cause = SentenceField(say("cause"))
    opened_at = models.DateTimeField(say("Opened (lab time)"))
    closed_at = models.DateTimeField(say("Closed (lab time)"), null=True, blank=True)
    # How it ended; empty while it is open.
    ended = models.CharField(say("ended"), max_length=60, blank=True)
    first_event = models.OneToOneField(
        "redundancy.HaEvent",
        verbose_name=say("first event"),
        on_delete=models.PROTECT,
        related_name="opened",
    )
    last_event = models.OneToOneField(
        "redundancy.HaEvent",
        verbose_name=say("last event"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="closed",
    )

    class Meta:
        verbose_name = say("incident")
        verbose_name_plural = say("incidents")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["group"], condition=Q(closed_at=None), name="one_open_incident_a_group"
            )
        ]
        indexes = [
            models.Index(fields=["group", "-id"], name="incident_group"),
            models.Index(fields=["closed_at"], name="incident_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.group_name}: {self.cause}"
