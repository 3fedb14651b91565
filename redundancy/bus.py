"""The heartbeat bus and the observer's mark, on Redis or Valkey.

A node's inbox is one key that holds the last heartbeat sent to it: state is level-triggered, so an
older one is never missed, and no backlog can build up. A set names the inboxes written since the
last look.
"""

import time
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cache

import orjson
import redis
from django.conf import settings

from redundancy.srm.codec import heartbeat_from_json, heartbeat_to_json
from redundancy.srm.types import Heartbeat

MAIL = "srm:mail"
LATE = "srm:late"
PROBE = "srm:probe"
MARK = "srm:sweep"
TURN = "srm:turn"
WANTED = "srm:wanted"
# A sweep that was asked for and has not begun by then is asked for again.
WANTED_SECONDS = 5
# Wall seconds between two looks of who waits whether a sweep is asked for.
LOOK_SECONDS = 0.02
# The session moves that nodes ask for, by when; and that a worker was told so. That word may be lost.
MOVES, MOVES_WANTED = "srm:moves", "srm:moves-wanted"
MOVE_SECONDS = 15
ALARMS_WANTED = "srm:alarms-wanted"
MARK_SECONDS = 30 * 86400
# Why the last sweep could not be carried through.
OUTAGE = "srm:outage"
SLOW_LANE = "srm:slow-lane"
# Wall seconds between two rounds of what need not be looked at in every sweep.
SLOW_LANE_SECONDS = 60
# Services or power of a node were changed by hand since the last sweep.
CHANGE = "srm:change"
HOUR = "srm:hour"
HOUR_SECONDS = 3600
# A live rehearsal goes on, as long as it gives a sign again within so many wall seconds.
REHEARSAL = "srm:rehearsal"
REHEARSAL_SECONDS = 60
# An inbox nobody reads any more goes away by itself.
INBOX_SECONDS = 3600
# Puts texts into inboxes. A command for each takes both sides ten times as long.
_PUT = "for i, inbox in ipairs(KEYS) do redis.call('SET', inbox, ARGV[i + 1], 'EX', ARGV[1]) end"
# A task of another sweep that has waited for so many looks in a row has no worker but who waits here.
PATIENT_LOOKS = 5
BusError = redis.RedisError


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=2, socket_connect_timeout=2
    )


def client() -> "redis.Redis":
    """Return this process's client of the server that ``settings.REDIS_URL`` names."""
    return _client(settings.REDIS_URL)


def of_shard(key: str, shard: int) -> str:
    """Return the key that stands for ``key`` in a shard of the sweep: in the first, and only, one ``key`` itself."""
    return f"{key}:{shard}" if shard else key


def _inbox(node_id: int) -> str:
    return f"srm:inbox:{node_id}"


def send(heartbeats: Mapping[int, Heartbeat], shard: int = 0) -> None:
    """Put each heartbeat into the inbox of the node (by its key) it is for; all are of one shard."""
    if not heartbeats:
        return
    inboxes = [_inbox(node_id) for node_id in heartbeats]
    texts = [orjson.dumps(heartbeat_to_json(heartbeat)) for heartbeat in heartbeats.values()]
    with client().pipeline() as pipe:
        pipe.eval(_PUT, len(inboxes), *inboxes, INBOX_SECONDS, *texts)
        pipe.sadd(of_shard(MAIL, shard), *heartbeats)
        pipe.execute()


def send_late(due: float, sender: int, receiver: int, heartbeat: Heartbeat, shard: int = 0) -> None:
    """Keep a heartbeat until ``due`` (lab seconds); ``deliver`` hands it over then."""
    late = of_shard(LATE, shard)
    letter = {"from": sender, "to": receiver, "heartbeat": heartbeat_to_json(heartbeat)}
    with client().pipeline() as pipe:
        pipe.zadd(late, {orjson.dumps(letter): due})
        pipe.expire(late, INBOX_SECONDS)
        pipe.execute()


def deliver(now: float, cut: Container[int | None], shard: int = 0) -> None:
    """Put a shard's kept heartbeats due at ``now`` into their inboxes, except those of senders in ``cut``.

    One that was overtaken by a later one of the same sender is dropped: an inbox keeps the last.
    """
    late = of_shard(LATE, shard)
    found = client().zrange(late, "-inf", repr(now), byscore=True)
    if not found:
        return
    letters = [orjson.loads(str(text)) for text in found]
    last = read({letter["to"] for letter in letters})
    arriving: dict[int, Heartbeat] = {}
    for letter in letters:
        heartbeat = heartbeat_from_json(letter["heartbeat"])
        known = arriving.get(letter["to"]) or last.get(letter["to"])
        if letter["from"] not in cut and (known is None or _order(heartbeat) > _order(known)):
            arriving[letter["to"]] = heartbeat
    send(arriving, shard)
    # Last, so that a crash repeats it instead of losing it.
    client().zrem(late, *found)


