"""Let others know that a rehearsal is played live, so that nobody replaces the lab under it."""

import contextlib
import threading
import uuid
from collections.abc import Iterator

from django.db import transaction

from redundancy import bus
from redundancy.operations import locks

# Wall seconds between two signs.
SIGN_SECONDS = 10.0


@contextlib.contextmanager
def noticed(what: str) -> Iterator[None]:
    """Let it be known that ``what`` is played. Raises bus.BusError where nobody can be told.

    Whoever died without a word is noticed for bus.REHEARSAL_SECONDS.
    """
    # The same file may be played by two processes.
    ident = uuid.uuid4().hex
    bus.sign_rehearsal(ident, what)
    over = threading.Event()
    signing = threading.Thread(target=_sign, args=(ident, what, over), daemon=True)
    signing.start()
    try:
        # Who looked before the sign, and replaces the lab now, is waited for.
        with transaction.atomic():
            locks.one_administrator()
        yield
    finally:
        over.set()
        signing.join()
        with contextlib.suppress(bus.BusError):
            bus.end_rehearsal(ident)


def _sign(ident: str, what: str, over: threading.Event) -> None:
    while not over.wait(SIGN_SECONDS):
        # Where the bus is away nothing goes on; it is told again when it is back.
        with contextlib.suppress(bus.BusError):
            bus.sign_rehearsal(ident, what)
