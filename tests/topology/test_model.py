import pytest

from redundancy.fingerprint import fingerprint
from redundancy.selectors.cluster import ClusterGroup
from redundancy.selectors.hearing import Ear, Sound
from redundancy.selectors.presence import Presence
from tests.topology.build import (
    DEAF,
    HEARD,
    LATE,
    SILENT,
    UNSEEN,
    WAITING,
    cluster,
    group,
    node,
    topology,
)
from topology.model import URGENCY, Group, HeartbeatLink, Topology, label, link_of


@pytest.mark.parametrize(
    ("first", "second", "link"),
    [
        (HEARD, HEARD, HeartbeatLink.ALIVE),
        (HEARD, LATE, HeartbeatLink.LATE),
        (LATE, LATE, HeartbeatLink.LATE),
        (HEARD, SILENT, HeartbeatLink.ONE_WAY),
        (LATE, SILENT, HeartbeatLink.ONE_WAY),
        (SILENT, SILENT, HeartbeatLink.CUT),
        (WAITING, WAITING, HeartbeatLink.WAITING),
        (HEARD, WAITING, HeartbeatLink.WAITING),
        (SILENT, WAITING, HeartbeatLink.WAITING),
        (DEAF, HEARD, HeartbeatLink.SILENT),
        (DEAF, SILENT, HeartbeatLink.SILENT),
        (DEAF, DEAF, HeartbeatLink.SILENT),
        (UNSEEN, UNSEEN, HeartbeatLink.UNSEEN),
        (UNSEEN, DEAF, HeartbeatLink.SILENT),
        (None, None, HeartbeatLink.OFF),
    ],
)
def test_link_is_what_the_two_nodes_hear(
    first: Ear | None, second: Ear | None, link: HeartbeatLink
) -> None:
    one, two = (None if ear is None else ear.sound for ear in (first, second))
    assert link_of(one, two) is link
    assert link_of(two, one) is link


@pytest.mark.parametrize("link", list(HeartbeatLink))
def test_every_link_has_a_tone_and_words(link: HeartbeatLink) -> None:
    assert link.tone in URGENCY
    assert link.meaning


def of(found: ClusterGroup) -> Group:
    return topology(found).groups[0]


@pytest.mark.parametrize("nodes", [0, 1])
def test_no_pair_no_link(nodes: int) -> None:
    found = of(group(1, *(node(n, ear=None) for n in range(nodes))))
    assert (found.link, found.hearings, found.missed) == (None, (), None)


@pytest.mark.parametrize(
    ("ear", "words"),
    [
        (HEARD, "one hears two."),
        (LATE, "one waits for an overdue heartbeat of two."),
        (SILENT, "one does not hear two."),
        (WAITING, "one has not heard two yet."),
        (DEAF, "one runs no SRM and listens to nobody."),
        (UNSEEN, "It cannot be seen whether one hears two."),
        (Ear(Sound.HEARD, 9.0), "one hears two, which says that it does not hear one."),
        (Ear(Sound.SILENT, 9.0, leaving=True), "one heard two say that it goes down."),
    ],
)
def test_each_direction_is_told_in_words(ear: Ear, words: str) -> None:
    found = of(group(1, node(1, name="one", ear=ear), node(2, name="two")))
    assert found.hearings[0].sentence == words
    assert found.hearings[0].tone in URGENCY


def test_the_longest_silence_is_the_one_missed() -> None:
    found = of(group(1, node(1, ear=LATE), node(2, ear=SILENT)))
    assert found.missed is not None
    assert found.missed.listener.server_id == 2
    assert of(group(1, node(1), node(2))).missed is None


@pytest.mark.parametrize(
    ("tones", "ears", "tone"),
    [
        (("ok", "ok"), (HEARD, HEARD), "ok"),
        (("ok", "ok"), (HEARD, LATE), "warn"),
        (("ok", "warn"), (HEARD, HEARD), "warn"),
        (("bad", "warn"), (HEARD, HEARD), "bad"),
        (("ok", "busy"), (HEARD, HEARD), "busy"),
        (("off", "off"), (None, None), "off"),
    ],
)
def test_a_group_has_the_tone_of_what_is_worst_in_it(
    tones: tuple[str, str], ears: tuple[Ear | None, Ear | None], tone: str
) -> None:
    nodes = [node(n, tone=t, ear=e) for n, (t, e) in enumerate(zip(tones, ears, strict=True))]
    assert of(group(1, *nodes)).tone == tone
    assert of(group(2)).tone == "off"


