"""Who served the users of a group, and since when."""

from django.db import models


class SessionMove(models.Model):
    """A change of who serves the users of a group: one node all of them, or each node its own.

    One row whatever the number of sessions. Where a user's session was at a moment follows from the
    assigned node and the moves of its group. Names are kept besides the keys, as in the history.
    """

    event = models.OneToOneField(
        "redundancy.HaEvent", primary_key=True, on_delete=models.CASCADE, related_name="move"
    )
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        null=True,
        on_delete=models.SET_NULL,
        related_name="moves",
        db_index=False,
    )
    at = models.FloatField("Lab time")
    epoch = models.PositiveBigIntegerField()
    # The node that serves everybody from then on; empty when each user is served at home.
    holder = models.ForeignKey(
        "redundancy.Server", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    holder_name = models.CharField("Server that serves everybody", max_length=63, blank=True)
    # The nodes of the group at that moment.
    first = models.ForeignKey(
        "redundancy.Server", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    first_name = models.CharField("First server", max_length=63)
    second = models.ForeignKey(
        "redundancy.Server", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    second_name = models.CharField("Second server", max_length=63, blank=True)
    moved = models.PositiveIntegerField("Sessions moved")
    # The widest limits of those that moved: each of them logs in so many seconds later.
    lower = models.PositiveIntegerField("Re-login not before (s)")
    upper = models.PositiveIntegerField("Re-login not after (s)")

    # How the clients logged in: see ``selectors.measured``. Empty until all have, or moved again.
    logins = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = "session move"
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=["group", "-event"], name="move_group"),
            models.Index(
                fields=["event"],
                condition=models.Q(logins__isnull=True, moved__gt=0),
                name="move_unmeasured",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.moved} sessions to {self.holder_name or 'their assigned servers'}"
