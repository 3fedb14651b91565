"""The parameters in force, as SRM takes them."""

from django.conf import settings

from redundancy import clock
from redundancy.selectors import parameters
from redundancy.srm.types import Policy


def current() -> Policy:
    """Return the policy made of the service parameters as they are now."""
    values = parameters.clusterwide()
    return Policy(
        heartbeat_interval=float(values["heartbeat_interval"]),
        heartbeat_timeout=float(values["heartbeat_timeout"]),
        initialization_timeout=float(values["initialization_timeout"]),
        critical_service_delay=float(values["critical_service_delay"]),
        automatic_fallback=bool(values["automatic_fallback"]),
        tick=settings.SWEEP_SECONDS * clock.rate(),
    )
