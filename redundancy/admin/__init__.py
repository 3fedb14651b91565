"""The Django administration of every table."""

from redundancy.admin import configuration, history, runtime

__all__ = ["configuration", "history", "runtime"]
