"""How many logins a second this installation carried."""

from django.db import models

from redundancy.srm.words import say


class LoginCeiling(models.Model):
    """What a run of played clients measured (``manage.py jabber``): logins a second while none of its connections was idle.

    ``rate``: of wall time; each login with configuration and one-time password. ``seconds``: of wall time, over which
    it was counted. ``database``: as people call it.
    """

    measured_at = models.DateTimeField(say("Measured at"))
    rate = models.FloatField(say("Logins per second"))
    seconds = models.PositiveSmallIntegerField(say("Over (s)"))
    clients = models.PositiveIntegerField(say("Clients"))
    connections = models.PositiveSmallIntegerField(say("Connections"))
    database = models.CharField(say("Database"), max_length=32)

    class Meta:
        verbose_name = say("measured ceiling of logins")
        verbose_name_plural = say("measured ceilings of logins")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return str(say("{rate:.1f} logins per second", rate=self.rate))
