"""await-event: a client hears that it is not connected any more. Ours, for there is no XMPP here."""

import time
from threading import BoundedSemaphore
from typing import Any

from redundancy.clock import lab_now
from redundancy.operations import clients
from redundancy.selectors.watching import last_event
from redundancy.soap.fields import Invalid
from redundancy.soap.service import Call

# Session keys in one request.
MOST_KEYS = 5000
# Wall seconds for which a request waits, between two looks at the history, and between two at the sessions
# where nothing was written there.
LONGEST, LOOK, LOOK_ANYWAY = 20, 0.5, 5.0
# Requests that wait at the same time in one process: each takes one of its threads.
WAITING = 2
# After how many wall seconds a client shall ask again that could not wait.
BUSY_SECONDS = 2

_places = BoundedSemaphore(WAITING)


def await_event(call: Call) -> dict[str, Any]:
    """Return who of the clients is not connected; wait for it, as long as is asked for, while all are."""
    keys = call.values["session-key"]
    if len(keys) > MOST_KEYS:
        raise Invalid(f"session-key: there must not be more than {MOST_KEYS}.")
    seconds = call.values.get("wait") or 0
    if seconds > LONGEST:
        raise Invalid(f"wait: must not be more than {LONGEST} seconds.")
    marks = clients.keys_to_logins(keys)
    if not seconds:
        return _told(clients.gone(marks, lab_now()))
    if not _places.acquire(blocking=False):
        return _told(clients.gone(marks, lab_now()), again_after=BUSY_SECONDS)
    try:
        return _told(_wait(marks, seconds))
    finally:
        _places.release()


def _wait(marks: dict[str, str], seconds: int) -> list[clients.Gone]:
    begun = looked = time.monotonic()
    event = last_event()
    while not (found := clients.gone(marks, lab_now())):
        while True:
            now = time.monotonic()
            if now - begun >= seconds:
                return []
            time.sleep(min(LOOK, seconds - (now - begun)))
            newest = last_event()
            if newest != event or time.monotonic() - looked >= LOOK_ANYWAY:
                event, looked = newest, time.monotonic()
                break
    return found


def _told(found: list[clients.Gone], again_after: int = 0) -> dict[str, Any]:
    events = [
        {
            "session-key": each.key,
            "why": each.why,
            "node": each.node,
            "seconds-ago": f"{each.ago:.1f}",
        }
        for each in found
    ]
    return {"success": {"event": events, "again-after": again_after}}
