"""Drivers: how SRM and the Control Center reach the services of a node."""

from redundancy.drivers.base import Observation, ServiceDriver
from redundancy.drivers.lab import LabDriver

__all__ = ["Observation", "ServiceDriver", "get_driver"]

_LAB = LabDriver()


def get_driver() -> ServiceDriver:
    """Return the driver of this installation's nodes."""
    return _LAB
