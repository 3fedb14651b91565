"""What is watched, by the settings, and the password, which is read when it is needed and kept nowhere."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from redundancy.pull.passwords import password_of
from redundancy.pull.sources import AXL, PORTS, Source


@dataclass(frozen=True, slots=True)
class Watched:
    """A cluster to be looked at. ``minutes``: between two looks, 0: none by itself; ``keep``: snapshots of it.

    ``password`` returns it, or raises PullFailed.
    """

    source: Source
    name: str
    minutes: float
    keep: int
    password: Callable[[], str] = field(repr=False)

    @property
    def label(self) -> str:
        """The source as one text, which is the same as long as the same is watched."""
        source = self.source
        return f"{source.kind}://{source.user}@{source.host}:{source.port}"

    @property
    def verified(self) -> bool:
        """Whether the other side must prove who it is; over SSH it always must."""
        return self.source.verify or self.source.kind != AXL


def watched() -> Watched | None:
    """Return what the settings name; None where they name none."""
    if not settings.WATCH_HOST:
        return None
    source = Source(
        kind=settings.WATCH_KIND,
        host=settings.WATCH_HOST,
        user=settings.WATCH_USER,
        port=settings.WATCH_PORT or PORTS[settings.WATCH_KIND],
        ca=settings.WATCH_CA,
        verify=settings.WATCH_VERIFY,
        known_hosts=settings.WATCH_KNOWN_HOSTS,
        host_key=settings.WATCH_HOST_KEY,
    )
    return Watched(
        source,
        settings.WATCH_NAME,
        settings.WATCH_MINUTES,
        settings.WATCH_KEEP,
        lambda: password_of(os.environ.get("WATCH_PASSWORD", ""), settings.WATCH_PASSWORD_FILE),
    )
