"""Presence users and their sessions."""

from django.db import models
from django.db.models.functions import Lower

from redundancy.srm.words import say


class PresenceUser(models.Model):
    """An end user of IM and Presence. ``home`` is the assigned node; a failover never changes it."""

    userid = models.CharField(say("User ID"), max_length=128)
    display_name = models.CharField(say("display name"), max_length=128, blank=True)
    im_address = models.CharField(say("IM Address"), max_length=255)
    home = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("Assigned node"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="assigned_users",
    )
    # Who signed out stays so, wherever assigned, until somebody signs the user in.
    signed_out = models.BooleanField(
        say("signed out"), default=False, db_default=False, editable=False
    )

    class Meta:
        verbose_name = say("presence user")
        verbose_name_plural = say("presence users")
        ordering = (Lower("userid"),)
        # Nobody tells two people apart by upper and lower case. Lists are searched and sorted by these, too.
        constraints = [
            models.UniqueConstraint(
                Lower("userid"),
                name="userid_unique",
                violation_error_message=say("Another user has this User ID."),
            ),
            models.UniqueConstraint(
                Lower("im_address"),
                name="im_address_unique",
                violation_error_message=say("Another user has this IM Address."),
            ),
        ]

    def __str__(self) -> str:
        return self.userid


# ``PresenceSession.relogin_at`` of a real client that has not logged in yet: later than any lab time, and
# still a moment that can be shown.
WHEN_IT_COMES = 253_370_764_800.0


class PresenceSession(models.Model):
    """Where a user's session is now: exactly one node. A user without a row is logged out.

    Until ``relogin_at`` the session is moved, and its client waits to log in; from then on it is
    logged in. Time does it: no row changes at that moment. That is how the lab plays clients; a real
    one (``by_client``) that is to log in has ``WHEN_IT_COMES`` there, and changes it by logging in.
    """

    user = models.OneToOneField(
        PresenceUser,
        verbose_name=say("user"),
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="session",
    )
    node = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("Active node"),
        on_delete=models.PROTECT,
        related_name="sessions",
        # The index below begins with it.
        db_index=False,
    )
    since = models.DateTimeField(say("since"), help_text=say("Lab time of the last move or login."))
    relogin_at = models.FloatField(
        say("Logs in at (lab time)"),
        help_text=say("When the client logs in at its node, or logged in there."),
    )
    limits_at = models.FloatField(
        say("Limits of (lab time)"),
        help_text=say("The login at which the client got its re-login limits."),
    )
    by_client = models.BooleanField(
        say("real client"),
        default=False,
        db_default=False,
        help_text=say("Whether a client logs in by SOAP; else the lab plays one."),
    )

    class Meta:
        verbose_name = say("presence session")
        verbose_name_plural = say("presence sessions")
        indexes = [
            # Counts a node's sessions, logged in and waiting, from the index alone.
            models.Index(fields=["node", "relogin_at"], name="session_node_login"),
            # Mostly empty: it costs played clients nothing.
            models.Index(
                fields=["node", "relogin_at"],
                condition=models.Q(by_client=True),
                name="session_by_client",
            ),
        ]

    def __str__(self) -> str:
        return str(say("{user} on {node}", user=self.user_id, node=self.node_id))
