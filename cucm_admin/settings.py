"""Settings. Everything that differs between installations comes from the environment."""

import gc
import os

import dj_database_url
from csp.constants import NONE, SELF

from cucm_admin import env, places

# What is loaded from here on stays to the end: looking through it for garbage while it grows takes a
# quarter of the start. ProjectConfig.ready ends this.
gc.disable()

BASE_DIR = places.ROOT
# Before anything is written: files are for this user only.
env.keep_private()
VAR_DIR = env.data_dir(places.home())

SECRET_KEY = env.secret_key(VAR_DIR)
DEBUG = env.flag("DEBUG", False)
ALLOWED_HOSTS = env.host_names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
# Whether browsers come by HTTPS, through a proxy: nothing then travels any other way.
HTTPS = env.flag("HTTPS", False)
# Whose X-Forwarded headers count (cucm_admin.web.proxies); nothing else in Django looks at them.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", HTTPS)
SECURE_SSL_REDIRECT = HTTPS
# Asked by machines, which come to the web process itself.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
# Seconds for which a browser, once it was here by HTTPS, comes by nothing else.
SECURE_HSTS_SECONDS = int(env.number("HSTS_SECONDS", 2_592_000, 0, 63_072_000)) * HTTPS
SILENCED_SYSTEM_CHECKS = [
    # Names below this one, and lists of browsers, are not ours to decide about.
    "security.W005",
    "security.W021",
]

INSTALLED_APPS = [
    # First, so that its commands stand before Django's of the same name.
    "cucm_admin",
    "cucm_admin.admin_site.SectionedConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "redundancy",
    "topology",
]

# The Django administration sends a field for each row to be deleted: all users of a sample cluster
# are more than the 1,000 fields it would take.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

