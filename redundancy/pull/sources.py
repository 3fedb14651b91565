"""What is asked, how it failed, and how long it may take. Pure."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from redundancy.columns import printable
from redundancy.srm.words import say

AXL, SSH = "axl", "ssh"
# What certificates begin with, that are given themselves.
PEM = "-----BEGIN "
PORTS = {AXL: 8443, SSH: 22}
# Wall seconds that a whole pull may take.
SECONDS = 300.0
# Bytes of a pull: what the reader takes of one input.
LARGEST = 32 * 1024 * 1024
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}", re.ASCII)
_LONGEST = 128
# Of what a server says, in a sentence of ours.
_LONGEST_SAID = 200


@dataclass(frozen=True, slots=True)
class Source:
    """A server to be asked. ``kind``: AXL or SSH. The password is no part of it.

    ``ca``: the certificates (PEM) that are trusted in place of the system's, or the path of their file; ``verify``: whether the
    certificate is looked at. ``known_hosts``: path of the host keys that are known; empty: ``~/.ssh/known_hosts``.
    ``host_key``: the fingerprint (``SHA256:…``) of the one that is trusted in their place.
    """

    kind: str
    host: str
    user: str
    port: int
    ca: str = ""
    verify: bool = True
    known_hosts: str = ""
    host_key: str = ""

    @property
    def trust(self) -> str:
        """Why the server is taken for the one that is meant, as a sentence."""
        if self.kind == SSH and self.host_key:
            return say("The host key of {host} is the one that was given.", host=self.host)
        if self.kind == SSH:
            return say("The host key of {host} is a known one.", host=self.host)
        if not self.verify:
            return say("The certificate of {host} was not verified, as was chosen.", host=self.host)
        if self.ca:
            return say("The certificate of {host} was verified by the given CA.", host=self.host)
        return say("The certificate of {host} was verified.", host=self.host)

    @property
    def title(self) -> str:
        """What the text of its answers is called: places of values are named by it."""
        unverified = "-not-verified" if self.kind == AXL and not self.verify else ""
        return f"{self.host}.{self.kind}{unverified}.txt"


class PullFailed(Exception):
    """A pull told nothing. ``rule``: which field is concerned, and why, as a sentence; never the password."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def check(source: Source, password: str) -> None:
    """Raise PullFailed where a field cannot be right, before anybody is asked."""
    if _HOST.fullmatch(source.host) is None:
        raise PullFailed(say("Host: must be a host name or an IP address, without port and path."))
    if not 1 <= source.port <= 65_535:
        raise PullFailed(say("Port: must be from 1 to 65535."))
    if source.host_key and _FINGERPRINT.fullmatch(source.host_key) is None:
        raise PullFailed(
            say("Host key: must be a fingerprint, SHA256: and 43 letters, digits and signs.")
        )
    # What stands before the colon of Basic authentication is the name.
    if not _sound(source.user) or (source.kind == AXL and ":" in source.user):
        raise PullFailed(
            say("User: must have 1 to {most} printable characters, and no colon.", most=_LONGEST)
        )
    if not _sound(password):
        raise PullFailed(
            say("Password: must have 1 to {most} printable characters.", most=_LONGEST)
        )


def _sound(text: str) -> bool:
    return 1 <= len(text) <= _LONGEST and text.isprintable()


def said(text: str, *secrets: str) -> str:
    """Return what a server says as a part of a sentence: one line, not long, without what is secret."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    text = " ".join(printable(text).split())
    return text if len(text) <= _LONGEST_SAID else f"{text[:_LONGEST_SAID]}…"


@dataclass(slots=True)
class Time:
    """What is left of the time of a pull. ``clock`` and ``sleep`` are given, so that tests need none."""

    seconds: float = SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + self.seconds

    def left(self) -> float:
        """Return the seconds that are left. Raises PullFailed when there are none."""
        left = self._until - self.clock()
        if left <= 0:
            raise self.over()
        return left

    def pause(self, seconds: float) -> None:
        """Wait. Raises PullFailed, at once, where the time would be over by then."""
        if seconds >= self.left():
            raise self.over()
        self.sleep(seconds)

    def over(self) -> PullFailed:
        """Return how it fails when the time is over."""
        return PullFailed(
            say("Host: it was not over after {seconds} seconds.", seconds=round(self.seconds))
        )
