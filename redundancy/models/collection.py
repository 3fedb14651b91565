"""A log collection: what is put together for a case."""

from django.db import models

from redundancy.models.fields import SentenceField


class CollectionState(models.TextChoices):
    """How far a log collection is."""

    WORKING = "working", "Collecting"
    DONE = "done", "Ready"
    FAILED = "failed", "Failed"


class LogCollection(models.Model):
    """The logs of a group over a span of lab time, as a ZIP file under ``VAR_DIR/collections``.

    Each step is claimed by compare-and-set on ``step`` and ``turn``; one that is taken up again
    begins anew with the next turn.
    """

    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        null=True,
        on_delete=models.SET_NULL,
        related_name="log_collections",
    )
    group_name = models.CharField("Presence Redundancy Group", max_length=128)
    # The incident it is about, where it was begun for one.
    incident = models.ForeignKey(
        "redundancy.Incident",
        null=True,
        on_delete=models.SET_NULL,
        related_name="log_collections",
    )
    since = models.FloatField("From (lab time)")
    until = models.FloatField("To (lab time)")
    actor = models.CharField("Who", max_length=150)
    begun_at = models.DateTimeField("Begun (wall time)", auto_now_add=True)
    touched_at = models.DateTimeField("Last step (wall time)", auto_now_add=True)
    state = models.CharField(
        max_length=10, choices=CollectionState.choices, default=CollectionState.WORKING
    )
    step = models.PositiveIntegerField(default=0)
    turn = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField("Size (bytes)", default=0)
    sentence = SentenceField(blank=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"Logs of {self.group_name}"
