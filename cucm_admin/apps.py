"""The project itself as an application."""

import gc

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Has the project's own commands; loads nothing.

    The modules with tasks load the Celery application: processes that send none do without its 9 MB. The package
    itself imports nothing, so that the supervisor, and its message to an old Python, need neither Django nor Celery.
    """

    name = "cucm_admin"

    def ready(self) -> None:
        """Look for garbage from now on, and not among what is loaded."""
        gc.freeze()
        gc.enable()
