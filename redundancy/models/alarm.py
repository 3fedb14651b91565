"""Alarms, and who is told of them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from redundancy.models.fields import SecretField, SentenceField
from redundancy.srm.words import say


class AlarmKind(models.TextChoices):
    """The alerts of the field, all of them critical but those behind the blank line."""

    FAILOVER = "SRMFailover", "SRMFailover"
    FAILED = "SRMFailed", "SRMFailed"
    SERVICE_DOWN = "CriticalServiceDown", "CriticalServiceDown"
    SERVER_DOWN = "ServerDown", "ServerDown"
    PEER_FAILURE = "PEPeerNodeFailure", "PEPeerNodeFailure"
    CROWDED = "JSMSessionsExceedsThreshold", "JSMSessionsExceedsThreshold"

    # CriticalServiceDown is for what SRM monitors; this is what the Service Manager reports of any service.
    SERVICE_STOPPED = "ServiceStopped", "ServiceStopped"
    # Ours, of a real cluster that is watched: what it is asked for by its administrator, and that it is not seen.
    HA_OFF = "HighAvailabilityOff", "HighAvailabilityOff"
    WATCH_FAILED = "ClusterWatchFailed", "ClusterWatchFailed"
    # The weekly report on it: cleared when it is raised.
    REPORT = "ClusterReadiness", "ClusterReadiness"


class Alarm(models.Model):
    """One alarm from its raising to its end. Times are lab seconds, but for the acknowledgement.

    ``subject`` names what it is about, the group or the node, by its key: at most one alarm of a
    kind is open for it. Names outlive a deleted server or group.
    """

    kind = models.CharField(say("kind"), max_length=40, choices=AlarmKind.choices)
    subject = models.CharField(say("subject"), max_length=24, editable=False)
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        verbose_name=say("group"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="alarms",
    )
    # Name of the real cluster that it is of; empty: it is of the lab.
    cluster = models.CharField(say("Cluster"), max_length=100, blank=True, default="")
    group_name = models.CharField(say("Presence Redundancy Group"), max_length=128, blank=True)
    node_name = models.CharField(say("Server"), max_length=63, blank=True)
    sentence = SentenceField(say("sentence"))
    raised_at = models.FloatField(say("raised at"))
    changes = models.PositiveIntegerField(say("Changes since"), default=0)
    cleared_at = models.FloatField(say("cleared at"), null=True)
    acknowledged_at = models.DateTimeField(say("Acknowledged (wall time)"), null=True)
    acknowledged_by = models.CharField(say("acknowledged by"), max_length=150, blank=True)

    class Meta:
        verbose_name = say("alarm")
        verbose_name_plural = say("alarms")
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
        return f"{self.kind}: {self.whose}"

    @property
    def whose(self) -> str:
        """Name of the node or group; of a real cluster's with the name of that, so that nobody takes it for the lab's."""
        name = self.node_name or self.group_name
        if not self.cluster:
            return name
        if not name:
            return say("{cluster} (real)", cluster=self.cluster)
        return say("{cluster} (real): {name}", cluster=self.cluster, name=name)


class AlarmChannel(models.Model):
    """Somebody who is told: an address in Apprise's notation, which may hold a password.

    The address is empty when it was stored under another ``SECRET_KEY``.
    """

    name = models.CharField(say("name"), max_length=64, unique=True)
    url = SecretField(say("Address"))
    enabled = models.BooleanField(say("enabled"), default=True)
    # Wall time.
    last_success = models.DateTimeField(say("last success"), null=True, editable=False)
    last_failure = models.DateTimeField(say("last failure"), null=True, editable=False)
    last_error = models.TextField(say("last error"), blank=True, editable=False)

    class Meta:
        verbose_name = say("alarm channel")
        verbose_name_plural = say("alarm channels")
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

    alarm = models.ForeignKey(
        Alarm, verbose_name=say("alarm"), on_delete=models.CASCADE, related_name="notices"
    )
    channel = models.ForeignKey(
        AlarmChannel, verbose_name=say("channel"), on_delete=models.CASCADE, related_name="notices"
    )
    text = models.TextField(say("text"))
    tries = models.PositiveIntegerField(say("tries"), default=0)
    # Wall time of the next try; a try under way has put it off.
    due_at = models.DateTimeField(say("due at"), default=timezone.now)
    delivered_at = models.DateTimeField(say("delivered at"), null=True)
    given_up = models.BooleanField(say("given up"), default=False)

    class Meta:
        verbose_name = say("alarm notice")
        verbose_name_plural = say("alarm notices")
        ordering = ("pk",)
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(delivered_at=None, given_up=False),
                name="notice_waiting",
            )
        ]

    def __str__(self) -> str:
        return str(say("{alarm} to {channel}", alarm=str(self.alarm), channel=self.channel.name))
