"""What the re-login limits of a node were, and since when."""

from django.db import models


class ReloginLimits(models.Model):
    """The two re-login limits of a node from lab time ``at`` on, until its next row.

    A client keeps the limits of its login, which may be long past. Before a node's first row the
    defaults of the catalogue held.
    """

    server = models.ForeignKey(
        "redundancy.Server", on_delete=models.CASCADE, related_name="relogin_limits"
    )
    at = models.FloatField("from (lab time)")
    lower = models.PositiveIntegerField("Client Re-Login Lower Limit")
    upper = models.PositiveIntegerField("Client Re-Login Upper Limit")

    class Meta:
        verbose_name = "re-login limits"
        verbose_name_plural = "re-login limits"
        ordering = ("server", "at", "pk")

    def __str__(self) -> str:
        return f"{self.server_id}: {self.lower} s to {self.upper} s"
