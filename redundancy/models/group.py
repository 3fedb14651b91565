"""Presence redundancy groups."""

from django.db import models
from django.db.models.functions import Lower

from redundancy.srm.words import say


class RedundancyGroup(models.Model):
    """One or two IM and Presence servers that stand in for each other (a *subcluster*)."""

    name = models.CharField(say("name"), max_length=128)
    description = models.CharField(say("description"), max_length=128, blank=True)
    ha_enabled = models.BooleanField(say("High Availability"), default=False)
    # Counts how often HA was switched on: what a node remembers of an earlier time does not count.
    ha_generation = models.PositiveIntegerField(say("ha generation"), default=0, editable=False)
    # Rises with each change of who serves whom; a move decided at an older epoch is refused.
    epoch = models.PositiveBigIntegerField(say("move number"), default=0, editable=False)
    # The node that holds everybody's sessions after a takeover; empty while sessions are at home.
    holder = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("holder"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        verbose_name = say("presence redundancy group")
        verbose_name_plural = say("presence redundancy groups")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(Lower("name"), name="group_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name
