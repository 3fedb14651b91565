"""Imports of users from a file: the job, and what it keeps until it has ended.

All of it is in the database: the page and the worker may run on different machines, and a worker
that was killed leaves behind what the next one goes on with.
"""

from django.db import models

from redundancy.models.fields import SentenceField


class ImportState(models.TextChoices):
    """How far an import is."""

    CHECKING = "checking", "Checking"
    READY = "ready", "Checked"
    IMPORTING = "importing", "Importing"
    DONE = "done", "Imported"
    REFUSED = "refused", "Refused"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


class UserImport(models.Model):
    """An import of users. Each step of it is written by compare-and-set on ``step``."""

    file_name = models.CharField("File", max_length=255)
    actor = models.CharField("Who", max_length=150, blank=True)
    begun_at = models.DateTimeField("Begun (wall time)", auto_now_add=True)
    ended_at = models.DateTimeField("Ended (wall time)", null=True, blank=True)
    state = models.CharField(
        max_length=10, choices=ImportState.choices, default=ImportState.CHECKING
    )
    # Whether users are added as soon as the check finds no error.
    at_once = models.BooleanField("Import without asking", default=False)
    size = models.PositiveBigIntegerField("Size of the file (bytes)")
    read = models.PositiveBigIntegerField("Bytes read", default=0)
    line = models.PositiveIntegerField("Lines read", default=0)
    delimiter = models.CharField(max_length=1, blank=True)
    rows = models.PositiveIntegerField("Users in it", default=0)
    problems = models.PositiveIntegerField("Errors in it", default=0)
    step = models.PositiveIntegerField(default=0)
    # Wall time of the last step: when it is long ago, the worker is gone.
    touched_at = models.DateTimeField("Last step (wall time)", auto_now_add=True)
    restarts = models.PositiveIntegerField(default=0)
    # Whether the file and its rows are still kept.
    kept = models.BooleanField(default=True)
    sentence = SentenceField(blank=True)

    class Meta:
        verbose_name = "import of users"
        verbose_name_plural = "imports of users"
        ordering = ("-pk",)
        indexes = [models.Index(fields=["kept"], condition=models.Q(kept=True), name="import_kept")]

    def __str__(self) -> str:
        return f"Import of {self.file_name}"


class ImportPiece(models.Model):
    """A piece of the file; all but the last one are of the same length."""

    job = models.ForeignKey(UserImport, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_piece_a_number")]

    def __str__(self) -> str:
        return f"Piece {self.number} of import {self.job_id}"


class ImportRow(models.Model):
    """A line of the file that is in order, as it will be stored."""

    job = models.ForeignKey(UserImport, on_delete=models.CASCADE, related_name="staged")
    line = models.PositiveIntegerField()
    userid = models.CharField("User ID", max_length=128)
    display_name = models.CharField(max_length=128, blank=True)
    im_address = models.CharField("IM Address", max_length=255)
    # No foreign key: that the node is gone is found when users are added.
    node = models.BigIntegerField("key of the node", null=True, blank=True)

    class Meta:
        verbose_name = "row of an import"
        verbose_name_plural = "rows of imports"

    def __str__(self) -> str:
        return f"Line {self.line}: {self.userid}"


class ImportProblem(models.Model):
    """An error in the file. ``column``: from 1; 0 for the whole line."""

    job = models.ForeignKey(UserImport, on_delete=models.CASCADE, related_name="faults")
    line = models.PositiveIntegerField()
    column = models.PositiveSmallIntegerField()
    rule = SentenceField()

    class Meta:
        verbose_name = "error of an import"
        verbose_name_plural = "errors of imports"
        ordering = ("line", "column", "pk")

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.rule}"
