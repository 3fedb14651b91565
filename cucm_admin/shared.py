"""Settings that must be the same on all machines: kept once, in the database.

The ``release`` step writes them. Every other process follows what is kept, and one whose environment
says something else is told so. The rate of the lab clock is kept with its anchor (``LabClock``).
"""

import os
import time
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from cucm_admin import env, schema
from redundancy import clock
from redundancy.models import LabClock, SharedSetting

RATE = "LAB_CLOCK_RATE"
SHARED = (
    "FAULT_LAB",
    "HISTORY_DAYS",
    RATE,
    "LAB_CLIENTS_GIVE_UP_MINUTES",
    "LAB_REBOOT_SECONDS",
    "MAX_GROUPS",
    "MAX_IMPORT_MB",
    "MAX_IMP_SERVERS",
    "SWEEP_SHARDS",
    "TIME_ZONE",
)
# Kept as a sum by which it cannot be found.
SECRET = "SECRET_KEY"


def given(name: str) -> bool:
    """Return whether this process's environment says how the setting ``name`` shall be."""
    return bool(os.environ.get(name, "").strip())


def follow(*, serves: bool) -> str:
    """Take the settings that are kept; return in one line where the environment says otherwise, or nothing.

    ``serves``: whether this is a process of the running system; then its SECRET_KEY is looked at, too.
    Raises django.db.Error where the database cannot be read.
    """
    kept = _kept()
    for name in SHARED:
        if name not in kept or kept[name] == getattr(settings, name):
            continue
        if given(name):
            return (
                f"{name} is {_shown(getattr(settings, name))} here and {_shown(kept[name])} in this "
                f"installation: leave it out to follow, or give it to the release step "
                f"({schema.PREPARE}) to change it for all"
            )
        _take(name, kept[name])
    if serves and kept.get(SECRET, _secret()) != _secret():
        return f"{SECRET} is not the one of this installation: give all machines the same"
    return ""


def keep(*, defaults: bool) -> str:
    """Keep this process's settings for all; return in one line why nothing was kept, or nothing.

    One that the environment does not give stays as it is kept, and is followed; with ``defaults`` it
    becomes its default again.
    """
    kept = _kept()
    if SECRET in kept and kept[SECRET] != _secret() and not (defaults or given(SECRET)):
        return f"{SECRET} is needed: the one kept in {settings.VAR_DIR} is not the one of this installation"
    for name in SHARED:
        if name in kept and not (defaults or given(name)):
            _take(name, kept[name])
        elif name == RATE:
            clock.set_rate(getattr(settings, RATE))
        else:
            _write(name, getattr(settings, name))
    _write(SECRET, _secret())
    return ""


def _kept() -> dict[str, Any]:
    kept = dict(SharedSetting.objects.values_list("name", "value"))
    rate = LabClock.objects.values_list("rate", flat=True).first()
    return kept if rate is None else kept | {RATE: rate}


def _write(name: str, value: Any) -> None:
    SharedSetting.objects.update_or_create(name=name, defaults={"value": value})


def _take(name: str, value: Any) -> None:
    setattr(settings, name, value)
    if name == RATE:
        settings.SWEEP_SECONDS = env.sweep_seconds(value)
    elif name == "TIME_ZONE":
        timezone.get_default_timezone.cache_clear()  # type: ignore[attr-defined]
        os.environ.update(TZ=value)
        time.tzset()


def _secret() -> str:
    return salted_hmac("cucm_admin.shared", SECRET, algorithm="sha256").hexdigest()[:32]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
