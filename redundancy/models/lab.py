"""The lab's machines: power, services, clock. A driver for real nodes would not use these tables."""

from django.db import models

from redundancy.catalog import SERVICES
from redundancy.srm.trace import Level
from redundancy.srm.words import say


class ServiceStatus(models.TextChoices):
    """Status of a service as the Control Center shows it."""

    STARTED = "Started", say("Started")
    STOPPED = "Stopped", say("Stopped")
    STARTING = "Starting", say("Starting")
    STOPPING = "Stopping", say("Stopping")
    NOT_ACTIVATED = "Not Activated", say("Not Activated")
    UNKNOWN = "Unknown", say("Unknown")


class Machine(models.Model):
    """Power of a lab node, and whether its SRM process runs."""

    server = models.OneToOneField(
        "redundancy.Server",
        verbose_name=say("server"),
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="machine",
    )
    powered = models.BooleanField(say("powered"), default=True)
    srm_running = models.BooleanField(say("SRM running"), default=True)
    # How often SRM was started: heartbeats of an earlier start do not count.
    incarnation = models.PositiveIntegerField(say("incarnation"), default=1)
    # Lab time.
    up_since = models.DateTimeField(say("up since"), null=True)
    # Lab time at which a restarting node is back; empty when none is under way.
    boots_at = models.DateTimeField(say("boots at"), null=True, blank=True, db_index=True)

    # The name of a Level of srm.trace.
    trace_level = models.CharField(
        say("SRM trace level"),
        max_length=5,
        choices=[(level.name, level.name.capitalize()) for level in Level],
        default=Level.INFO.name,
    )
    # The process that runs this node's SRM alone; empty while the ordinary sweep does.
    srm_worker = models.CharField(say("SRM process"), max_length=100, blank=True)
    # Sweeps that have run since that process was last seen.
    srm_missed = models.PositiveIntegerField(say("srm missed"), default=0, editable=False)

    class Meta:
        verbose_name = say("machine")
        verbose_name_plural = say("machines")
        indexes = [
            models.Index(
                fields=["srm_worker"], condition=~models.Q(srm_worker=""), name="own_srm_process"
            )
        ]

    def __str__(self) -> str:
        if self.powered:
            return str(say("{server}: on", server=self.server_id))
        return str(say("{server}: off", server=self.server_id))


class NodeService(models.Model):
    """A service of a lab node. ``since``: lab time at which it took its present status."""

    server = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("server"),
        on_delete=models.CASCADE,
        related_name="services",
    )
    name = models.CharField(
        say("name"), max_length=60, choices=[(s.name, s.name) for s in SERVICES]
    )
    activated = models.BooleanField(say("activated"), default=True)
    # Whether the deployment configured the function behind it (compliance, persistent chat, federation).
    configured = models.BooleanField(say("configured"), default=False)
    running = models.BooleanField(say("running"), default=True)
    since = models.DateTimeField(say("since"))

    class Meta:
        verbose_name = say("node service")
        verbose_name_plural = say("node services")
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

    real_at = models.FloatField(say("real at"))
    lab_at = models.FloatField(say("lab at"))
    rate = models.FloatField(say("rate"))

    class Meta:
        verbose_name = say("lab clock")
        verbose_name_plural = say("lab clocks")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"x{self.rate:g}"
