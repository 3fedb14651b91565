"""The users that the vendor supports in a group and in a cluster: more are told, never refused."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import PresenceUser, RedundancyGroup, Server
from redundancy.operations.groups import add_group
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.planned.reads.check import Result
from redundancy.planned.reads.preflight import preflight
from redundancy.selectors import capacity
from tests.imports.jobs import begin, go
from tests.pages.html import soup, words

OF_GROUP = (
    "DefaultCUPSubCluster has {} users then; the vendor supports at most 4 in a group with High "
    "Availability."
)
OF_CLUSTER = "{} users are assigned then; the vendor supports at most 7 in a cluster."


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of 4 users for a group and 7 for a cluster."""
    for module in ("redundancy.selectors.capacity", "redundancy.planned.reads.before_ha"):
        monkeypatch.setattr(f"{module}.GROUP_USERS", 4)
        monkeypatch.setattr(f"{module}.CLUSTER_USERS", 7)


def people(number: int, home: Server | None, name: str = "user") -> list[int]:
    rows = [(f"{name}{n}", "", f"{name}{n}@example.com", home) for n in range(number)]
    add_users(rows=rows, actor="")
    users = PresenceUser.objects.filter(userid__startswith=name).order_by("pk")
    return list(users.values_list("pk", flat=True))


def loose(name: str = "imp-3") -> Server:
    return add_server(name=name, server_type="imp", actor="")


@pytest.mark.parametrize(("number", "told"), [(4, []), (5, [OF_GROUP.format(5)])])
def test_a_group(pair: RedundancyGroup, pub: Server, number: int, told: list[str]) -> None:
    assert capacity.of_change({pub.pk: number}) == told
    people(number - 1, pub)
    assert capacity.of_change({pub.pk: 1}) == told


@pytest.mark.parametrize(("number", "told"), [(7, []), (8, [OF_CLUSTER.format(8)])])
def test_a_cluster(pair: RedundancyGroup, number: int, told: list[str]) -> None:
    assert capacity.of_change({loose().pk: number}) == told


def test_a_group_of_one_server_has_no_such_limit(pair: RedundancyGroup) -> None:
    lone = loose()
    add_group(name="lone", first=lone, actor="")
    assert capacity.of_change({lone.pk: 6}) == []
    # Neither have two that are in no group.
    assert capacity.of_change({loose("imp-4").pk: 3, loose("imp-5").pk: 3}) == []


def test_what_is_more_than_one_cluster_has_no_limit_of_one(pair: RedundancyGroup) -> None:
    nodes = [loose(f"imp-{number}") for number in range(3, 8)]
    assert capacity.several_clusters()
    assert capacity.of_change({nodes[0].pk: 100}) == []


def test_only_what_grows_is_told(pair: RedundancyGroup, pub: Server, sub: Server) -> None:
    people(9, pub)
    assert capacity.of_change({sub.pk: 3}, {pub.pk: 3}) == []
    assert capacity.of_change({loose().pk: 3}, {pub.pk: 3}) == []
    assert capacity.of_change({sub.pk: 1}, {None: 1}) == [
        OF_GROUP.format(10),
        OF_CLUSTER.format(10),
    ]


def test_the_preflight(pair: RedundancyGroup, pub: Server, sub: Server) -> None:
    def supported() -> tuple[Result, str]:
        found = preflight(pair)
        assert found is not None
        [check] = [c for c in found.checks if c.label == "Users that the vendor supports"]
        return check.result, check.sentence

    most = "At most 4 in a group with High Availability and 7 in a cluster"
    people(4, pub)
    assert supported() == (Result.PASSED, f"{most}.")
    people(1, sub, "more")
    assert supported() == (Result.FAILED, f"{most}; DefaultCUPSubCluster has 5.")
    people(3, loose(), "third")
    assert supported() == (
        Result.FAILED,
        f"{most}; DefaultCUPSubCluster has 5 and the cluster has 8.",
    )


Ask = Callable[[list[int], Server], str]


def assign(pks: list[int], node: Server) -> str:
    chosen = "&".join(f"pk={pk}" for pk in pks)
    return f"{reverse('user_assign')}?{chosen}&to={node.pk}"


def everybody(_pks: list[int], _node: Server) -> str:
    return reverse("user_spread", args=["assign-all"])


@pytest.mark.parametrize("ask", [assign, everybody])
def test_the_question_before_an_assignment(
    page: Client, pair: RedundancyGroup, pub: Server, ask: Ask
) -> None:
    pks = people(5, None)
    PresenceUser.objects.update(home=None)
    address = ask(pks, pub)
    asked = soup(page.get(address))
    assert [words(li) for li in asked.select(".effects li")][-1] == OF_GROUP.format(5)
    # Told, not refused.
    page.post(address, {"to": pub.pk, "pk": pks})
    assert PresenceUser.objects.filter(home__isnull=False).count() == 5


def test_an_import(page: Client, pair: RedundancyGroup) -> None:
    text = "".join(f"user{n},,user{n}@example.com,imp-pub\n" for n in range(3))
    text += "".join(f"free{n},,free{n}@example.com\n" for n in range(5))
    job = go(begin(text, at_once=False))
    asked = soup(page.get(reverse("import_act", args=[job.pk, "import"])))
    told = [words(li) for li in asked.select(".effects li")]
    assert told == [OF_GROUP.format(8), OF_CLUSTER.format(8)]
    assert go(begin(text)).sentence == " ".join(["8 users were imported.", *told])