def _order(heartbeat: Heartbeat) -> tuple[int, int, int]:
    return heartbeat.generation, heartbeat.incarnation, heartbeat.seq


def collect(shard: int = 0) -> set[int]:
    """Return the nodes of a shard whose inbox was written since the last call, and forget them.

    Fails on a bus that can be read but not written, so that no node steps whose heartbeat would
    not be sent.
    """
    mail = of_shard(MAIL, shard)
    with client().pipeline() as pipe:
        pipe.set(PROBE, "")
        pipe.smembers(mail)
        pipe.delete(mail)
        _, members, _ = pipe.execute()
    return {int(member) for member in members}


def forget(node_ids: Iterable[int]) -> None:
    """Empty these inboxes: what was sent before an SRM started says nothing about its peer now."""
    keys = [_inbox(node_id) for node_id in node_ids]
    if keys:
        client().delete(*keys)


def read(node_ids: Iterable[int]) -> dict[int, Heartbeat]:
    """Return the last heartbeat sent to each of these nodes, where there is one."""
    ids = list(node_ids)
    if not ids:
        return {}
    found = client().mget([_inbox(node_id) for node_id in ids])
    return {
        node_id: heartbeat_from_json(orjson.loads(text))
        for node_id, text in zip(ids, found, strict=True)
        if text is not None
    }


def take_turn(seconds: float, shard: int = 0) -> bool:
    """Return whether nobody has taken the shard's turn within so many wall seconds, and take it then.

    By the clock of the server: those of the processes may differ.
    """
    turn = of_shard(TURN, shard)
    return bool(client().set(turn, 1, nx=True, px=max(1, round(seconds * 1000))))


def want_sweep(shard: int = 0) -> bool:
    """Return whether nobody else has asked for a sweep of it that is still to begin; then the caller shall."""
    return bool(client().set(of_shard(WANTED, shard), 1, nx=True, ex=WANTED_SECONDS))


def wait_for_nothing(seconds: float, shard: int = 0) -> bool:
    """Let wall seconds pass; return whether they have, and no sweep of the shard was asked for meanwhile.

    Nor has the sweep of another shard waited for some looks: then no worker is free for it but this one.
    """
    end = time.monotonic() + seconds
    waited = 0
    while (left := end - time.monotonic()) > 0:
        if client().exists(of_shard(WANTED, shard)):
            return False
        if settings.SWEEP_SHARDS > 1:
            waited = waited + 1 if client().llen(settings.QUEUES[0]) else 0
            if waited > PATIENT_LOOKS:
                return False
        time.sleep(min(left, LOOK_SECONDS))
    return True


def begin_wanted(shard: int = 0) -> None:
    """Note that the sweep that was asked for begins: what is stored from now on needs another."""
    client().delete(of_shard(WANTED, shard))


def want_moves(moves: Iterable[str], asked_at: float) -> bool:
    """Note that nodes ask for these moves at ``asked_at`` (lab seconds); none: others wait already.

    Return whether nobody was told that moves wait; then the caller shall see to it.
    """
    with client().pipeline() as pipe:
        if waiting := dict.fromkeys(moves, asked_at):
            pipe.zadd(MOVES, waiting)
            pipe.expire(MOVES, INBOX_SECONDS)
        pipe.set(MOVES_WANTED, 1, nx=True, ex=MOVE_SECONDS)
        return bool(pipe.execute()[-1])


def begin_moves(most: int) -> dict[str, float]:
    """Return the moves that have waited longest, at most so many, with when each was asked for last.

    They wait on until ``end_moves``, so that none is lost with who carries it out. What is asked for
    from now on needs another look.
    """
    with client().pipeline() as pipe:
        pipe.delete(MOVES_WANTED)
        pipe.zrange(MOVES, 0, most - 1, withscores=True)
        return {str(move): float(asked_at) for move, asked_at in pipe.execute()[1]}


def end_moves(moves: Iterable[str]) -> bool:
    """Forget these moves, which were carried out or given up; return whether others wait."""
    with client().pipeline() as pipe:
        pipe.zrem(MOVES, *moves)
        pipe.zcard(MOVES)
        return bool(pipe.execute()[1])


def want_alarms() -> bool:
    """Return whether no look at the alarms waits that is still to begin; then the caller shall ask for one."""
    return bool(client().set(ALARMS_WANTED, 1, nx=True, ex=SLOW_LANE_SECONDS))


def begin_alarms() -> None:
    """Note that a look at the alarms begins: what changes from now on needs another."""
    client().delete(ALARMS_WANTED)


def note_change() -> None:
    """Note that somebody has changed services or power of a node: the next sweep shall know."""
    client().set(CHANGE, 1, ex=SLOW_LANE_SECONDS)


