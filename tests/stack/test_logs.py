"""What the log shows, set up as the product sets it up."""

import logging
import logging.config
import warnings
from collections.abc import Iterator
from io import StringIO

import pytest
from celery.exceptions import CPendingDeprecationWarning
from celery.worker.consumer.consumer import CANCEL_TASKS_BY_DEFAULT  # type: ignore[attr-defined]
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.test import Client

from redundancy.permissions import READ_ONLY
from tests.pages.conftest import make_user


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the handler on the console gets."""
    out = StringIO()
    root = logging.getLogger()
    before = root.handlers[:]
    logging.config.dictConfig(settings.LOGGING)
    console = root.handlers[0]
    assert isinstance(console, logging.StreamHandler)
    console.setStream(out)
    yield out
    root.handlers[:] = before


@pytest.mark.django_db
def test_a_refused_request_is_one_line(log: StringIO) -> None:
    client = Client()
    client.force_login(make_user("reader", READ_ONLY))
    assert client.get("/ccmadmin/servers/add/").status_code == 403
    assert log.getvalue() == "Forbidden (Permission denied): /ccmadmin/servers/add/\n"


def test_faults_keep_their_traceback(log: StringIO) -> None:
    for error, status in ((DisallowedHost("no such host"), 400), (OSError("disk full"), 500)):
        logging.getLogger("django.request").error(
            "failed", exc_info=error, extra={"status_code": status}
        )
    logging.getLogger("redundancy.live").error("away", exc_info=ValueError("broken"))
    text = log.getvalue()
    assert "no such host" not in text
    assert "OSError: disk full" in text
    assert "ValueError: broken" in text


def test_of_warnings_only_the_plans_of_celery_are_left_out(log: StringIO) -> None:
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning(CANCEL_TASKS_BY_DEFAULT, CPendingDeprecationWarning, "x.py", 1)
            assert log.getvalue() == ""
            warnings.showwarning("naive datetime", RuntimeWarning, "x.py", 1)
    finally:
        logging.captureWarnings(False)
    assert "naive datetime" in log.getvalue()
