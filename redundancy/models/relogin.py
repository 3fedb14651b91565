"""What the re-login limits of a node were, and since when."""

from django.db import models

from redundancy.srm.words import say


class ReloginLimits(models.Model):
    """The two re-login limits of a node from lab time ``at`` on, until its next row.

    A client keeps the limits of its login, which may be long past. Before a node's first row the
    defaults of the catalogue held.
    """

    server = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("server"),
        on_delete=models.CASCADE,
        related_name="relogin_limits",
    )
    at = models.FloatField(say("from (lab time)"))
    lower = models.PositiveIntegerField(say("Client Re-Login Lower Limit"))
    upper = models.PositiveIntegerField(say("Client Re-Login Upper Limit"))

    class Meta:
        verbose_name = say("re-login limits")
        verbose_name_plural = say("re-login limits")
        ordering = ("server", "at", "pk")

    def __str__(self) -> str:
        return str(
            say(
                "{server}: {lower} s to {upper} s",
                server=self.server_id,
                lower=self.lower,
                upper=self.upper,
            )
        )
