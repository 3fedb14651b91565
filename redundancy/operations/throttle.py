"""How often a password may be guessed: one rule for every door, web, SSH or SOAP.

Failed sign-ins are counted for WINDOW_SECONDS from the first one on:

- of an account from one address, PER_PAIR: then that address waits, and no other;
- of an address, whatever the accounts, PER_ADDRESS;
- of an account from all addresses, PER_ACCOUNT: from then on each address has one try. So a right
  password gets in from an address that has not failed, however much the account is guessed at.

The counts are on the bus, so that all processes share them. While it is away each process counts for
itself. A key is made only where a password is compared, and ends with its window: their number is
limited by how fast passwords are compared (`redundancy.operations.authentication`).
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2s

from django.core.cache import caches

from redundancy import bus
from redundancy.errors import Refused
from redundancy.outage import OutageLog
from redundancy.srm.words import say_count

# Wall seconds.
WINDOW_SECONDS = 900
PER_PAIR, PER_ADDRESS, PER_ACCOUNT = 5, 30, 50
# What the keys of the counts begin with.
PREFIX = "srm:sign-in"
# The cache of this process, which counts while the bus is away.
HERE = "sign_ins"
WHOSE = "counting failed sign-ins for all processes"
_away = OutageLog()


class TryLater(Refused):
    """A sign-in that is not looked at. ``seconds``: wall seconds after which the next one is.

    ``first``: whether it is the first refusal of its window, which the audit trail keeps.
    """

    def __init__(self, sentence: str, seconds: int, *, first: bool = False) -> None:
        super().__init__(sentence)
        self.seconds = seconds
        self.first = first


@dataclass(frozen=True, slots=True)
class _Keys:
    """What is counted of a try."""

    address: str
    pair: str
    account: str

    @property
    def all(self) -> tuple[str, str, str]:
        return self.address, self.pair, self.account


def check(account: str, address: str | None) -> None:
    """Raise TryLater when there were too many failed tries. Counts nothing."""
    keys = _keys(account, address)
    _refuse_beyond(keys, _read(keys.all))


def admit(account: str, address: str | None) -> None:
    """Count a try, before its password is compared: tries at the same time must not pass together.

    Raises:
        TryLater: There were too many failed ones.

    """
    keys = _keys(account, address)
    before = [_count(key, 1, WINDOW_SECONDS) - 1 for key in keys.all]
    _refuse_beyond(keys, before)


def succeeded(account: str, address: str | None) -> None:
    """Take back what `admit` counted, and forget what this address failed at this account."""
    keys = _keys(account, address)
    _forget(keys.pair)
    for key in (keys.address, keys.account):
        _count(key, -1, WINDOW_SECONDS)


def _refuse_beyond(keys: _Keys, counts: list[int]) -> None:
    address, pair, account = counts
    if address >= PER_ADDRESS:
        raise _too_many(keys.address)
    if pair >= (1 if account >= PER_ACCOUNT else PER_PAIR):
        raise _too_many(keys.pair)


def _too_many(key: str) -> TryLater:
    seconds = _seconds_left(key)
    sentence = say_count(
        "Too many failed sign-ins. Try again in {count} minute.",
        "Too many failed sign-ins. Try again in {count} minutes.",
        -(-seconds // 60),
    )
    return TryLater(sentence, seconds, first=_count(f"{key}:told", 1, seconds) == 1)


def _keys(account: str, address: str | None) -> _Keys:
    who, where = account.casefold(), _network(address)
    return _Keys(_key("address", where), _key("pair", who, where), _key("account", who))


def _key(*parts: str) -> str:
    # As long as any other, whatever was typed.
    digest = blake2s("\0".join(parts).encode(errors="replace"), digest_size=16).hexdigest()
    return f"{PREFIX}:{digest}"


def _network(address: str | None) -> str:
    """Return what counts as one address: of IPv6 the network of 64 bits that one customer has."""
    where = address or ""
    try:
        given = ipaddress.ip_address(where)
    except ValueError:
        return where
    if isinstance(given, ipaddress.IPv4Address):
        return str(given)
    if given.ipv4_mapped:
        return str(given.ipv4_mapped)
    return str(ipaddress.ip_network((int(given), 64), strict=False))


def _read(keys: tuple[str, ...]) -> list[int]:
    with _bus_or_here():
        return bus.read_counts(keys)
    return [caches[HERE].get(key, 0) for key in keys]


def _count(key: str, amount: int, seconds: int) -> int:
    """Add to a count that ends ``seconds`` after its begin, and return it."""
    with _bus_or_here():
        return bus.count(key, amount, seconds)
    caches[HERE].add(key, 0, seconds)
    return int(caches[HERE].incr(key, amount))


def _seconds_left(key: str) -> int:
    with _bus_or_here():
        return bus.seconds_left(key) or WINDOW_SECONDS
    return WINDOW_SECONDS


def _forget(key: str) -> None:
    keys = (key, f"{key}:told")
    caches[HERE].delete_many(keys)
    with _bus_or_here():
        bus.forget_counts(keys)


@contextmanager
def _bus_or_here() -> Iterator[None]:
    """Go on behind the block where the bus is away; the log tells of it once."""
    try:
        yield
    except bus.BusError as error:
        _away.note(error, WHOSE)
    else:
        _away.over(WHOSE)
