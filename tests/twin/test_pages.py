"""A kept snapshot becomes the lab from its page, and the lab before goes back."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from redundancy.cluster import writes
from redundancy.models import (
    ClusterSnapshot,
    ImportState,
    LabCopy,
    NodeRuntime,
    RedundancyGroup,
    UserImport,
)
from redundancy.operations.sample import load_sample_cluster
from redundancy.permissions import READ_ONLY
from tests.cluster.inputs import CLUSTER, draft_of
from tests.pages.html import rows, soup, status, words
from tests.twin.lab import described

UNDO = reverse("cluster_undo")


@pytest.fixture
def lab(db: None, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 20)
    return load_sample_cluster(actor="tester")


def kept(text: str = CLUSTER) -> ClusterSnapshot:
    (row,) = writes.keep(rows=draft_of(text, "Lisbon"), note="", actor="ann")
    return row


def address(row: ClusterSnapshot) -> str:
    return reverse("cluster_apply", args=[row.pk])


def groups() -> list[str]:
    return list(RedundancyGroup.objects.values_list("name", flat=True))


def test_what_the_lab_would_be_is_shown_and_changes_nothing(
    admin_client: Client, lab: RedundancyGroup
) -> None:
    row, before = kept(), described()
    tools = soup(admin_client.get(reverse("cluster_snapshot", args=[row.pk])))
    assert tools.select_one(f"a[href='{address(row)}']") is not None
    shown = admin_client.get(address(row))
    assert rows(shown) == [["DefaultCUPSubCluster", "imp-pub, imp-sub", "on", "Can begin as told"]]
    told = words(soup(shown).select_one("main"))
    assert "The lab would have: servers 2, groups 1, users 3." in told
    assert "Assumed" in told
    assert "log.txt:" in told
    assert described() == before


@pytest.mark.parametrize(("begin", "state"), [("", ""), ("as-told", "Running in Backup Mode")])
def test_the_lab_is_replaced_and_put_back(
    admin_client: Client, lab: RedundancyGroup, begin: str, state: str
) -> None:
    before = described()
    done = admin_client.post(address(kept()), {"begin": begin}, follow=True)
    assert status(done).startswith("The lab was replaced: servers 2, groups 1, users 3.")
    states = set(NodeRuntime.objects.values_list("state", flat=True))
    assert (state in states) is bool(state)
    asked = words(soup(admin_client.get(UNDO)).select_one("main"))
    assert "servers 2, groups 1, users 20" in asked
    assert "The present lab is lost." in asked
    back = admin_client.post(UNDO, follow=True)
    assert status(back).startswith("The lab was put back: servers 2, groups 1, users 20.")
    assert described() == before
    # Once: nothing is kept any more.
    again = admin_client.post(UNDO)
    assert (again.status_code, status(again)) == (409, "No lab is kept that could be put back.")


def test_a_lab_in_which_something_runs_is_not_replaced(
    admin_client: Client, lab: RedundancyGroup
) -> None:
    row, before = kept(), described()
    UserImport.objects.create(file_name="u.csv", state=ImportState.IMPORTING, size=1)
    rule = "An import of users is running (u.csv)."
    assert status(admin_client.get(address(row))) == rule
    refused = admin_client.post(address(row))
    assert (refused.status_code, status(refused)) == (409, rule)
    assert described() == before
    assert not LabCopy.objects.exists()


def test_of_a_snapshot_that_is_no_lab_the_rules_are_told(
    admin_client: Client, lab: RedundancyGroup
) -> None:
    row = kept(CLUSTER.replace("DefaultCUPSubCluster", "x" * 200))
    shown = admin_client.get(address(row))
    assert status(shown).startswith("No lab can be made of it.")
    assert soup(shown).select_one("#apply-form") is None
    assert admin_client.post(address(row)).status_code == 409
    assert groups() == ["DefaultCUPSubCluster"]


def test_what_is_only_read_is_not_applied(admin_client: Client, lab: RedundancyGroup) -> None:
    (draft,) = draft_of(CLUSTER)
    assert admin_client.get(address(draft)).status_code == 404


def test_an_explained_group_offers_to_play_from_there(
    admin_client: Client, client: Client, lab: RedundancyGroup
) -> None:
    row = kept()
    page = reverse("cluster_snapshot", args=[row.pk])
    (link,) = [
        a for a in soup(admin_client.get(page)).select("main a") if words(a) == "Play from here"
    ]
    assert link["href"] == f"{address(row)}?begin=as-told"

    def chosen(url: str) -> list[str]:
        return [str(each["id"]) for each in soup(admin_client.get(url)).select("input[checked]")]

    assert chosen(str(link["href"])) == ["begin-told"]
    assert chosen(address(row)) == ["begin-start"]
    # What was chosen stays when it is refused.
    UserImport.objects.create(file_name="u.csv", state=ImportState.IMPORTING, size=1)
    refused = admin_client.post(address(row), {"begin": "as-told"})
    assert soup(refused).select_one("#begin-told[checked]") is not None
    # Who may only look is not offered it.
    user = User.objects.create_user("reader")
    user.groups.add(Group.objects.get_or_create(name=READ_ONLY)[0])
    client.force_login(user)
    assert "Play from here" not in words(soup(client.get(page)).select_one("main"))
