"""What was done to users, many at a time, and when."""

from django.db import models

from redundancy.srm.words import say


class RecordKind(models.TextChoices):
    """What was done to the users of a record."""

    ASSIGNED = "assigned", say("assigned")
    UNASSIGNED = "unassigned", say("unassigned")
    SIGNED_IN = "signed in", say("signed in")
    SIGNED_OUT = "signed out", say("signed out")


class UserRecord(models.Model):
    """Which users were assigned to a node, unassigned, signed in or signed out: one row for all of them.

    ``keys``: the users, as ``operations.records`` packs them. The names outlive a deleted server.
    """

    at = models.FloatField(say("Lab time"))
    kind = models.CharField(say("kind"), max_length=10, choices=RecordKind.choices)
    node = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("node"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    node_name = models.CharField(say("Assigned node"), max_length=63, blank=True)
    number = models.PositiveIntegerField(say("Users"))
    first = models.PositiveBigIntegerField(say("Smallest key"))
    last = models.PositiveBigIntegerField(say("Largest key"))
    keys = models.BinaryField(say("keys"))

    class Meta:
        verbose_name = say("user record")
        verbose_name_plural = say("user records")
        ordering = ("-pk",)
        # Those that can name a user: most name few, whose keys lie close together.
        indexes = [models.Index(fields=["first", "last"], name="record_keys")]

    def __str__(self) -> str:
        return str(
            say(
                "{number} users {kind} {node}",
                number=self.number,
                kind=self.get_kind_display(),
                node=self.node_name,
            )
        ).rstrip()
