"""Why SRM monitors a service, or does not."""

import pytest

from redundancy.catalog import DATABASE, MESSAGE_ARCHIVER, PRESENCE_ENGINE
from redundancy.selectors.services import why_monitored


@pytest.mark.parametrize(
    ("name", "activated", "configured", "why"),
    [
        (MESSAGE_ARCHIVER, True, True, "configured and activated"),
        (MESSAGE_ARCHIVER, False, True, "not activated"),
        (MESSAGE_ARCHIVER, True, False, "not configured"),
        (MESSAGE_ARCHIVER, False, False, "not configured, not activated"),
        *(
            (PRESENCE_ENGINE, activated, configured, why)
            for activated, why in ((True, "activated"), (False, "not activated"))
            for configured in (True, False)
        ),
        # Always, and never.
        (DATABASE, True, True, ""),
        ("Cisco SIP Proxy", True, True, ""),
    ],
)
def test_why_a_service_is_monitored(name: str, activated: bool, configured: bool, why: str) -> None:
    assert why_monitored(name, activated=activated, configured=configured) == why
