import pytest

from redundancy.selectors.presence import Presence
from redundancy.srm.states import NOT_RESPONDING
from tests.topology.build import cluster, group, node
from topology.model import Beat, Topology


@pytest.mark.parametrize(
    ("states", "ha_enabled", "beat"),
    [
        (("Normal", "Normal"), True, Beat.HEARD),
        (("Failed Over", "Running in Backup Mode"), True, Beat.HEARD),
        (("Initializing", "Normal"), True, Beat.WAITING),
        (("Unknown", "Unknown"), True, Beat.WAITING),
        ((NOT_RESPONDING, "Running in Backup Mode"), True, Beat.SILENT),
        (("Initializing", NOT_RESPONDING), True, Beat.SILENT),
        (("Unknown", "Unknown"), False, Beat.OFF),
        ((NOT_RESPONDING, "Unknown"), False, Beat.OFF),
        (("Normal",), True, None),
        ((), False, None),
    ],
)
def test_beat_between_two_nodes(states: tuple[str, ...], ha_enabled: bool, beat: Beat) -> None:
    nodes = [node(n, state=state) for n, state in enumerate(states, start=1)]
    assert group(1, *nodes, ha_enabled=ha_enabled).beat is beat


def test_totals_count_every_node_once() -> None:
    topology = Topology(
        groups=(
            group(
                1,
                node(1, assigned=3, presence=Presence(0)),
                node(2, assigned=4, presence=Presence(7)),
            ),
        ),
        unassigned=(node(3, assigned=5, presence=Presence(5)),),
        users_without_node=2,
    )
    assert [n.server_id for n in topology.nodes] == [1, 2, 3]
    assert (topology.users_assigned, topology.users_active) == (12, 12)


@pytest.mark.parametrize(
    "changed",
    [
        Topology((group(1, node(1, presence=Presence(499)), node(2)),)),
        Topology((group(1, node(1), node(2), ha_enabled=False),)),
        Topology((group(1, node(1, reason="Peer Down"), node(2)),)),
        Topology((group(1, node(1), node(2)),), users_without_node=1),
        Topology((group(1, node(1)),), (node(2),)),
        Topology((group(1, node(1), node(2)),), blind="We cannot see the nodes."),
    ],
)
def test_version_changes_with_anything_shown(changed: Topology) -> None:
    before = Topology((group(1, node(1), node(2)),))
    assert before.version == Topology((group(1, node(1), node(2)),)).version
    assert changed.version != before.version


def test_only_nodes_and_states_are_worth_announcing() -> None:
    before = Topology((group(1, node(1), node(2)),))
    moved = Topology((group(1, node(1, presence=Presence(0)), node(2, presence=Presence(1000))),))
    failed = Topology((group(1, node(1, state="Failing Over"), node(2)),))
    assert moved.states == before.states
    assert failed.states != before.states
    assert before.version.startswith(before.states)


def test_label_says_everything_the_box_shows() -> None:
    label = node(
        1, state="Running in Backup Mode", reason="Peer Down", assigned=500, presence=Presence(1000)
    ).label
    assert label == (
        "imp-1.example.com, Publisher: Running in Backup Mode, Peer Down. "
        "500 assigned users, 1,000 active users."
    )


def test_label_does_not_repeat_a_reason_that_is_the_state() -> None:
    assert "Normal, Normal" not in node(1).label


def test_empty_cluster_has_totals_of_nothing() -> None:
    empty = cluster(0)
    assert (empty.nodes, empty.users_assigned, empty.users_active) == ((), 0, 0)


@pytest.mark.parametrize(
    ("troubled", "sentence"),
    [
        (0, "Presence Topology updated: no node needs attention."),
        (2, "Presence Topology updated: imp-1.example.com Idle; imp-2.example.com Idle."),
    ],
)
def test_summary_names_the_nodes_that_need_attention(troubled: int, sentence: str) -> None:
    nodes = [node(n, state="Idle", tone="warn") for n in range(1, troubled + 1)]
    assert Topology((group(1, *nodes),), (node(9),)).summary == sentence


def test_summary_of_many_names_a_few_and_counts_the_rest() -> None:
    summary = Topology((), tuple(node(n, tone="bad") for n in range(1, 11))).summary
    assert summary.endswith("imp-4.example.com Normal; 6 more nodes.")
