"""Imports of users from a file: the job, and what it keeps until it has ended.

All of it is in the database: the page and the worker may run on different machines, and a worker
that was killed leaves behind what the next one goes on with.
"""

from django.db import models

from redundancy.models.fields import SentenceField
from redundancy.srm.words import say


class ImportState(models.TextChoices):
    """How far an import is."""

    CHECKING = "checking", say("Checking")
    READY = "ready", say("Checked")
    IMPORTING = "importing", say("Importing")
    DONE = "done", say("Imported")
    REFUSED = "refused", say("Refused")
    CANCELLED = "cancelled", say("Cancelled")
    FAILED = "failed", say("Failed")


class UserImport(models.Model):
    """An import of users. Each step of it is written by compare-and-set on ``step``."""

    file_name = models.CharField(say("File"), max_length=255)
    actor = models.CharField(say("Who"), max_length=150, blank=True)
    begun_at = models.DateTimeField(say("Begun (wall time)"), auto_now_add=True)
    ended_at = models.DateTimeField(say("Ended (wall time)"), null=True, blank=True)
    state = models.CharField(
        say("state"), max_length=10, choices=ImportState.choices, default=ImportState.CHECKING
    )
    # Whether users are added as soon as the check finds no error.
    at_once = models.BooleanField(say("Import without asking"), default=False)
    size = models.PositiveBigIntegerField(say("Size of the file (bytes)"))
    read = models.PositiveBigIntegerField(say("Bytes read"), default=0)
    line = models.PositiveIntegerField(say("Lines read"), default=0)
    delimiter = models.CharField(say("delimiter"), max_length=1, blank=True)
    rows = models.PositiveIntegerField(say("Users in it"), default=0)
    problems = models.PositiveIntegerField(say("Errors in it"), default=0)
    step = models.PositiveIntegerField(say("step"), default=0)
    # Wall time of the last step: when it is long ago, the worker is gone.
    touched_at = models.DateTimeField(say("Last step (wall time)"), auto_now_add=True)
    restarts = models.PositiveIntegerField(say("restarts"), default=0)
    # Whether the file and its rows are still kept.
    kept = models.BooleanField(say("kept"), default=True)
    sentence = SentenceField(say("sentence"), blank=True)

    class Meta:
        verbose_name = say("import of users")
        verbose_name_plural = say("imports of users")
        ordering = ("-pk",)
        indexes = [models.Index(fields=["kept"], condition=models.Q(kept=True), name="import_kept")]

    def __str__(self) -> str:
        return str(say("Import of {file}", file=self.file_name))


class ImportPiece(models.Model):
    """A piece of the file; all but the last one are of the same length."""

    job = models.ForeignKey(
        UserImport, verbose_name=say("job"), on_delete=models.CASCADE, related_name="pieces"
    )
    number = models.PositiveIntegerField(say("number"))
    data = models.BinaryField(say("data"))

    class Meta:
        verbose_name = say("import piece")
        verbose_name_plural = say("import pieces")
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_piece_a_number")]

    def __str__(self) -> str:
        return str(say("Piece {number} of import {job}", number=self.number, job=self.job_id))


class ImportRow(models.Model):
    """A line of the file that is in order, as it will be stored."""

    job = models.ForeignKey(
        UserImport, verbose_name=say("job"), on_delete=models.CASCADE, related_name="staged"
    )
    line = models.PositiveIntegerField(say("line"))
    userid = models.CharField(say("User ID"), max_length=128)
    display_name = models.CharField(say("display name"), max_length=128, blank=True)
    im_address = models.CharField(say("IM Address"), max_length=255)
    # No foreign key: that the node is gone is found when users are added.
    node = models.BigIntegerField(say("key of the node"), null=True, blank=True)

    class Meta:
        verbose_name = say("row of an import")
        verbose_name_plural = say("rows of imports")

    def __str__(self) -> str:
        return str(say("Line {line}: {user}", line=self.line, user=self.userid))


class ImportProblem(models.Model):
    """An error in the file. ``column``: from 1; 0 for the whole line."""

    job = models.ForeignKey(
        UserImport, verbose_name=say("job"), on_delete=models.CASCADE, related_name="faults"
    )
    line = models.PositiveIntegerField(say("line"))
    column = models.PositiveSmallIntegerField(say("column"))
    rule = SentenceField(say("rule"))

    class Meta:
        verbose_name = say("error of an import")
        verbose_name_plural = say("errors of imports")
        ordering = ("line", "column", "pk")

    def __str__(self) -> str:
        return str(
            say(
                "Line {line}, column {column}: {rule}",
                line=self.line,
                column=self.column,
                rule=self.rule,
            )
        )
