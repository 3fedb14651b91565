"""Settings. Everything that differs between installations comes from the environment."""

import os
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF

from cucm_admin import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.data_dir(BASE_DIR)

SECRET_KEY = env.secret_key(VAR_DIR)
DEBUG = env.flag("DEBUG", False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", "")
# Whether browsers come by HTTPS, through a proxy: cookies then travel no other way.
HTTPS = env.flag("HTTPS", False)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "cucm_admin",
    "redundancy",
    "topology",
]

# The Django administration sends a field for each row to be deleted: all users of a sample cluster
# are more than the 1,000 fields it would take.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # By the cookie that the switch on every page sets; without it by the browser.
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Every page needs a sign-in; the sign-in page itself is exempt.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "redundancy.views.origin.ClientAddress",
    # Last, so that its pages know the user.
    "redundancy.views.errors.ErrorPages",
]

ROOT_URLCONF = "cucm_admin.urls"
WSGI_APPLICATION = "cucm_admin.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "redundancy.views.chrome.chrome",
                "redundancy.alarms.banner.context",
                "redundancy.faultlab.banner.context",
            ],
        },
    },
]

# SQLite waits for a writer instead of failing: every transaction that may write takes the lock at its start.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
DATABASES = {
    "default": dj_database_url.parse(
        env.database_url(VAR_DIR), conn_max_age=60, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis_url(VAR_DIR)

# How many times faster than the wall clock all of SRM's time runs.
LAB_CLOCK_RATE = env.number("LAB_CLOCK_RATE", 1, 1, 120)
# Lab seconds a lab node is away when it restarts.
LAB_REBOOT_SECONDS = env.number("LAB_REBOOT_SECONDS", 120, 1, 3600)
# Whether faults can be put into the lab (Tools > Fault Lab); what is in force is told on every page.
FAULT_LAB = env.flag("FAULT_LAB", False)
# What a scraper of /metrics must show as a bearer token; empty: anybody may read them.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
# Days (of wall time) that the history is kept; 0: for ever.
HISTORY_DAYS = env.number("HISTORY_DAYS", 90, 0, 36_500)
# Wall seconds between two sweeps: one second, shorter when the lab clock runs fast.
SWEEP_SECONDS = max(0.2, 1 / LAB_CLOCK_RATE)
# Wall seconds after which a worker drops what it finds in its queue unread, so that a queue does not
# grow for ever. Many: the worker goes by its own clock, and a wrong one must not make it drop all.
QUEUE_SECONDS = 900
# The vendor allows three groups a cluster; one installation may watch many clusters.
MAX_GROUPS = int(env.number("MAX_GROUPS", 5000, 1, 100_000))
MAX_IMP_SERVERS = int(env.number("MAX_IMP_SERVERS", 10_000, 1, 200_000))

# The largest file of users that is imported, in megabytes; 75,000 users are about 5.
MAX_IMPORT_MB = int(env.number("MAX_IMPORT_MB", 32, 1, 1024))

CELERY_BROKER_URL = env.broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker that lost its broker tries for ever, and soon: the nodes are blind until it is back.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60}
QUEUES = ("sweep", "moves")
CELERY_TASK_DEFAULT_QUEUE = QUEUES[0]
CELERY_TASK_ROUTES = {
    **{
        f"redundancy.tasks.{name}": {"queue": "moves"}
        for name in ("move_sessions", "audit", "alarms", "tidy")
    },
    "redundancy.imports.jobs.*": {"queue": "moves"},
    "redundancy.traces.collecting.*": {"queue": "moves"},
}
# In memory: the schedule never changes, and a file of it would have to be closed in order.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "redundancy.tasks.sweep",
        "schedule": SWEEP_SECONDS,
    }
}
CELERY_BEAT_MAX_LOOP_INTERVAL = min(1.0, SWEEP_SECONDS)

# Everything is written in English; the catalogues hold the rest. The command line and what leaves
# the pages as a file or a message stay in English, whatever the browser wants.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)")]
LOCALE_PATHS = [BASE_DIR / "cucm_admin" / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_I18N = True
FORMAT_MODULE_PATH = "cucm_admin.formats"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

CSRF_FAILURE_VIEW = "redundancy.views.errors.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# A working day. Pages poll, so a sliding expiry would never end.
SESSION_COOKIE_AGE = 10 * 60 * 60
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"quieter": {"()": "cucm_admin.logs.Quieter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["quieter"]}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    # One line a second for each sweep sent, received and done would hide what matters.
    "loggers": {
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        # Tells of each sweep that waited too long, in a run of lines when the machine is busy.
        "celery.worker.request": {"level": "WARNING"},
        "celery.worker.consumer.consumer": {"level": "WARNING"},
        # Workers have a handler of Celery's.
        "py.warnings": {"filters": ["quieter"]},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
