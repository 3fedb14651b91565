"""Moments as everywhere else: they are compared with logs and with the command line's output."""

from cucm_admin.formats.en.formats import *  # noqa: F403
