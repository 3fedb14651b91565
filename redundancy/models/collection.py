"""What is kept for a case: the SRM traces, and log collections."""

from django.db import models

from redundancy.models.fields import SentenceField
from redundancy.srm.words import say


class CollectionState(models.TextChoices):
    """How far a log collection is."""

    WORKING = "working", say("Collecting")
    DONE = "done", say("Ready")
    FAILED = "failed", say("Failed")


class LogCollection(models.Model):
    """The logs of a group over a span of lab time, as a ZIP file in pieces.

    Each step is claimed by compare-and-set on ``step`` and ``turn``; one that is taken up again
    begins anew with the next turn. Its file is in the database: the worker of the next step, and
    the web process that sends it, may run on other machines.
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


class CollectionPiece(models.Model):
    """A piece of a log collection's file, as far as it is made."""

    job = models.ForeignKey(
        LogCollection, verbose_name=say("job"), on_delete=models.CASCADE, related_name="pieces"
    )
    number = models.PositiveIntegerField(say("number"))
    data = models.BinaryField(say("data"))

    class Meta:
        verbose_name = say("log collection piece")
        verbose_name_plural = say("log collection pieces")
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="one_collection_piece_a_number")
        ]

    def __str__(self) -> str:
        return str(
            say("Piece {number} of log collection {job}", number=self.number, job=self.job_id)
        )


class TracePiece(models.Model):
    """What a step of a node's SRM wrote into its trace: one line or more."""

    # No constraint: a trace explains, and no deletion of a server waits for it or lists it.
    node = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("node"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    text = models.TextField(say("lines"))
    size = models.PositiveIntegerField(say("Size (bytes)"))

    class Meta:
        verbose_name = say("SRM trace piece")
        verbose_name_plural = say("SRM trace pieces")
        indexes = [models.Index(fields=["node", "id"], name="trace_of_node")]

    def __str__(self) -> str:
        return str(say("SRM trace piece {number}", number=self.pk))
