"""Polls of live regions: answered without a look at what is shown, as long as it cannot have changed."""

from collections.abc import Callable
from hashlib import blake2s

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from redundancy.selectors import live
from redundancy.selectors.live import ObserverView
from redundancy.selectors.stamp import stamp
from redundancy.views.chrome import Lab, tell_time

# Wall seconds after which it is looked at all the same.
KEEP_SECONDS = 60


def poll(
    request: HttpRequest,
    answer: Callable[[ObserverView], HttpResponse],
    until: Callable[[float], float],
) -> HttpResponse:
    """Return ``answer``, or at once the 204 that it was for the same address, while that holds.

    The address carries the version that the page has. Each process remembers for itself, by what
    the database tells it.

    Args:
        request: Of a page, or of a region.
        answer: Makes the whole answer, 204 when the version of the address still holds.
        until: Is asked after a 204, with the lab time before it: until when nothing changes with
            time alone.

    """
    watch = live.observer()
    now = (*stamp(watch.lab_now), watch.ok)
    key = f"poll:{blake2s(request.get_full_path().encode(), digest_size=16).hexdigest()}"
    then, limit = cache.get(key, ((), 0.0))
    if then == now and watch.lab_now < limit:
        response = HttpResponse(status=204)
    else:
        response = answer(watch)
        if response.status_code == 204:
            cache.set(key, (now, until(watch.lab_now)), KEEP_SECONDS)
    return tell_time(response, Lab(watch.lab_now, watch.rate))
