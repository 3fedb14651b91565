"""Where the product's own files are, in a checkout and when it is installed as a package."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
# What lies beside the packages in a checkout is put in here when the wheel is built.
_INSTALLED = PACKAGE / "installed"

# The folder of templates, static files and the Procfile.
ROOT = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parent


def home() -> Path:
    """Return the folder in which ``var`` is made when ``VAR_DIR`` names no other.

    That is the checkout; of an installed package the user's own folder for data, as the XDG Base
    Directory Specification names it.
    """
    if ROOT != _INSTALLED:
        return ROOT
    base = os.environ.get("XDG_DATA_HOME", "")
    # One that is not absolute is to be ignored, the specification says.
    data = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return data / "cucm-admin"
