"""The Django project: settings, URLs, Celery application, process supervisor."""

from cucm_admin.celery import app as celery_app

__all__ = ["celery_app"]
