"""What all processes of an installation must agree on, kept once."""

from django.db import models

from redundancy.srm.words import say


class SharedSetting(models.Model):
    """A setting as it holds on all machines; written by the ``release`` step alone."""

    name = models.CharField(say("name"), max_length=40, primary_key=True)
    value = models.JSONField(say("value"))

    class Meta:
        verbose_name = say("shared setting")
        verbose_name_plural = say("shared settings")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
