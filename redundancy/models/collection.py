"""A log collection: what is put together for a case."""

from django.db import models

from redundancy.models.fields import SentenceField
from redundancy.srm.words import say


class CollectionState(models.TextChoices):
    """How far a log collection is."""

    WORKING = "working", say("Collecting")
    DONE = "done", say("Ready")
    FAILED = "failed", say("Failed")


class LogCollection(models.Model):
    """The logs of a group over a span of lab time, as a ZIP file under ``VAR_DIR/collections``.

    Each step is claimed by compare-and-set on ``step`` and ``turn``; one that is taken up again
    begins anew with the next turn.
    """

    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        verbose_name=say("group"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="log_collections",
    )
    group_name = models.CharField(say("Presence Redundancy Group"), max_length=128)
    # The incident it is about, where it was begun for one.
    incident = models.ForeignKey(
        "redundancy.Incident",
        verbose_name=say("incident"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="log_collections",
    )
    since = models.FloatField(say("From (lab time)"))
    until = models.FloatField(say("To (lab time)"))
    actor = models.CharField(say("Who"), max_length=150)
    begun_at = models.DateTimeField(say("Begun (wall time)"), auto_now_add=True)
    touched_at = models.DateTimeField(say("Last step (wall time)"), auto_now_add=True)
    state = models.CharField(
        say("state"),
        max_length=10,
        choices=CollectionState.choices,
        default=CollectionState.WORKING,
    )
    step = models.PositiveIntegerField(say("step"), default=0)
    turn = models.PositiveIntegerField(say("turn"), default=0)
    size = models.PositiveBigIntegerField(say("Size (bytes)"), default=0)
    sentence = SentenceField(say("sentence"), blank=True)

    class Meta:
        verbose_name = say("log collection")
        verbose_name_plural = say("log collections")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return str(say("Logs of {group}", group=self.group_name))
