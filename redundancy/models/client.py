"""The logins of real clients."""

from django.db import models

from redundancy.srm.words import say


class ClientLogin(models.Model):
    """The last login of a user's real client: what it may show to be known again.

    Of the session key and of the one-time password only the marks are kept (``operations.clients``); neither
    can be found by them. A login takes the place of the row before with a new one, so the highest key changes
    with each login. It counts only while the user's session is a real client's.
    """

    user = models.OneToOneField(
        "redundancy.PresenceUser",
        verbose_name=say("user"),
        on_delete=models.CASCADE,
        related_name="client_login",
    )
    key_mark = models.CharField(say("mark of the session key"), max_length=64, unique=True)
    # Good for one login at ``once_node``, before the lab time ``once_until``; empty: there is none.
    once_mark = models.CharField(
        say("mark of the one-time password"), max_length=64, blank=True, default=""
    )
    once_node = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("One-time password for"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    once_until = models.FloatField(say("One-time password until (lab time)"), null=True)

    class Meta:
        verbose_name = say("login of a client")
        verbose_name_plural = say("logins of clients")

    def __str__(self) -> str:
        return str(self.user_id)
