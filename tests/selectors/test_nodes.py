"""Which nodes a name means, and which belong to a node or a group."""

import pytest

from redundancy.models import Machine
from redundancy.names import NodeNames
from redundancy.operations.servers import add_server
from redundancy.selectors import nodes
from tests.operations.pairs import group, make_pairs, node

NAMES = NodeNames(
    enumerate(
        (
            "imp-pub",
            "sub.a.example",
            "sub.b.example",
            "One.example",
            "both",
            "both.example",
            "10.0.0.1",
            "10.0.0.2",
            "fd00::1",
        )
    )
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("imp-pub", ["imp-pub"]),
        ("IMP-PUB.example", ["imp-pub"]),
        ("one", ["One.example"]),
        # The whole name of one is no other; the host name alone may be of several.
        ("sub.a.example", ["sub.a.example"]),
        ("sub", ["sub.a.example", "sub.b.example"]),
        ("sub.c.example", []),
        ("both", ["both"]),
        ("both.example", ["both.example"]),
        ("both.other", ["both"]),
        # Addresses have no host name.
        ("10.0.0.1", ["10.0.0.1"]),
        ("10", []),
        ("10.0.0.3", []),
        ("fd00::1", ["fd00::1"]),
        ("fd00::2", []),
        ("nobody", []),
    ],
)
def test_which_nodes_a_name_means(name: str, meant: list[str]) -> None:
    assert [each for _, each in NAMES.meant(name)] == meant


@pytest.mark.django_db
def test_of_several_groups_each_has_its_own() -> None:
    make_pairs()
    cucm = add_server(name="cucm", server_type="cucm", actor="")
    a1, a2, b1 = node("a1"), node("a2"), node("b1")
    assert nodes.mates(a1.pk) == nodes.mates(a2.pk) == sorted(nodes.of_group(a1.group_id or 0))
    assert set(nodes.of_group(group("a").pk)) == {a1.pk, a2.pk}
    assert nodes.peer(a1) == a2
    assert nodes.peer(cucm) is None
    assert nodes.mates(cucm.pk) == []
    assert (nodes.node(b1.pk), nodes.node(cucm.pk)) == (b1, None)
    Machine.objects.filter(pk=a2.pk).update(srm_worker="worker-7")
    found = [nodes.srm_process(each) for each in (a1, a2, b1, cucm)]
    assert found == ["", "worker-7", "", None]
