"""Who signed in, and who tried to."""

from django.db import models

from redundancy.srm.words import say


class SignIn(models.Model):
    """A successful, failed or refused sign-in; without a name when nobody has the one that was typed.

    ``refused``: the password was not looked at, for too many had failed before.
    """

    username = models.CharField(say("username"), max_length=150, blank=True, db_index=True)
    at = models.DateTimeField(say("at"), auto_now_add=True)
    ok = models.BooleanField(say("successful"))
    refused = models.BooleanField(say("refused"), default=False, db_default=False)
    address = models.GenericIPAddressField(say("address"), null=True, blank=True)

    class Meta:
        verbose_name = say("sign-in")
        verbose_name_plural = say("sign-ins")
        ordering = ("-pk",)

    def __str__(self) -> str:
        user = self.username or say("unknown user")
        if self.ok:
            return str(say("{user}: successful", user=user))
        if self.refused:
            return str(say("{user}: refused", user=user))
        return str(say("{user}: failed", user=user))
