"""What the processes behind the pages tell of themselves, on the bus: ticks, canaries, the audit.

Moments are those of the Redis or Valkey server, in seconds since 1970: the clocks of the processes
may differ. All of it is forgotten with the server; nothing decides by it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from redundancy import bus
from redundancy.srm.words import from_text, to_text

# Sweeps of the last minutes, newest last, as a stream: its entries carry the time of the server. So many of each shard.
TICKS = "srm:ticks"
TICKS_KEPT = 600
CANARIES = "srm:canaries"
AUDIT = "srm:audit"
# Names a message's time of sending, by the wall clock of the process that sent it.
SENT_AT = "sent_at"


@dataclass(frozen=True, slots=True)
class SweepTick:
    """A sweep that ran to its end. ``began`` and ``took`` in seconds; ``asked``: not by beat; ``shard``: of which."""

    began: float
    took: float
    steps: int
    asked: bool
    shard: int = 0


@dataclass(frozen=True, slots=True)
class Canary:
    """A task that was sent to a queue only to see it run."""

    sent: float
    ran: float
    worker: str


@dataclass(frozen=True, slots=True)
class AuditNote:
    """The last audit by the running system, and what it found."""

    at: float
    breaches: tuple[str, ...]


def now() -> float:
    """Return the time of the server."""
    seconds, micros = bus.client().time()
    return float(seconds) + float(micros) / 1e6


def note_sweep(*, took: float, steps: int, asked: bool, shard: int = 0) -> None:
    """Note a sweep of a shard that ends now."""
    entry: dict[Any, Any] = {
        "took": repr(took),
        "steps": steps,
        "asked": int(asked),
        "shard": shard,
    }
    kept = TICKS_KEPT * settings.SWEEP_SHARDS
    bus.client().xadd(TICKS, entry, maxlen=kept, approximate=True)


def last_sweeps() -> list[SweepTick]:
    """Return the last sweeps, oldest first."""
    found: Any = bus.client().xrange(TICKS)
    told = []
    for ident, entry in found:
        ended, took = int(ident.partition("-")[0]) / 1000, float(entry["took"])
        # Older versions knew one shard only.
        shard = int(entry.get("shard", 0))
        asked = entry["asked"] == "1"
        told.append(SweepTick(ended - took, took, int(entry["steps"]), asked, shard))
    return told


def note_canary(queue: str, sent: float, worker: str) -> None:
    """Note that a canary sent at ``sent`` runs now."""
    told = json.dumps({"sent": sent, "ran": now(), "worker": worker})
    bus.client().hset(CANARIES, queue, told)


def canaries() -> dict[str, Canary]:
    """Return the last canary that ran, by queue."""
    found: Any = bus.client().hgetall(CANARIES)
    return {queue: Canary(**json.loads(text)) for queue, text in found.items()}


def note_audit(breaches: Iterable[str]) -> None:
    """Note what an audit found that ends now."""
    bus.client().set(
        AUDIT, json.dumps({"at": now(), "breaches": [to_text(each) for each in breaches]})
    )


def last_audit() -> AuditNote | None:
    """Return the last audit; None while there was none."""
    text = bus.client().get(AUDIT)
    if text is None:
        return None
    told = json.loads(str(text))
    return AuditNote(told["at"], tuple(from_text(each) for each in told["breaches"]))


def waiting(queues: Sequence[str]) -> dict[str, tuple[int, float | None]]:
    """Return how many messages wait in each queue, and when the oldest was sent, where it says so."""
    with bus.client().pipeline(transaction=False) as pipe:
        for queue in queues:
            pipe.llen(queue)
            # Written at the left, read at the right.
            pipe.lindex(queue, -1)
        answers = pipe.execute()
    return {
        queue: (int(depth), _sent_at(oldest))
        for queue, depth, oldest in zip(queues, answers[::2], answers[1::2], strict=True)
    }


def _sent_at(message: str | None) -> float | None:
    if message is None:
        return None
    headers: dict[str, Any] = json.loads(message).get("headers", {})
    sent = headers.get(SENT_AT)
    return float(sent) if sent is not None else None
