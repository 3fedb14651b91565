"""The Celery application: one static beat entry, two queues."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")

app = Celery("cucm_admin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["redundancy.live"])
