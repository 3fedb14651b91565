"""What was told before an administrator's action moved sessions."""

from django.db import models


class Forecast(models.Model):
    """The forecast shown with a confirmation, kept with the event of the request.

    ``until_50`` and so on: seconds after the move until so many percent are expected back.
    """

    event = models.OneToOneField(
        "redundancy.HaEvent", primary_key=True, on_delete=models.CASCADE, related_name="forecast"
    )
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        null=True,
        on_delete=models.SET_NULL,
        related_name="forecasts",
    )
    moved = models.PositiveIntegerField("Sessions moved")
    disconnected = models.PositiveIntegerField("Users disconnected")
    peak = models.FloatField("Logins per second at the peak")
    until_50 = models.FloatField("50 % back after (s)")
    until_95 = models.FloatField("95 % back after (s)")
    until_100 = models.FloatField("100 % back after (s)")

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.moved} sessions"
