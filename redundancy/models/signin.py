"""Who signed in, and who tried to."""

from django.db import models

from redundancy.srm.words import say


class SignIn(models.Model):
    """A successful or failed sign-in under the name of an existing user."""

    username = models.CharField(say("username"), max_length=150, db_index=True)
    at = models.DateTimeField(say("at"), auto_now_add=True)
    ok = models.BooleanField(say("successful"))
    address = models.GenericIPAddressField(say("address"), null=True, blank=True)

    class Meta:
        verbose_name = say("sign-in")
        verbose_name_plural = say("sign-ins")
        ordering = ("-pk",)

    def __str__(self) -> str:
        if self.ok:
            return str(say("{user}: successful", user=self.username))
        return str(say("{user}: failed", user=self.username))
