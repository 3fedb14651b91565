"""The lab as it was before another one took its place."""

from django.db import models

from redundancy.models.fields import SentenceField
from redundancy.srm.words import say


class LabCopy(models.Model):
    """A copy of the whole lab, so that it can be put back; there is one at most.

    ``data``: its rows, as ``redundancy.twin.copies`` writes them in the form ``form``. ``servers``, ``groups`` and
    ``users``: how many it holds.
    """

    made_at = models.DateTimeField(say("Made (wall time)"), auto_now_add=True)
    actor = models.CharField(say("Who"), max_length=150, blank=True)
    # What took the lab's place.
    cause = SentenceField(say("cause"))
    servers = models.PositiveIntegerField(say("servers"))
    groups = models.PositiveIntegerField(say("presence redundancy groups"))
    users = models.PositiveIntegerField(say("presence users"))
    form = models.PositiveSmallIntegerField(say("form"))
    data = models.BinaryField(say("data"))

    class Meta:
        verbose_name = say("copy of the lab")
        verbose_name_plural = say("copies of the lab")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return str(self.cause)
