"""Played clients against an agent that does as it is told: where they dial, with what, and when."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from redundancy.jabber import player as playing
from redundancy.jabber.player import Player
from redundancy.jabber.wire import NotDone

PASSWORD = "lab-password"


class Agent:
    """What the product would answer. ``serving``: the node of each user."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.serving: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        self.logins: list[tuple[str, str, str]] = []
        self.refuse: Callable[[str, str, str], NotDone | None] = lambda *_: None
        self.limits = (0, 0)

    def ask(self, operation: str, values: Any, *, node: str = "", waits: float = 0) -> Any:
        with self.lock:
            return getattr(self, operation.replace("-", "_"))(values, node)

    def close(self) -> None:
        pass

    def login(self, values: Any, node: str) -> Any:
        user = values["username"]
        self.logins.append((user, node, values["password"]))
        if failed := self.refuse(user, node, values["password"]):
            raise failed
        key = f"key {len(self.logins)} of {user}"
        self.keys[user] = key
        return {"session-key": key, "node": self.serving.setdefault(user, "imp-pub")}

    def get_all_config(self, values: Any, node: str) -> Any:
        peer = {"imp-pub": "imp-sub", "imp-sub": "imp-pub"}[node]
        lower, upper = self.limits
        return {
            "client-relogin-lower-limit": lower,
            "client-relogin-upper-limit": upper,
            "clock-rate": "1",
            "backup-node": peer,
        }

    def get_onetime_password(self, values: Any, node: str) -> Any:
        return {"onetime-password": f"once for {values['session-key']}"}

    def await_event(self, values: Any, node: str) -> Any:
        found = [each for each in self.events if each["session-key"] in values["session-key"]]
        self.events = [each for each in self.events if each not in found]
        if not found:
            time.sleep(0.01)
        return {"event": found}

    def move(self, user: str, why: str = "moved", ago: float = 0.0) -> None:
        with self.lock:
            if why == "moved":
                self.serving[user] = "imp-sub"
            key = self.keys[user]
            self.events.append({"session-key": key, "why": why, "seconds-ago": str(ago)})


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def play(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Player]]:
    monkeypatch.setattr(playing, "SETTLES", 0.1)
    monkeypatch.setattr(playing, "FIRST_AGAIN", (0.01, 0.02))
    monkeypatch.setattr(playing, "LEAST", 0.01)
    started: list[Player] = []

    def start(*users: str, **more: Any) -> Player:
        made = Player(lambda: agent, list(users), PASSWORD, connections=2, **more)  # type: ignore[arg-type,return-value]
        started.append(made)
        made.start()
        return made

    yield start
    for each in started:
        each.end()


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def until_back(player: Player) -> None:
    """Wait until the first wave is over: it is closed by a look."""
    until(lambda: bool(player.numbers()) and len(player.waves) == 1)


def test_they_log_in_and_then_at_the_other_node_with_the_one_time_password(
    agent: Agent, play: Callable[..., Player]
) -> None:
    player = play("ann", "bob")
    until(lambda: player.numbers().connected == 2)
    assert sorted(agent.logins) == [("ann", "", PASSWORD), ("bob", "", PASSWORD)]
    held = dict(agent.keys)
    agent.move("ann")
    agent.move("bob")
    until_back(player)
    assert sorted(agent.logins[2:]) == [
        (user, "imp-sub", f"once for {held[user]}") for user in ("ann", "bob")
    ]
    (wave,) = player.waves
    assert (wave.lost, len(wave.back), player.numbers().failures) == (2, 2, {})
    assert wave.until(100) is not None


