"""What holds now of a node in its state, and what led there."""

from typing import Any

import pytest

from redundancy.srm.sentences import present, told
from redundancy.srm.types import Node
from tests.srm.one_node import BACKUPS, NOW, OVER, POLICY, S, beat, node

HEARD: dict[str, Any] = {"peer": beat(S.NORMAL), "peer_at": NOW - 5}
SERVING_PEER: dict[str, Any] = {"peer": beat(S.BACKUP), "peer_at": NOW - 5}
OWN_RUN = "The critical services of imp-pub run."
SHUT = "Nobody can log in here."


@pytest.mark.parametrize(
    ("now", "open_", "shut"),
    [
        (
            node(S.NORMAL, **HEARD),
            "Both nodes are reachable and their critical services run.",
            SHUT,
        ),
        (
            node(S.NORMAL, peer=beat(S.NORMAL, healthy=False), peer_at=NOW - 5),
            "imp-sub is reachable, and the critical services of imp-pub run.",
            SHUT,
        ),
        # Of a peer whose heartbeats are late, gone or announced as leaving nobody knows.
        (node(S.NORMAL, peer=beat(S.NORMAL), peer_at=NOW - 31), OWN_RUN, SHUT),
        (node(S.NORMAL, peer=beat(S.NORMAL), peer_at=NOW - 60), OWN_RUN, SHUT),
        (node(S.NORMAL, peer=beat(S.NORMAL, leaving=True), peer_at=NOW - 5), OWN_RUN, SHUT),
        (node(S.NORMAL), OWN_RUN, SHUT),
        (node(S.NORMAL, up=False, **HEARD), "", ""),
        *(
            (
                node(own, holds=True, up=up, **HEARD),
                "The sessions of all users are here.",
                "All users are here, and nobody can log in.",
            )
            for own in BACKUPS
            for up in (True, False)
        ),
        *((node(own, **HEARD), "", "") for own in BACKUPS),
        *((node(own, **SERVING_PEER), *["The users are at imp-sub."] * 2) for own in OVER),
        *((node(own, **HEARD), "", "") for own in OVER),
        (node(S.FAILED_OVER, peer=beat(S.BACKUP), peer_at=NOW - 60), "", ""),
        (node(S.FAILED, **SERVING_PEER), "", ""),
        (node(S.UNKNOWN), "", ""),
    ],
)
def test_it_says_what_its_srm_knows(now: Node, open_: str, shut: str) -> None:
    assert present(now, NOW, POLICY) == open_
    assert present(now, NOW, POLICY, serves=False) == shut


@pytest.mark.parametrize(
    ("led", "now", "said"),
    [
        ("It led.", ["It holds."], "It holds. Before: It led."),
        ("It led.", ["It holds.", "", "So does this."], "It holds. So does this. Before: It led."),
        # Nothing holds, or what led here does still.
        ("It led.", [""], "It led."),
        ("It led.", ["It holds.", "It led."], "It holds. It led."),
        ("", ["It holds."], "It holds."),
        ("", [], ""),
    ],
)
def test_what_led_here_is_told_as_past_once(led: str, now: list[str], said: str) -> None:
    assert told(led, *now) == said
