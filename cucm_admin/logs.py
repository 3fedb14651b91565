"""What is left out of the log."""

import logging

from django.db.utils import OperationalError

# Celery tells, each time the broker is lost, what its version 6 will do then. Nothing is to be done.
CELERY_PLANS = "CPendingDeprecationWarning: \nIn Celery 5.1 we introduced"


class Quieter(logging.Filter):
    """Show a request that was refused (4xx) in one line, and drop Celery's notices about its plans."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether ``record`` is shown; take a needless traceback off it."""
        if getattr(record, "status_code", 500) < 500:
            # The client is at fault, so the place in our code is of no use.
            record.exc_info = None
        elif record.exc_info and isinstance(record.exc_info[1], OperationalError):
            # The database is busy or away: the message says so, and no place in our code is at fault.
            record.exc_info = None
        return not (record.name == "py.warnings" and CELERY_PLANS in record.getMessage())
