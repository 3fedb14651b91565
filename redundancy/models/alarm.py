"""Alarms, and who is told of them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from redundancy.models.fields import SentenceField


class AlarmKind(models.TextChoices):
    """The alerts of the field, all of them critical."""

    FAILOVER = "SRMFailover", "SRMFailover"
    FAILED = "SRMFailed", "SRMFailed"
    SERVICE_DOWN = "CriticalServiceDown", "CriticalServiceDown"
    SERVER_DOWN = "ServerDown", "ServerDown"
    PEER_FAILURE = "PEPeerNodeFailure", "PEPeerNodeFailure"


class Alarm(models.Model):
    """One alarm from its raising to its end. Times are lab seconds, but for the acknowledgement.

    ``subject`` names what it is about, the group or the node, by its key: at most one alarm of a
    kind is open for it. Names outlive a deleted server or group.
    """

    kind = models.CharField(max_length=20, choices=AlarmKind.choices)
    subject = models.CharField(max_length=24, editable=False)
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        null=True,
        on_delete=models.SET_NULL,
        related_name="alarms",
    )
    group_name = models.CharField("Presence Redundancy Group", max_length=128, blank=True)
    node_name = models.CharField("Server", max_length=63, blank=True)
    sentence = SentenceField()
    raised_at = models.FloatField()
    changes = models.PositiveIntegerField("Changes since", default=0)
    cleared_at = models.FloatField(null=True)
    acknowledged_at = models.DateTimeField("Acknowledged (wall time)", null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(cleared_at=None), name="one_open_alarm"
            )
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(acknowledged_at=None), name="alarm_unacknowledged"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.node_name or self.group_name}"


class AlarmChannel(models.Model):
    """Somebody who is told: an address in Apprise's notation, which may hold a password."""

    name = models.CharField(max_length=64, unique=True)
    url = models.CharField("Address", max_length=500)
    enabled = models.BooleanField(default=True)
    # Wall time.
    last_success = models.DateTimeField(null=True, editable=False)
    last_failure = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def fails(self) -> bool:
        """Whether the last try failed."""
        return self.last_failure is not None and (
            self.last_success is None or self.last_failure > self.last_success
        )


class AlarmNotice(models.Model):
    """Something that a channel is told of an alarm: kept until it is delivered, or given up."""

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="notices")
    channel = models.ForeignKey(AlarmChannel, on_delete=models.CASCADE, related_name="notices")
    text = models.TextField()
    tries = models.PositiveIntegerField(default=0)
    # Wall time of the next try; a try under way has put it off.
    due_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True)
    given_up = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(delivered_at=None, given_up=False),
                name="notice_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.alarm} to {self.channel}"
