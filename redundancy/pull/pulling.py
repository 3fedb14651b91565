"""Ask a cluster, whichever way."""

from datetime import UTC, datetime

from redundancy.pull import asking
from redundancy.pull.sources import AXL, SECONDS, SSH, PullFailed, Source, Time, check
from redundancy.srm.words import say


def pull(source: Source, password: str, *, seconds: float = SECONDS) -> list[tuple[str, bytes]]:
    """Return what a cluster tells, as named texts for the reader (``reading.read_streams``).

    Nothing is changed there, and the password is neither kept nor told. It takes ``seconds`` at most.

    Raises:
        PullFailed: It tells nothing, or not all; the rule names field and reason.

    """
    check(source, password)
    time = Time(seconds)
    if source.kind == AXL:
        return asking.ask(source, password, time, datetime.now(UTC).astimezone())
    if source.kind == SSH:
        # The library is large, and nobody else in the process may need it.
        from redundancy.pull import ssh

        return ssh.ask(source, password, time)
    raise PullFailed(say("Kind: must be axl or ssh."))
