"""What was done to users, many at a time, and when."""

from django.db import models


class RecordKind(models.TextChoices):
    """What was done to the users of a record."""

    ASSIGNED = "assigned", "assigned"
    UNASSIGNED = "unassigned", "unassigned"
    SIGNED_IN = "signed in", "signed in"
    SIGNED_OUT = "signed out", "signed out"


class UserRecord(models.Model):
    """Which users were assigned to a node, unassigned, signed in or signed out: one row for all of them.

    ``keys``: the users, as ``operations.records`` packs them. The names outlive a deleted server.
    """

    at = models.FloatField("Lab time")
    kind = models.CharField(max_length=10, choices=RecordKind.choices)
    node = models.ForeignKey(
        "redundancy.Server", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    node_name = models.CharField("Assigned node", max_length=63, blank=True)
    number = models.PositiveIntegerField("Users")
    first = models.PositiveBigIntegerField("Smallest key")
    last = models.PositiveBigIntegerField("Largest key")
    keys = models.BinaryField()

    class Meta:
        verbose_name = "user record"
        ordering = ("-pk",)
        # Those that can name a user: most name few, whose keys lie close together.
        indexes = [models.Index(fields=["first", "last"], name="record_keys")]

    def __str__(self) -> str:
        return f"{self.number} users {self.kind} {self.node_name}".rstrip()
