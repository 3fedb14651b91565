"""The parameters in force, as SRM takes them."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from redundancy import clock
from redundancy.catalog import PARAMETER_BY_KEY
from redundancy.selectors import parameters
from redundancy.srm.types import Policy


def current() -> Policy:
    """Return the policy made of the service parameters as they are now."""
    return policy_of(parameters.texts(), tick=settings.SWEEP_SECONDS * clock.rate())


def policy_of(texts: Mapping[str, str], tick: float = 1) -> Policy:
    """Return the policy made of parameters as they are stored, by their keys; ``tick`` as in ``Policy``."""
    given: dict[str, Any] = {
        key: parameters.typed_value(PARAMETER_BY_KEY[key], texts[key])
        for key in Policy().parameters
    }
    return Policy(**given, tick=tick)
