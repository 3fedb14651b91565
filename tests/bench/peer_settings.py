"""Django for the naive design of `tests.bench.peer_naive`: the product's database and broker, no more of it."""

import gc

from cucm_admin.settings import CELERY_BROKER_URL, DATABASES, REDIS_URL, SECRET_KEY

__all__ = ["CELERY_BROKER_URL", "DATABASES", "INSTALLED_APPS", "REDIS_URL", "SECRET_KEY", "USE_TZ"]

# The product's settings end this when its applications are loaded, which are not loaded here.
gc.enable()
INSTALLED_APPS: list[str] = []
USE_TZ = True
