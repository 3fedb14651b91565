"""How often a password may be guessed, whoever asks: the page, or a door without a page."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy import bus, origin
from redundancy.models import SignIn
from redundancy.operations import authentication, throttle
from redundancy.operations.throttle import PER_ACCOUNT, PER_ADDRESS, PER_PAIR, TryLater
from tests.pages.html import rows, status

LOGIN = reverse("login")
RIGHT = "correct horse"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def guess(password: str = "wrong", *, name: str = "ccmadmin", address: str = HOME) -> User | None:
    """As a door without a page asks."""
    with origin.coming_from(address):
        found = authenticate(username=name, password=password)
    assert found is None or isinstance(found, User)
    return found


def fail(times: int, **whose: str) -> None:
    for _ in range(times):
        assert guess(**whose) is None


def test_after_some_wrong_passwords_the_right_one_waits_and_gets_in_elsewhere(
    valkey: str, admin: User
) -> None:
    fail(PER_PAIR)
    with pytest.raises(TryLater, match="Try again in 15 minutes") as refused:
        guess(RIGHT)
    assert 0 < refused.value.seconds <= throttle.WINDOW_SECONDS
    assert guess(RIGHT, address=ELSEWHERE) == admin
    with pytest.raises(TryLater):
        guess(RIGHT)


def test_the_window_ends_by_itself(valkey: str, admin: User) -> None:
    fail(PER_PAIR)
    keys = list(bus.client().scan_iter(f"{throttle.PREFIX}:*"))
    assert keys
    assert all(0 < bus.client().ttl(key) <= throttle.WINDOW_SECONDS for key in keys)
    bus.client().delete(*keys)
    assert guess(RIGHT) == admin


def test_a_right_password_forgets_the_wrong_ones(valkey: str, admin: User) -> None:
    for _ in range(3):
        fail(PER_PAIR - 1)
        assert guess(RIGHT) == admin


def test_an_address_that_tries_many_names_waits(valkey: str, admin: User) -> None:
    for number in range(PER_ADDRESS):
        fail(1, name=f"name{number}")
    with pytest.raises(TryLater):
        guess(RIGHT)
    assert guess(RIGHT, address=ELSEWHERE) == admin


@pytest.mark.parametrize("names", [1, PER_ADDRESS])
def test_who_waits_is_told_until_when(valkey: str, admin: User, names: int) -> None:
    for number in range(PER_PAIR if names == 1 else PER_ADDRESS):
        fail(1, name=f"name{number % names}")
    for key in bus.client().scan_iter(f"{throttle.PREFIX}:*"):
        bus.client().expire(key, 100)
    with pytest.raises(TryLater, match="Try again in 2 minutes") as refused:
        guess(name="name0")
    assert 0 < refused.value.seconds <= 100


def test_right_passwords_are_not_counted_against_an_address(valkey: str, admin: User) -> None:
    for _ in range(PER_ADDRESS + 1):
        assert guess(RIGHT) == admin


def test_an_account_that_is_guessed_from_everywhere_still_lets_its_user_in(
    valkey: str, admin: User
) -> None:
    for number in range(PER_ACCOUNT):
        fail(1, address=f"203.0.113.{number}")
    # One try for each address from now on, and the right password needs no second one.
    fail(1, address=ELSEWHERE)
    with pytest.raises(TryLater):
        guess(address=ELSEWHERE)
    assert guess(RIGHT, address=HOME) == admin


def test_the_last_try_that_an_account_has_from_everywhere_is_the_last_second_one(
    valkey: str, admin: User
) -> None:
    for number in range(PER_ACCOUNT - 2):
        fail(1, address=f"203.0.113.{number}")
    # Two short of the limit an address may still try again; at the limit it has had its one try.
    fail(2, address=ELSEWHERE)
    with pytest.raises(TryLater):
        guess(RIGHT, address=ELSEWHERE)
    assert guess(RIGHT, address=HOME) == admin


def test_who_comes_without_an_address_is_one_address(valkey: str, admin: User) -> None:
    for _ in range(PER_PAIR):
        throttle.admit("ccmadmin", None)
    with pytest.raises(TryLater):
        throttle.check("ccmadmin", "")
    throttle.check("ccmadmin", HOME)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::8000:0:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_what_counts_as_one_address(
    valkey: str, admin: User, one: str, other: str, same: bool
) -> None:
    fail(PER_PAIR, address=one)
    if same:
        with pytest.raises(TryLater):
            guess(RIGHT, address=other)
    else:
        assert guess(RIGHT, address=other) == admin


def test_tries_at_the_same_time_do_not_pass_together(
    valkey: str, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "check", lambda *_: None)
    passed: list[int] = []

    def one(_: int) -> None:
        try:
            throttle.admit("ann", HOME)
        except TryLater:
            return
        passed.append(1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(40)))
    assert len(passed) == PER_PAIR


def test_a_flood_of_refused_tries_makes_no_keys_and_compares_nothing(
    valkey: str, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(PER_ADDRESS):
        fail(1, name=f"name{number}")
    with pytest.raises(TryLater):
        guess()
    before = len(list(bus.client().scan_iter(f"{throttle.PREFIX}:*")))
    rows_before = SignIn.objects.count()
    monkeypatch.setattr(User, "check_password", lambda *_: pytest.fail("compared"))
    for number in range(200):
        with pytest.raises(TryLater):
            guess(name=f"other{number}")
    assert len(list(bus.client().scan_iter(f"{throttle.PREFIX}:*"))) == before
    assert SignIn.objects.count() == rows_before


def test_a_long_password_is_refused_before_it_is_hashed(
    db: None, admin: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(User, "check_password", lambda *_: pytest.fail("hashed"))
    monkeypatch.setattr(User, "set_password", lambda *_: pytest.fail("hashed"))
    assert guess("x" * 200_000) is None
    assert guess("x" * 200_000, name="nobody") is None
    shown = client.post(LOGIN, {"username": "ccmadmin", "password": "x" * 200_000})
    assert "Password must have at most 1,000 characters." in status(shown)


def test_only_some_passwords_are_compared_at_a_time(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, at_work = threading.Event(), []
    begun = threading.Semaphore(0)

    def compare() -> str:
        try:
            with authentication._slot():
                at_work.append(1)
                begun.release()
                go_on.wait(10)
        except TryLater as refused:
            begun.release()
            return f"{refused.seconds}"
        return "compared"

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(compare) for _ in range(8)]
        # Some begin, and those are refused for whom there is no room to wait.
        for _ in range(8 - authentication.WAITING):
            assert begun.acquire(timeout=10)
        assert len(at_work) == authentication.AT_ONCE
        go_on.set()
        answers = sorted(each.result() for each in asked)
    assert answers == [str(authentication.BUSY_SECONDS)] * 4 + ["compared"] * 4


def test_while_the_bus_is_away_each_process_counts(admin: User, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    with pytest.raises(bus.BusError):
        bus.read_counts(["x"])
    fail(PER_PAIR)
    with pytest.raises(TryLater):
        guess(RIGHT)
    assert guess(RIGHT, address=ELSEWHERE) == admin


def test_the_page_says_when_to_try_again_and_the_trail_keeps_it_once(
    valkey: str, client: Client, admin: User, page: Client
) -> None:
    form = {"username": "ccmadmin", "password": "wrong"}
    for _ in range(PER_PAIR):
        assert client.post(LOGIN, form, REMOTE_ADDR=HOME).status_code == 200
    for _ in range(3):
        refused = client.post(LOGIN, form | {"password": RIGHT}, REMOTE_ADDR=HOME)
        assert refused.status_code == 429
        assert 0 < int(refused["Retry-After"]) <= throttle.WINDOW_SECONDS
        assert "Too many failed sign-ins. Try again in 15 minutes." in status(refused)
    trail = [" ".join(row) for row in rows(page.get(reverse("audit_trail")))]
    told = [row for row in trail if "Sign-in refused" in row]
    assert len(told) == 1
    assert HOME in told[0]
    kept = SignIn.objects.filter(username="ccmadmin", address=HOME)
    assert kept.filter(ok=False, refused=False).count() == PER_PAIR
    assert kept.filter(refused=True).count() == 1
    in_again = client.post(LOGIN, form | {"password": RIGHT}, REMOTE_ADDR=ELSEWHERE)
    assert in_again.status_code == 302
