"""Settings of the tests: the product's own, with a data folder that the run throws away."""

import os

from tests import workers

workers.take_own()

from cucm_admin.settings import *  # noqa: E402, F403

# The driver of the browser keeps an event loop in the thread of the tests, where Django suspects a mistake.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# The servers that are told of alarms are of the tests themselves.
ALARM_ALLOW_PRIVATE = True
# Hashing cost is not what the tests are about.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The manifest needs a collectstatic run first.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# In memory there is one connection for all threads; on disk, tests of two administrators at once can run.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}  # noqa: F405
