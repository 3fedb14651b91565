"""The Django administration of every table."""

from redundancy.admin import accounts, alarms, configuration, deployment, history, imports, runtime

__all__ = ["accounts", "alarms", "configuration", "deployment", "history", "imports", "runtime"]
