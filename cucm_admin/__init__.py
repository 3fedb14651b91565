"""The Django project: settings, URLs, Celery application, process supervisor."""
