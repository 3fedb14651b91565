"""Who served the users of a group, and since when."""

from django.db import models

from redundancy.srm.clients import PUSH_WAIT
from redundancy.srm.words import say


class SessionMove(models.Model):
    """A change of who serves the users of a group: one node all of them, or each node its own.

    One row whatever the number of sessions. Where a user's session was at a moment follows from the
    assigned node and the moves of its group. Names are kept besides the keys, as in the history.
    """

    event = models.OneToOneField(
        "redundancy.HaEvent",
        verbose_name=say("event"),
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="move",
    )
    group = models.ForeignKey(
        "redundancy.RedundancyGroup",
        verbose_name=say("group"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="moves",
        db_index=False,
    )
    at = models.FloatField(say("Lab time"))
    epoch = models.PositiveBigIntegerField(say("move number"))
    # The node that serves everybody from then on; empty when each user is served at home.
    holder = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("holder"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    holder_name = models.CharField(say("Server that serves everybody"), max_length=63, blank=True)
    # The nodes of the group at that moment.
    first = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("first"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    first_name = models.CharField(say("First server"), max_length=63)
    second = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("second"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    second_name = models.CharField(say("Second server"), max_length=63, blank=True)
    # Users; each has so many clients, which were moved with the user's session and log in together.
    moved = models.PositiveIntegerField(say("Users moved"))
    clients_per_user = models.PositiveSmallIntegerField(
        say("Clients per user"), default=1, db_default=1
    )
    # The widest limits of those that moved: each of them logs in so many seconds later, but for
    # push clients.
    lower = models.PositiveIntegerField(say("Re-login not before (s)"))
    upper = models.PositiveIntegerField(say("Re-login not after (s)"))
    push_clients = models.PositiveSmallIntegerField(
        say("Users with push clients (%)"), default=0, db_default=0
    )

    # No session went anywhere: clients that a node had lost log in there again.
    again = models.BooleanField(say("logins again"), default=False, db_default=False)

    # How the clients logged in: see ``selectors.logins``. Empty until all have, or moved again.
    logins = models.JSONField(say("logins"), null=True, blank=True)
    # How the real clients among them did: see ``selectors.real_clients``. Empty without any, and while they tell.
    real_logins = models.JSONField(say("logins of real clients"), null=True, blank=True)

    class Meta:
        verbose_name = say("session move")
        verbose_name_plural = say("session moves")
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=["group", "-event"], name="move_group"),
            models.Index(
                fields=["event"],
                condition=models.Q(logins__isnull=True, moved__gt=0),
                name="move_unmeasured",
            ),
        ]

    def __str__(self) -> str:
        if self.again:
            return str(say("{moved} sessions where they were", moved=self.sessions))
        if self.holder_name:
            return str(
                say("{moved} sessions to {node}", moved=self.sessions, node=self.holder_name)
            )
        return str(say("{moved} sessions to their assigned servers", moved=self.sessions))

    @property
    def sessions(self) -> int:
        """Return how many sessions were moved: one for each client."""
        return self.moved * self.clients_per_user

    def window(self, *, push: bool) -> tuple[float, float]:
        """Return between how many seconds after the move push clients log in, or the others."""
        if not push:
            return self.lower, self.upper
        earliest, latest = PUSH_WAIT
        # Where the node was away, a part of their wait was over.
        return 0.0 if self.again else earliest, latest

    @property
    def latest(self) -> float:
        """Return the seconds after which nobody is to log in any more."""
        if not self.push_clients:
            return self.upper
        return max(self.upper, PUSH_WAIT[1])
