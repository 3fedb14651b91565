"""The entry point of the web server."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")

_pages = get_wsgi_application()

from django.db import connection  # noqa: E402

from cucm_admin import garbage, joining, urls  # noqa: E402, F401 - pages are loaded before somebody waits for one
from redundancy import own_clock  # noqa: E402

fit = joining.Watch()
if fit.look():
    sys.exit(fit.wrong)
# The threads that answer have connections of their own.
connection.close()
# What is loaded stays to the end. Looked through for garbage, it held up one answer of twenty for up to 0.3 s.
garbage.settle()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request; of a process that does not fit the installation any more: say so, and end it."""
    was = fit.wrong
    if wrong := fit.look():
        if not was:
            logging.getLogger(__name__).error("This process ends. %s", wrong)
            os.kill(os.getpid(), signal.SIGTERM)
        answer = f"{wrong}\n".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))]
        start_response("503 Service Unavailable", headers)
        return [answer]
    own_clock.OWN.look()
    return _pages(environ, start_response)
