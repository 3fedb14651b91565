"""The Fault Lab page, and the lines that tell every page what is broken."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from redundancy.faultlab import writes as faults
from redundancy.models import Fault, HaEvent, RedundancyGroup
from redundancy.operations.groups import add_group
from redundancy.operations.sample import load_sample_cluster
from redundancy.operations.servers import add_server
from redundancy.permissions import READ_ONLY, SUPER
from tests.pages.html import error_at, rows, soup, status, words

pytestmark = pytest.mark.django_db


def browser(role: str) -> Client:
    user = User.objects.create_user(role.split()[-2].lower(), password="correct horse")
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def page(settings: Settings) -> Client:
    settings.FAULT_LAB = True
    return browser(SUPER)


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 2)
    return load_sample_cluster(actor="tester")


def menu(client: Client) -> str:
    return words(soup(client.get(reverse("control_center", args=["feature"]))).select_one("nav"))


def test_without_the_fault_lab_there_is_no_such_page(
    group: RedundancyGroup, settings: Settings
) -> None:
    settings.FAULT_LAB = False
    client = browser(SUPER)
    for name in ("fault_lab", "fault_banner"):
        assert client.get(reverse(name)).status_code == 404
    for name in ("fault_lab", "fault_lift"):
        assert client.post(reverse(name), {"action": "move", "group": group.pk}).status_code == 404
    assert "Fault Lab" not in menu(client)
    assert not soup(client.get(reverse("home"))).select("#faults")


def test_it_is_for_super_users(page: Client, group: RedundancyGroup) -> None:
    assert "Fault Lab" in menu(page)
    assert page.get(reverse("fault_lab")).status_code == 200
    viewer = browser(READ_ONLY)
    assert "Fault Lab" not in menu(viewer)
    assert viewer.get(reverse("fault_lab")).status_code == 403
    post = {"action": "move", "group": group.pk}
    assert viewer.post(reverse("fault_lab"), post).status_code == 403
    assert viewer.post(reverse("fault_lift"), {"fault": "all"}).status_code == 403
    assert not Fault.objects.exists()
    # What is broken concerns everybody who looks.
    faults.fail_next_move(group=group, actor="")
    assert "The next session move" in words(soup(viewer.get(reverse("home"))).select_one("#faults"))
    assert viewer.get(reverse("fault_banner")).status_code == 200


def test_every_fault_can_be_put_in_force_and_ended(page: Client, group: RedundancyGroup) -> None:
    pub, sub = group.servers.order_by("slot")
    for fields, sentence in (
        ({"action": "cut", "sender": pub.pk}, "Heartbeats from imp-pub do not reach its peer."),
        ({"action": "cut", "sender": "both"}, "Heartbeats from imp-sub do not reach its peer."),
        ({"action": "delay", "seconds": "2.5"}, "arrive 2.5 s late"),
        ({"action": "lose", "percent": "30"}, "30 % of the heartbeats"),
        ({"action": "move"}, "The next session move of DefaultCUPSubCluster fails."),
        # A group's moves are held, or the next one fails.
        ({"action": "hold"}, "Session moves of DefaultCUPSubCluster wait until they are released."),
        ({"action": "start", "node": sub.pk}, "critical services on imp-sub fails"),
        ({"action": "replication", "node": sub.pk}, "replication of imp-sub is not set up."),
        ({"action": "pause", "seconds": "600"}, "Nobody looks at the nodes until"),
    ):
        answer = page.post(reverse("fault_lab"), {"group": group.pk, **fields}, follow=True)
        assert answer.redirect_chain[0][0] == f"{reverse('fault_lab')}?group={group.pk}", fields
        assert "Update successful" in status(answer)
        assert any(sentence in row[0] for row in rows(answer)), fields
    assert Fault.objects.count() == 8
    page.post(reverse("fault_lab"), {"group": group.pk, "action": "restore"})
    assert Fault.objects.count() == 4
    page.post(reverse("fault_lab"), {"group": group.pk, "action": "set up", "node": sub.pk})
    assert Fault.objects.count() == 3
    move = Fault.objects.get(kind="move")
    page.post(reverse("fault_lift"), {"group": group.pk, "fault": move.pk})
    assert not Fault.objects.filter(pk=move.pk).exists()
    page.post(reverse("fault_lift"), {"fault": "all"})
    assert not Fault.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"action": "delay", "seconds": ""}, "seconds", "Delay (lab seconds) is required."),
        ({"action": "delay", "seconds": "soon"}, "seconds", "must be a number."),
        ({"action": "delay", "seconds": "nan"}, "seconds", "must be a number."),
        ({"action": "delay", "seconds": "-1"}, "seconds", "Delay must be more than 0"),
        ({"action": "lose", "percent": "2.5"}, "percent", "must be a whole number."),
        ({"action": "lose", "percent": "101"}, "percent", "at most 100 percent"),
        ({"action": "cut", "sender": "999999"}, "sender", "choose one of the list."),
        ({"action": "start", "node": "x"}, "node", "choose one of the list."),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(
    page: Client, group: RedundancyGroup, fields: dict[str, str], field: str, rule: str
) -> None:
    answer = page.post(reverse("fault_lab"), {"group": group.pk, **fields})
    assert answer.status_code == 422
    assert rule in status(answer)
    assert not Fault.objects.exists()
    if field != "seconds":
        assert rule in error_at(answer, field)


def test_held_moves_are_released(page: Client, group: RedundancyGroup) -> None:
    url = reverse("fault_lab")
    post = {"group": group.pk, "action": "release"}
    # Nothing is held: a move that shall fail is another fault, and stays.
    page.post(url, {"group": group.pk, "action": "move"})
    page.post(url, post)
    assert Fault.objects.count() == 1
    page.post(url, {"group": group.pk, "action": "hold"})
    banner = soup(page.get(reverse("home"))).select_one("#faults")
    assert "Session moves of DefaultCUPSubCluster wait" in words(banner)
    answer = page.post(url, post, follow=True)
    assert "Update successful" in status(answer)
    assert not Fault.objects.exists()
    said = list(HaEvent.objects.filter(actor="super").values_list("sentence", flat=True)[:1])
    assert said == [
        "Fault lifted: Session moves of DefaultCUPSubCluster wait until they are released."
    ]


def test_what_makes_no_sense_is_a_bad_request(page: Client, group: RedundancyGroup) -> None:
    url = reverse("fault_lab")
    assert page.post(url, {"action": "explode"}).status_code == 400
    assert page.post(url, {"action": "move", "group": "424242"}).status_code == 404
    assert page.post(url, {"action": "move", "group": "x"}).status_code == 404
    assert page.post(url, {"action": "move"}).status_code == 422
    assert page.post(reverse("fault_lift"), {"fault": "x"}).status_code == 400
    assert page.get(reverse("fault_lift")).status_code == 405
    assert not Fault.objects.exists()


def test_a_lone_node_has_no_link(page: Client, group: RedundancyGroup) -> None:
    lone = add_group(
        name="lone", first=add_server(name="imp-3", server_type="imp", actor=""), actor=""
    )
    shown = soup(page.get(reverse("fault_lab"), {"group": lone.pk}))
    assert [tag["value"] for tag in shown.select("button[name=action]")] == ["pause"]
    assert "lone has no two nodes" in shown.text


def test_inputs_are_labelled_and_ids_are_unique(page: Client, group: RedundancyGroup) -> None:
    faults.fail_next_move(group=group, actor="")
    shown = soup(page.get(reverse("fault_lab"), {"group": group.pk}))
    labelled = {label.get("for") for label in shown.select("label")}
    for tag in shown.select("input:not([type=hidden]), select"):
        assert tag.get("id") in labelled, tag
    ids = [tag["id"] for tag in shown.select("[id]")]
    assert len(ids) == len(set(ids))
    assert shown.select("legend")[0].text == "Status"


def test_the_lines_follow_what_is_in_force(page: Client, group: RedundancyGroup) -> None:
    banner = soup(page.get(reverse("home"))).select_one("#faults")
    assert banner is not None
    assert words(banner) == ""
    url = str(banner["hx-get"])
    assert page.get(url).status_code == 204
    faults.cut_link(group=group, actor="")
    answer = page.get(url)
    assert "Fault Lab: Heartbeats from imp-pub" in words(soup(answer).select_one("#faults"))
    assert "Heartbeats from imp-pub" in answer["HX-Trigger"]
    faults.clear(group=None, actor="")
    after = soup(page.get(str(soup(answer).select("#faults")[0]["hx-get"])))
    assert words(after.select_one("#faults")) == ""


def test_the_lines_cost_one_query_whatever_is_broken(
    page: Client, group: RedundancyGroup, django_assert_max_num_queries: Callable
) -> None:
    with django_assert_max_num_queries(30) as quiet:
        page.get(reverse("about"))
    faults.cut_link(group=group, actor="")
    faults.delay_link(group=group, seconds=1, actor="")
    faults.lose_heartbeats(group=group, percent=1, actor="")
    faults.fail_next_move(group=group, actor="")
    faults.fail_next_start(node=group.servers.get(slot=1), actor="")
    # The lab time, for pauses that are over.
    with django_assert_max_num_queries(len(quiet.captured_queries) + 1):
        shown = soup(page.get(reverse("about")))
    lines = shown.select("#faults p")
    assert len(lines) == 6
    assert words(lines[-1]) == "And 1 more fault."
