"""The parameters in force, as SRM takes them."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from redundancy import clock
from redundancy.selectors import parameters
from redundancy.selectors.parameters import Typed
from redundancy.srm.types import Policy


def current() -> Policy:
    """Return the policy made of the service parameters as they are now."""
    return policy_of(parameters.clusterwide(), tick=settings.SWEEP_SECONDS * clock.rate())


def policy_of(values: Mapping[str, Typed], tick: float = 1) -> Policy:
    """Return the policy made of these parameters, by their keys; ``tick`` as in ``Policy``."""
    known = {key: values[key] for key in Policy().parameters}
    fields: dict[str, Any] = {
        key: value if isinstance(value, bool) else float(value) for key, value in known.items()
    }
    return Policy(**fields, tick=tick)
