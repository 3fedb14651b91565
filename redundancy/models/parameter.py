"""Service and enterprise parameters that differ from their default."""

from django.db import models
from django.db.models import Q

from redundancy.catalog import ENTERPRISE_PARAMETERS, PARAMETER_BY_KEY, PARAMETERS, Parameter


class ServiceParameter(models.Model):
    """A changed parameter of the service *Cisco Server Recovery Manager*.

    Without a row the default of the catalogue holds. ``server`` is set for per-node parameters only.
    """

    key = models.CharField(
        "Parameter Name",
        max_length=40,
        choices=[(parameter.key, parameter.name) for parameter in PARAMETERS],
    )
    server = models.ForeignKey(
        "redundancy.Server",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="parameters",
    )
    value = models.CharField("Parameter Value", max_length=20)

    class Meta:
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
        "Parameter Name",
        max_length=40,
        unique=True,
        choices=[(parameter.key, parameter.name) for parameter in ENTERPRISE_PARAMETERS],
    )
    value = models.CharField("Parameter Value", max_length=40)

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return f"{self.get_key_display()} = {self.value}"
