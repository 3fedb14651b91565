"""The redundancy application."""

from django.apps import AppConfig


class RedundancyConfig(AppConfig):
    """Servers, presence redundancy groups and their high availability."""

    name = "redundancy"
    verbose_name = "Presence redundancy"
