"""The topology application."""

from django.apps import AppConfig


class TopologyConfig(AppConfig):
    """The Presence Topology page."""

    name = "topology"
    verbose_name = "Presence topology"