def test_a_move_after_all_were_back_is_another_wave_even_if_nobody_looked_since(
    agent: Agent, play: Callable[..., Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "SETTLES", 1000)
    player = play("ann", "bob")
    until(lambda: len(agent.logins) == 2)
    agent.move("ann")
    until(lambda: len(agent.logins) == 3)
    # Of the move before: heard late.
    agent.move("bob", ago=5)
    until(lambda: len(agent.logins) == 4)
    assert player.waves == []
    agent.move("ann")
    until(lambda: len(agent.logins) == 5)
    (wave,) = player.waves
    assert (wave.lost, len(wave.back)) == (2, 2)


def test_they_wait_between_the_limits_they_got_from_the_event_on(
    agent: Agent, play: Callable[..., Player]
) -> None:
    agent.limits = (100, 500)
    asked: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        asked.append((low, high))
        return 300.0

    player = play("ann", "bob", draw=draw)
    until(lambda: player.numbers().connected == 2)
    # Those of their login count, whatever holds later.
    agent.limits = (0, 0)
    agent.move("ann", ago=299.5)
    agent.move("bob", ago=10)
    until(lambda: player.numbers().logins == 3)
    assert asked == [(100, 500)] * 2
    now = player.numbers()
    assert (now.connected, now.waiting) == (1, 1)
    assert player.waves == []


def test_a_failure_that_names_a_node_leads_there(agent: Agent, play: Callable[..., Player]) -> None:
    agent.refuse = lambda user, node, secret: (
        NotDone("not-here", "elsewhere", "imp-9") if node == "imp-sub" else None
    )
    player = play("ann")
    until(lambda: player.numbers().connected == 1)
    agent.move("ann")
    until_back(player)
    assert [each[1:] for each in agent.logins[2:]] == [("imp-9", PASSWORD)]
    assert player.waves[0].failures == {"not-here": 1}


def test_a_one_time_password_that_is_not_taken_is_followed_by_the_users(
    agent: Agent, play: Callable[..., Player]
) -> None:
    agent.refuse = lambda user, node, secret: (
        NotDone("wrong-password", "wrong") if secret.startswith("once") else None
    )
    player = play("ann")
    until(lambda: player.numbers().connected == 1)
    agent.move("ann")
    until_back(player)
    assert agent.logins[-1] == ("ann", "imp-sub", PASSWORD)
    assert player.waves[0].failures == {"LERR_JABBER_AUTH <17>": 1}
    assert not player.refused


def test_a_login_without_services_is_tried_again_until_it_is_possible(
    agent: Agent, play: Callable[..., Player]
) -> None:
    left = [1] * 4
    agent.refuse = lambda *_: NotDone("no-service", "no") if left and left.pop() else None
    player = play("ann")
    until(lambda: player.numbers().connected == 1)
    assert player.numbers().failures == {"no-service": 4}


def test_a_wrong_password_ends_it(agent: Agent, play: Callable[..., Player]) -> None:
    agent.refuse = lambda *_: NotDone("wrong-password", "It is wrong.")
    player = play("ann")
    until(lambda: bool(player.refused))
    assert (player.refused, player.numbers().away, len(agent.logins)) == ("It is wrong.", 1, 1)


def test_who_was_disconnected_dials_its_own_node_with_the_password(
    agent: Agent, play: Callable[..., Player]
) -> None:
    player = play("ann")
    until(lambda: player.numbers().connected == 1)
    agent.move("ann", why="disconnected")
    until_back(player)
    assert agent.logins[-1] == ("ann", "imp-pub", PASSWORD)


def test_whose_session_is_over_stays_away(agent: Agent, play: Callable[..., Player]) -> None:
    player = play("ann", "bob")
    until(lambda: player.numbers().connected == 2)
    agent.move("ann", why="over")
    until(lambda: player.numbers().away == 1)
    assert (player.numbers().connected, player.numbers().waiting) == (1, 0)
    assert player.waves == []
    assert len(agent.logins) == 2


def test_who_has_nothing_to_do_makes_no_ceiling(agent: Agent, play: Callable[..., Player]) -> None:
    noted: list[str] = []
    player = play("ann", "bob")
    until(lambda: player.numbers().connected == 2)
    until(lambda: player.pace._idle == 2)
    player.pace.busy = lambda now: noted.append("busy")  # type: ignore[method-assign]
    agent.move("ann")
    until_back(player)
    assert noted == ["busy"]
    assert player.pace.best is None