MIDDLEWARE = [
    # First: all others go by the client's address, scheme and host.
    "cucm_admin.web.proxies.TrustedProxies",
    # Before anything asks whether the host is allowed.
    "redundancy.soap.addresses.NodeAddresses",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    # By the cookie that the switch on every page sets; without it by the browser.
    "django.middleware.locale.LocaleMiddleware",
    # Before anything reads a body; behind what gives its page headers and a language.
    "cucm_admin.web.bodies.BodyLimits",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Signs out who was away too long, shows nothing to who has no role, lets nothing be kept.
    "redundancy.views.guard.Guard",
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
                "redundancy.views.guard.context",
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

# Of each process its own. What it remembers of polls, and failed sign-ins while the bus is away.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "sign_ins": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "sign_ins",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}

# How many times faster than the wall clock all of SRM's time runs.
LAB_CLOCK_RATE = env.number("LAB_CLOCK_RATE", 1, 1, 120)
# Lab seconds a lab node is away when it restarts.
LAB_REBOOT_SECONDS = env.number("LAB_REBOOT_SECONDS", 120, 1, 3600)
# Lab minutes after which a client that reached no node gives up, until its user signs in; 0: never.
LAB_CLIENTS_GIVE_UP_MINUTES = env.number("LAB_CLIENTS_GIVE_UP_MINUTES", 0, 0, 10_080)
# What lets a real client of any presence user log in (Client Profile Agent).
JABBER_PASSWORD = env.client_password(SECRET_KEY)
# Whether faults can be put into the lab (Tools > Fault Lab); what is in force is told on every page.
FAULT_LAB = env.flag("FAULT_LAB", False)
# How utils ha status is printed: as the vendor's guide shows it, or as public scripts read it (field).
CLI_STYLE = env.choice("CLI_STYLE", "guide", ("guide", "field"))
# Where the admin: prompt is served over SSH (0: nowhere), and how many sessions there may be at once.
SSH_PORT = int(env.number("SSH_PORT", 2222, 0, 65535))
SSH_SESSIONS = int(env.number("SSH_SESSIONS", 50, 1, 1000))
# Whether the command of an SSH request is carried out; the vendor's system gives a shell only.
SSH_EXEC = env.flag("SSH_EXEC", False)
# Whether each node has an address of its own there, of the loopback network (redundancy.selectors.loopback).
SSH_NODES = env.flag("SSH_NODES", False)
# Where the SOAP interfaces (and the pages) are served by TLS (0: nowhere), with which certificate; without
# one the process makes its own.
SOAP_PORT = int(env.number("SOAP_PORT", 8443, 0, 65535))
TLS_CERT, TLS_KEY = os.environ.get("TLS_CERT", ""), os.environ.get("TLS_KEY", "")
# Whether each node has an address of its own there, and CUCM's publisher (redundancy.soap.addresses).
SOAP_NODES = env.flag("SOAP_NODES", False)
# Requests a minute that each SOAP interface takes, of all its users together; 0: any number.
AXL_THROTTLE = int(env.number("AXL_THROTTLE", 0, 0, 1_000_000))
# What a scraper of /metrics must show as a bearer token; empty: only this machine may read them.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
# Whether channels of alarms may be on this machine or in private networks.
ALARM_ALLOW_PRIVATE = env.flag("ALARM_ALLOW_PRIVATE", False)
# Days (of wall time) that the history is kept; 0: for ever.
HISTORY_DAYS = env.number("HISTORY_DAYS", 90, 0, 36_500)
SWEEP_SECONDS = env.sweep_seconds(LAB_CLOCK_RATE)
# Into how many parts the groups are divided for their sweeps (redundancy.shards), and how many that may be.
MOST_SHARDS = 16
SWEEP_SHARDS = int(env.number("SWEEP_SHARDS", 1, 1, MOST_SHARDS))
# Wall seconds after which a worker drops what it finds in its queue unread, so that a queue does not
# grow for ever. Many: the worker goes by its own clock, and a wrong one must not make it drop all.
QUEUE_SECONDS = 900
# The vendor allows three groups a cluster; one installation may watch many clusters.
MAX_GROUPS = int(env.number("MAX_GROUPS", 5000, 1, 100_000))
MAX_IMP_SERVERS = int(env.number("MAX_IMP_SERVERS", 10_000, 1, 200_000))

# The largest file of users that is imported, in megabytes; 75,000 users are about 5.
MAX_IMPORT_MB = int(env.number("MAX_IMPORT_MB", 32, 1, 1024))

# A real cluster that is looked at, read only (redundancy.watch): how, where, and as whom. Without a host none is. Of the
# password only the file is here: it is read when it is needed, as WATCH_PASSWORD is.
WATCH_KIND = env.choice("WATCH_KIND", "axl", ("axl", "ssh"))
WATCH_HOST = os.environ.get("WATCH_HOST", "").strip()
WATCH_PORT = int(env.number("WATCH_PORT", 0, 0, 65535))
WATCH_USER = os.environ.get("WATCH_USER", "").strip()
WATCH_PASSWORD_FILE = env.secret_file("WATCH_PASSWORD_FILE")
WATCH_CA, WATCH_VERIFY = env.named_file("WATCH_CA"), env.flag("WATCH_VERIFY", True)
WATCH_KNOWN_HOSTS = env.named_file("WATCH_KNOWN_HOSTS")
WATCH_HOST_KEY = os.environ.get("WATCH_HOST_KEY", "").strip()
# What it is called; empty: as its first node.
WATCH_NAME = os.environ.get("WATCH_NAME", "").strip()
# Minutes between two looks by the workers (0: they do not look), and snapshots of it that are kept.
WATCH_MINUTES = env.number("WATCH_MINUTES", 0, 0, 1440)
WATCH_KEEP = int(env.number("WATCH_KEEP", 50, 2, 400))
# On which day of the week, and from which hour on (TIME_ZONE), a report on it is sent to the channels of alarms.
WATCH_REPORT_DAY = env.choice("WATCH_REPORT_DAY", "none", ("none", *env.DAYS))
WATCH_REPORT_HOUR = int(env.number("WATCH_REPORT_HOUR", 7, 0, 23))
env.check_watch(
    {
        "WATCH_HOST": WATCH_HOST,
        "WATCH_USER": WATCH_USER,
        "WATCH_NAME": WATCH_NAME,
        "WATCH_HOST_KEY": WATCH_HOST_KEY,
    },
    WATCH_MINUTES,
    WATCH_REPORT_DAY != "none",
)

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
        for name in ("move_sessions", "audit", "alarms", "tidy", "watch")
    },
    "redundancy.imports.jobs.*": {"queue": "moves"},
    "redundancy.traces.collecting.*": {"queue": "moves"},
}
# In memory: a file of the schedule would have to be closed in order.
CELERY_BEAT_SCHEDULER = "cucm_admin.beat:Ticker"
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "redundancy.tasks.sweep",
        "schedule": SWEEP_SECONDS,
    }
}
if WATCH_MINUTES:
    # Whether a look is due is judged by the last one, which is kept: so beat may start again at any time.
    CELERY_BEAT_SCHEDULE["watch"] = {"task": "redundancy.tasks.watch", "schedule": 60}

# Everything is written in English; the catalogues hold the rest. The command line and what leaves
# the pages as a file or a message stay in English, whatever the browser wants.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)")]
LOCALE_PATHS = [places.PACKAGE / "locale"]
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
# Nobody else reads them: the web process serves them.
FILE_UPLOAD_PERMISSIONS = 0o600
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

CSRF_FAILURE_VIEW = "redundancy.views.errors.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["redundancy.operations.authentication.Throttled"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "redundancy.passwords.Length"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# A working day, counted from the sign-in.
SESSION_COOKIE_AGE = 10 * 60 * 60
# Minutes after which who asks for nothing is signed out; what pages ask by themselves does not count. 0: never.
SESSION_IDLE_MINUTES = env.number("SESSION_IDLE_MINUTES", 30, 0, 600)
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
        # Each step of each connection; who signed in is in the history.
        "asyncssh": {"level": "WARNING"},
        # Workers have a handler of Celery's.
        "py.warnings": {"filters": ["quieter"]},
        "celery.worker.strategy": {"level": "WARNING"},
        # Tells of each request that waits for a thread.
        "waitress.queue": {"level": "ERROR"},
    },
}
