"""The lab's machines: power, services, clock. A driver for real nodes would not use these tables."""

from typing import Any

from django.db import models

from redundancy.catalog import SERVICES, Watch
from redundancy.models.function import ConfiguredFunction
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
    # Whether the Data Monitor holds feature services back until database replication is set up.
    replication_monitor = models.BooleanField(
        say("replication monitored"), default=True, db_default=True
    )
    # The process that runs this node's SRM alone; empty while the ordinary sweep does.
    srm_worker = models.CharField(say("SRM process"), max_length=100, blank=True)
    # Lab time since when no client can log in; empty while they can, and nobody waits to be let in.
    # Who logged in after it, by ``PresenceSession.relogin_at``, tried and failed.
    logins_stopped_at = models.FloatField(
        say("no logins since (lab time)"), null=True, blank=True, editable=False
    )
    # Since when those who were logged in are disconnected.
    clients_lost_at = models.FloatField(
        say("clients lost at (lab time)"), null=True, blank=True, editable=False
    )
    # Since when logins are possible again, until the next sweep lets the clients in.
    logins_again_at = models.FloatField(
        say("logins again since (lab time)"), null=True, blank=True, editable=False
    )
    # Sweeps that have run since that process was last seen.
    srm_missed = models.PositiveIntegerField(say("srm missed"), default=0, editable=False)
    # Whether SRM counts as not running only because that process was not seen: it may come back.
    srm_silent = models.BooleanField(
        say("SRM process is silent"), default=False, db_default=False, editable=False
    )

    class Meta:
        verbose_name = say("machine")
        verbose_name_plural = say("machines")
        indexes = [
            models.Index(
                fields=["srm_worker"], condition=~models.Q(srm_worker=""), name="own_srm_process"
            ),
            models.Index(
                fields=["logins_again_at"],
                condition=models.Q(logins_again_at__isnull=False),
                name="logins_again",
            ),
        ]

    def __str__(self) -> str:
        if self.powered:
            return str(say("{server}: on", server=self.server_id))
        return str(say("{server}: off", server=self.server_id))


_WATCHED = [s.name for s in SERVICES if s.watch in {Watch.ALWAYS, Watch.IF_ACTIVATED}]


class NodeServices(models.QuerySet["NodeService"]):
    """Services of nodes."""

    def with_configured(self) -> models.QuerySet[Any]:
        """Return them with ``configured``: whether the cluster has configured what each carries."""
        return self.annotate(configured=models.Q(name__in=ConfiguredFunction.services()))

    def monitored(self) -> "NodeServices":
        """Return those that SRM watches: as ``catalog.is_monitored`` says."""
        configured = models.Q(name__in=ConfiguredFunction.services())
        return self.filter(models.Q(name__in=_WATCHED) | configured, activated=True)


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
    running = models.BooleanField(say("running"), default=True)
    # Wanted, but held back by the Data Monitor: it does not run yet.
    starting = models.BooleanField(say("starting"), default=False, db_default=False)
    since = models.DateTimeField(say("since"))

    objects = NodeServices.as_manager()

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
            models.CheckConstraint(
                condition=models.Q(starting=False) | models.Q(activated=True, running=False),
                name="starts_only_what_does_not_run",
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
