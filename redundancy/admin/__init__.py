"""The Django administration of every table."""

from redundancy.admin import (
    accounts,
    alarms,
    configuration,
    copies,
    deployment,
    history,
    imports,
    runtime,
)

__all__ = [
    "accounts",
    "alarms",
    "configuration",
    "copies",
    "deployment",
    "history",
    "imports",
    "runtime",
]
