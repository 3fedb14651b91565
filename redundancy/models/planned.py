"""A planned restart: the record of the guided routine, from the note of the users to its end."""

from django.db import models
from django.db.models import Q

from redundancy.srm.words import say


class PlannedRestart(models.Model):
    """The restart of a service, or of a whole node, with High Availability off meanwhile.

    Times are lab seconds; an empty one is a step that was not taken yet. ``noted`` and ``compared``:
    users by the name of the node, ``{"assigned": …, "active": …}``, before and after. Names are kept
    besides the keys, so that the record outlives a deleted server.
    """

    server = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("server"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="planned_restarts",
    )
    server_name = models.CharField(say("Server"), max_length=63)
    group_name = models.CharField(say("Presence Redundancy Group"), max_length=128, blank=True)
    # Empty: the whole node.
    service = models.CharField(say("service"), max_length=60, blank=True)
    # Whether High Availability is to be switched off, and on again.
    with_ha = models.BooleanField(say("High Availability was on"), default=False)
    noted = models.JSONField(say("noted"), default=dict)
    compared = models.JSONField(say("compared"), default=dict)
    begun_at = models.FloatField(say("begun at"))
    disabled_at = models.FloatField(say("disabled at"), null=True)
    restarted_at = models.FloatField(say("restarted at"), null=True)
    compared_at = models.FloatField(say("compared at"), null=True)
    enabled_at = models.FloatField(say("enabled at"), null=True)
    ended_at = models.FloatField(say("ended at"), null=True)
    # Where an unfinished one was stopped; empty of a finished one.
    stopped_at_step = models.CharField(say("Stopped at"), max_length=60, blank=True)
    actor = models.CharField(say("Begun by"), max_length=150)
    ended_by = models.CharField(say("ended by"), max_length=150, blank=True)

    class Meta:
        verbose_name = say("planned restart")
        verbose_name_plural = say("planned restarts")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["server"], condition=Q(ended_at=None), name="one_planned_restart_a_server"
            )
        ]

    def __str__(self) -> str:
        return str(say("Restart of {subject}", subject=self.subject))

    @property
    def subject(self) -> str:
        """What is restarted."""
        if not self.service:
            return self.server_name
        return say("{service} on {server}", service=self.service, server=self.server_name)
