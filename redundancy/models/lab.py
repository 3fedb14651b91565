"""The lab's machines: power, services, clock. A driver for real nodes would not use these tables."""

from django.db import models

from redundancy.catalog import SERVICES
from redundancy.srm.trace import Level


class ServiceStatus(models.TextChoices):
    """Status of a service as the Control Center shows it."""

    STARTED = "Started", "Started"
    STOPPED = "Stopped", "Stopped"
    STARTING = "Starting", "Starting"
    STOPPING = "Stopping", "Stopping"
    NOT_ACTIVATED = "Not Activated", "Not Activated"
    UNKNOWN = "Unknown", "Unknown"


class Machine(models.Model):
    """Power of a lab node, and whether its SRM process runs."""

    server = models.OneToOneField(
        "redundancy.Server", primary_key=True, on_delete=models.CASCADE, related_name="machine"
    )
    powered = models.BooleanField(default=True)
    srm_running = models.BooleanField("SRM running", default=True)
    # How often SRM was started: heartbeats of an earlier start do not count.
    incarnation = models.PositiveIntegerField(default=1)
    # Lab time.
    up_since = models.DateTimeField(null=True)
    # Lab time at which a restarting node is back; empty when none is under way.
    boots_at = models.DateTimeField(null=True, blank=True, db_index=True)

    # The name of a Level of srm.trace.
    trace_level = models.CharField(
        "SRM trace level",
        max_length=5,
        choices=[(level.name, level.name.capitalize()) for level in Level],
        default=Level.INFO.name,
    )
    # The process that runs this node's SRM alone; empty while the ordinary sweep does.
    srm_worker = models.CharField("SRM process", max_length=100, blank=True)
    # Sweeps that have run since that process was last seen.
    srm_missed = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["srm_worker"], condition=~models.Q(srm_worker=""), name="own_srm_process"
            )
        ]

    def __str__(self) -> str:
        return f"{self.server_id}: {'on' if self.powered else 'off'}"


class NodeService(models.Model):
    """A service of a lab node. ``since``: lab time at which it took its present status."""

    server = models.ForeignKey(
        "redundancy.Server", on_delete=models.CASCADE, related_name="services"
    )
    name = models.CharField(max_length=60, choices=[(s.name, s.name) for s in SERVICES])
    activated = models.BooleanField(default=True)
    # Whether the deployment configured the function behind it (compliance, persistent chat, federation).
    configured = models.BooleanField(default=False)
    running = models.BooleanField(default=True)
    since = models.DateTimeField()

    class Meta:
        ordering = ("server", "name")
        constraints = [
            models.UniqueConstraint(fields=["server", "name"], name="one_row_a_service"),
            models.CheckConstraint(
                condition=models.Q(activated=True) | models.Q(running=False),
                name="runs_only_activated",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LabClock(models.Model):
    """An anchor of lab time: at wall time ``real_at`` it was lab time ``lab_at``; the newest counts."""

    real_at = models.FloatField()
    lab_at = models.FloatField()
    rate = models.FloatField()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"x{self.rate:g}"
