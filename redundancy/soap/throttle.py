"""How many requests a minute an interface takes (``AXL_THROTTLE``), as the vendor's do not take any number."""

from django.conf import settings

from redundancy import bus

SECONDS = 60
KEY = "srm:soap:{}"


def wait(name: str) -> int:
    """Count a request to the interface ``name``; return in how many wall seconds the next is taken, 0 for this one.

    Counted on the bus, so for all processes together. While it is away nothing is limited.
    """
    most = settings.AXL_THROTTLE
    if not most:
        return 0
    key = KEY.format(name)
    try:
        return 0 if bus.count(key, 1, SECONDS) <= most else max(1, bus.seconds_left(key))
    except bus.BusError:
        return 0
