"""Collect the static files, and only when there is something new: it is the slowest part of a start."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect() -> bool:
    """Bring ``STATIC_ROOT`` up to date; return whether there was something to do."""
    # Beside the folder, not in it: everything in it is served.
    stamp = settings.VAR_DIR / "static.sum"
    sources = fingerprint()
    if (settings.STATIC_ROOT / "staticfiles.json").exists() and _text(stamp) == sources:
        return False
    # Cleared first: it would keep a file whose source is another one now, but no younger.
    call_command("collectstatic", clear=True, interactive=False, verbosity=0)
    stamp.write_text(sources)
    return True


def fingerprint() -> str:
    """Return a sum that changes with every file to collect and with what collects them."""
    sum_ = hashlib.sha256()
    sum_.update(repr((version("django"), version("whitenoise"), settings.STORAGES)).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            file = Path(storage.path(name)).stat()
            sum_.update(repr((name, file.st_size, file.st_mtime_ns)).encode())
    return sum_.hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
