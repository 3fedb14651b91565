"""The Django administration of every table."""

from redundancy.admin import configuration, history, imports, runtime

__all__ = ["configuration", "history", "imports", "runtime"]
