"""What was told before an administrator's action moved sessions."""

from django.db import models

from redundancy.srm.words import say


class Forecast(models.Model):
    """The forecast shown with a confirmation, kept with the event of the request.

    ``until_50`` and so on: seconds after the move until so many percent are expected back.
    """

    event = models.OneToOneField(
        "redundancy.HaEvent",
        verbose_name=say("event"),
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="forecast",
    )
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        verbose_name=say("group"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="forecasts",
    )
    # Users; each has so many clients, and as many sessions.
    moved = models.PositiveIntegerField(say("Users moved"))
    clients_per_user = models.PositiveSmallIntegerField(
        say("Clients per user"), default=1, db_default=1
    )
    disconnected = models.PositiveIntegerField(say("Users disconnected"))
    peak = models.FloatField(say("Logins per second at the peak"))
    until_50 = models.FloatField(say("50 % back after (s)"))
    until_95 = models.FloatField(say("95 % back after (s)"))
    until_100 = models.FloatField(say("100 % back after (s)"))

    class Meta:
        verbose_name = say("forecast")
        verbose_name_plural = say("forecasts")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return str(say("{moved} sessions", moved=self.moved * self.clients_per_user))
