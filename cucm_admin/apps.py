"""The project itself as an application."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Loads the Celery application into every process that uses Django.

    The package itself imports nothing, so that the supervisor, and its message to an old
    Python, need neither Django nor Celery.
    """

    name = "cucm_admin"

    def ready(self) -> None:
        """Make this project's Celery application the current one."""
        import cucm_admin.celery  # noqa: F401
