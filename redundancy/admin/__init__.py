"""The Django administration of every table."""

from redundancy.admin import alarms, configuration, history, imports, runtime

__all__ = ["alarms", "configuration", "history", "imports", "runtime"]