def take_change() -> bool:
    """Return whether such a change was noted since the last call, and forget it."""
    return bool(client().delete(CHANGE))


def mark_sweep(shard: int = 0, of: int = 1) -> bool:
    """Note that a sweep of a shard of so many has just run to its end. Return True once in SLOW_LANE_SECONDS."""
    # Of shards that are no more nothing is known: should they be again, they were not swept long ago.
    gone = [of_shard(MARK, number) for number in range(of, settings.MOST_SHARDS)]
    with client().pipeline() as pipe:
        pipe.set(of_shard(MARK, shard), 1, ex=MARK_SECONDS)
        pipe.delete(of_shard(OUTAGE, shard), *gone)
        pipe.set(SLOW_LANE, 1, nx=True, ex=SLOW_LANE_SECONDS)
        return bool(pipe.execute()[-1])


def note_outage(why: str, shard: int = 0) -> None:
    """Note why a sweep of the shard could not be carried through; the next one that can forgets it."""
    client().set(of_shard(OUTAGE, shard), why[:200], ex=MARK_SECONDS)


def outages() -> list[str]:
    """Return of each shard why its last sweep could not be carried through; empty when it was."""
    keys = [of_shard(OUTAGE, shard) for shard in range(settings.SWEEP_SHARDS)]
    return [str(why or "") for why in client().mget(keys)]


def outage() -> str:
    """Return why the last sweep of a shard could not be carried through; empty when all were."""
    return next(filter(None, outages()), "")


def begin_hour() -> bool:
    """Return True once an hour: for work that is not due more often."""
    return bool(client().set(HOUR, 1, nx=True, ex=HOUR_SECONDS))


def end_hour() -> None:
    """Let the next hour begin now: the work was not done to its end."""
    client().delete(HOUR)


def sweep_age() -> float | None:
    """Return how many wall seconds ago all nodes had last been swept: the age of the shard that waits longest.

    None when of one of them none is known. By the clock of the server: those of the process that
    marked and of this one may differ.
    """
    ages = sweep_ages()
    known = [age for age in ages if age is not None]
    return max(known) if len(known) == len(ages) else None


def sweep_ages() -> list[float | None]:
    """Return how many wall seconds ago a sweep of each shard last ran to its end; None when none is known."""
    return _ages(range(settings.SWEEP_SHARDS))


def sweep_age_of(shard: int) -> float | None:
    """Return how many wall seconds ago a sweep of this shard last ran to its end; None when none is known."""
    return _ages([shard])[0]


def newest_sweep_age() -> float | None:
    """Return how many wall seconds ago a sweep last ran to its end, of whichever shard of however many."""
    known = [age for age in _ages(range(settings.MOST_SHARDS)) if age is not None]
    return min(known, default=None)


def _ages(shards: Iterable[int]) -> list[float | None]:
    with client().pipeline() as pipe:
        for shard in shards:
            pipe.pttl(of_shard(MARK, shard))
        return [MARK_SECONDS - left / 1000 if left > 0 else None for left in pipe.execute()]


def sign_rehearsal(ident: str, name: str) -> None:
    """Note that a live rehearsal goes on: for REHEARSAL_SECONDS, or until ``end_rehearsal``."""
    client().set(f"{REHEARSAL}:{ident}", name, ex=REHEARSAL_SECONDS)


def end_rehearsal(ident: str) -> None:
    """Note that it is over."""
    client().delete(f"{REHEARSAL}:{ident}")


def rehearsals() -> list[str]:
    """Return the names of the live rehearsals that go on."""
    keys = list(client().scan_iter(f"{REHEARSAL}:*", count=1000))
    return sorted(str(name) for name in client().mget(keys) if name is not None) if keys else []


def forget_all() -> None:
    """Delete everything of this product on the server, the waiting tasks too; what it needs is made anew."""
    tasks = [*settings.QUEUES, "unacked", "unacked_index", "unacked_mutex"]
    client().delete(*tasks, *client().scan_iter("srm:*", count=1000))


def count(key: str, amount: int, seconds: int) -> int:
    """Add ``amount`` to a count that begins at 0 and ends so many wall seconds later; return it."""
    with client().pipeline() as pipe:
        pipe.set(key, 0, nx=True, ex=seconds)
        pipe.incrby(key, amount)
        return int(pipe.execute()[1])


def read_counts(keys: Sequence[str]) -> list[int]:
    """Return these counts; 0 of one that has not begun, or has ended."""
    return [int(value or 0) for value in client().mget(keys)]


def seconds_left(key: str) -> int:
    """Return in how many wall seconds a count ends, rounded up; 0 when there is none."""
    return -(-max(0, int(client().pttl(key))) // 1000)


def forget_counts(keys: Iterable[str]) -> None:
    """Let these counts begin anew."""
    client().delete(*keys)
