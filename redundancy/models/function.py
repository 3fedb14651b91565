"""Which functions the cluster has configured."""

from django.db import models
from django.db.models import Case, QuerySet, Value, When

from redundancy.functions import FUNCTIONS
from redundancy.srm.words import say


class ConfiguredFunction(models.Model):
    """A function that is configured for the whole cluster; one that is not has no row."""

    key = models.CharField(
        say("function"),
        max_length=40,
        unique=True,
        choices=[(function.key, function.name) for function in FUNCTIONS],
    )

    class Meta:
        verbose_name = say("configured function")
        verbose_name_plural = say("configured functions")
        ordering = ("key",)

    def __str__(self) -> str:
        return self.get_key_display()

    @classmethod
    def services(cls) -> "QuerySet[ConfiguredFunction, str]":
        """Return the names of the services that carry configured functions, for a subquery."""
        service = Case(
            *(When(key=each.key, then=Value(each.service)) for each in FUNCTIONS if each.service),
            output_field=models.CharField(),
        )
        return (
            cls.objects.order_by()
            .annotate(service=service)
            .filter(service__isnull=False)
            .values_list("service", flat=True)
        )
