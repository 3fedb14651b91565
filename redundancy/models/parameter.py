"""Service and enterprise parameters that differ from their default."""

from django.db import models
from django.db.models import Q

from redundancy.catalog import ENTERPRISE_PARAMETERS, PARAMETER_BY_KEY, PARAMETERS, Parameter
from redundancy.srm.words import say


class ServiceParameter(models.Model):
    """A changed parameter of the service *Cisco Server Recovery Manager*.

    Without a row the default of the catalogue holds. ``server`` is set for per-node parameters only.
    """

    key = models.CharField(
        say("Parameter Name"),
        max_length=40,
        choices=[(parameter.key, parameter.name) for parameter in PARAMETERS],
    )
    server = models.ForeignKey(
        "redundancy.Server",
        verbose_name=say("server"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="parameters",
    )
    value = models.CharField(say("Parameter Value"), max_length=20)

    class Meta:
        verbose_name = say("service parameter")
        verbose_name_plural = say("service parameters")
        ordering = ("key", "server")
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(server__isnull=True), name="one_clusterwide_value"
            ),
            models.UniqueConstraint(fields=["key", "server"], name="one_value_a_server"),
        ]

    def __str__(self) -> str:
        return f"{self.get_key_display()} = {self.value}"

    @property
    def parameter(self) -> Parameter:
        """What the catalogue says of it."""
        return PARAMETER_BY_KEY[self.key]


class EnterpriseParameter(models.Model):
    """A changed parameter of the whole cluster. Without a row the default of the catalogue holds."""

    key = models.CharField(
        say("Parameter Name"),
        max_length=40,
        unique=True,
        choices=[(parameter.key, parameter.name) for parameter in ENTERPRISE_PARAMETERS],
    )
    value = models.CharField(say("Parameter Value"), max_length=40)

    class Meta:
        verbose_name = say("enterprise parameter")
        verbose_name_plural = say("enterprise parameters")
        ordering = ("key",)

    def __str__(self) -> str:
        return f"{self.get_key_display()} = {self.value}"
