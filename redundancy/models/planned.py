"""A planned restart: the record of the guided routine, from the note of the users to its end."""

from django.db import models
from django.db.models import Q


class PlannedRestart(models.Model):
    """The restart of a service, or of a whole node, with High Availability off meanwhile.

    Times are lab seconds; an empty one is a step that was not taken yet. ``noted`` and ``compared``:
    users by the name of the node, ``{"assigned": …, "active": …}``, before and after. Names are kept
    besides the keys, so that the record outlives a deleted server.
    """

    server = models.ForeignKey(
        "redundancy.Server", null=True, on_delete=models.SET_NULL, related_name="planned_restarts"
    )
    server_name = models.CharField("Server", max_length=63)
    group_name = models.CharField("Presence Redundancy Group", max_length=128, blank=True)
    # Empty: the whole node.
    service = models.CharField(max_length=60, blank=True)
    # Whether High Availability is to be switched off, and on again.
    with_ha = models.BooleanField("High Availability was on", default=False)
    noted = models.JSONField(default=dict)
    compared = models.JSONField(default=dict)
    begun_at = models.FloatField()
    disabled_at = models.FloatField(null=True)
    restarted_at = models.FloatField(null=True)
    compared_at = models.FloatField(null=True)
    enabled_at = models.FloatField(null=True)
    ended_at = models.FloatField(null=True)
    # Where an unfinished one was stopped; empty of a finished one.
    stopped_at_step = models.CharField("Stopped at", max_length=60, blank=True)
    actor = models.CharField("Begun by", max_length=150)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["server"], condition=Q(ended_at=None), name="one_planned_restart_a_server"
            )
        ]

    def __str__(self) -> str:
        return f"Restart of {self.subject}"

    @property
    def subject(self) -> str:
        """What is restarted."""
        return f"{self.service} on {self.server_name}" if self.service else self.server_name