def test_sessions_of_the_peer_are_named_after_it() -> None:
    holder = node(2, presence=Presence(1000), guests=Presence(500))
    found = of(group(1, node(1, name="imp-one"), holder))
    assert [(n.server_id, guests_of) for n, guests_of in found.entries] == [(1, ""), (2, "imp-one")]


def test_totals_count_every_node_once() -> None:
    pair = group(
        1, node(1, assigned=3, presence=Presence(0)), node(2, assigned=4, presence=Presence(7, 1))
    )
    found = topology(pair, loose=(node(3, assigned=5, presence=Presence(5)),), homeless=2).totals
    assert (found.groups, found.nodes, found.unassigned) == (1, 3, 1)
    assert (found.users_assigned, found.users_without_node) == (12, 2)
    assert (found.users_active, found.users_waiting) == (12, 1)


BEFORE = topology(group(1, node(1), node(2)))


@pytest.mark.parametrize(
    "changed",
    [
        topology(group(1, node(1, presence=Presence(499)), node(2))),
        topology(group(1, node(1, guests=Presence(1)), node(2))),
        topology(group(1, node(1, ear=LATE), node(2))),
        topology(group(1, node(1), node(2), ha_enabled=False)),
        topology(group(1, node(1, reason="Peer Down"), node(2))),
        topology(group(1, node(1), node(2)), homeless=1),
        topology(group(1, node(1)), loose=(node(2),)),
    ],
)
def test_version_changes_with_anything_shown(changed: Topology) -> None:
    assert fingerprint(BEFORE) == fingerprint(topology(group(1, node(1), node(2))))
    assert fingerprint(changed) != fingerprint(BEFORE)


def test_another_heartbeat_is_no_other_version() -> None:
    later = Ear(Sound.HEARD, 1015.0, heard_back=True)
    after = topology(group(1, node(1, ear=later), node(2)))
    assert fingerprint(after) == fingerprint(BEFORE)


def test_only_nodes_and_states_are_worth_announcing() -> None:
    moved = topology(group(1, node(1, presence=Presence(0)), node(2, presence=Presence(1000))))
    failed = topology(group(1, node(1, state="Failing Over"), node(2)))
    assert moved.states == BEFORE.states
    assert failed.states != BEFORE.states


def test_label_says_everything_the_box_shows() -> None:
    backup = node(1, state="Running in Backup Mode", reason="Peer Down", presence=Presence(1000))
    assert label(backup) == (
        "imp-1.example.com, Publisher: Running in Backup Mode, Peer Down. "
        "500 assigned users, 1,000 active users."
    )


def test_label_does_not_repeat_a_reason_that_is_the_state() -> None:
    assert "Normal, Normal" not in label(node(1))


def test_empty_cluster_has_totals_of_nothing() -> None:
    totals = cluster(0).totals
    assert (totals.nodes, totals.users_assigned, totals.users_active) == (0, 0, 0)


@pytest.mark.parametrize(
    ("troubled", "sentence"),
    [
        (0, "Presence Topology updated: no node needs attention."),
        (2, "Presence Topology updated: imp-1.example.com Idle; imp-2.example.com Idle."),
    ],
)
def test_summary_names_the_nodes_that_need_attention(troubled: int, sentence: str) -> None:
    nodes = [node(n, state="Idle", tone="warn") for n in range(1, troubled + 1)]
    assert topology(group(1, *nodes), loose=(node(9),)).summary == sentence


def test_summary_of_many_names_a_few_and_counts_the_rest() -> None:
    summary = topology(loose=tuple(node(n, tone="bad") for n in range(1, 11))).summary
    assert summary.endswith("imp-4.example.com Normal; 6 more nodes.")


def test_what_nobody_looks_at_is_not_announced_as_well() -> None:
    found = topology(group(1, node(1, tone="unseen"), node(2, tone="unseen")))
    assert found.summary == "Presence Topology updated: the nodes cannot be seen."
