"""A lab takes the place of the present one, wholly or not at all, and goes back."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError

from redundancy.errors import Refused
from redundancy.models import (
    CollectionState,
    HaEvent,
    ImportState,
    LabCopy,
    LogCollection,
    NodeRuntime,
    PresenceUser,
    RedundancyGroup,
    Server,
    SrmMessage,
    TracePiece,
    UserImport,
)
from redundancy.monitor.audit import audit
from redundancy.operations import groups
from redundancy.operations.sample import load_sample_cluster
from redundancy.planned import writes as planned_restarts
from redundancy.rehearsal.noticed import noticed
from redundancy.srm.states import State
from redundancy.twin import making
from redundancy.twin.reads import kept_copy, planned
from redundancy.twin.tables import LAB, REFERRING
from redundancy.twin.writes import apply_cluster, undo
from tests.twin.lab import described, read

OTHER = """admin:utils ha status
Subcluster Name: Site-B
Node 1 Name : b-pub State: Unknown Reason: High Availability Not Enabled
Node 2 Name : b-sub State: Unknown Reason: High Availability Not Enabled
"""


@pytest.fixture
def lab(db: None, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 20)
    group = load_sample_cluster(actor="tester")
    return groups.enable_ha(group=group, actor="tester")


def replace(text: str = OTHER, **options: Any) -> None:
    apply_cluster(plan=planned(read(text)), name="log", actor="ann", **options)


def test_the_lab_is_the_one_that_was_read(lab: RedundancyGroup) -> None:
    replace()
    assert described()["groups"] == {"Site-B": (False, ["b-pub", "b-sub"])}
    assert set(Server.objects.values_list("name", flat=True)) == {"b-pub", "b-sub"}
    assert not PresenceUser.objects.exists()
    told = HaEvent.objects.filter(actor="ann").latest("pk")
    assert "replaced by a cluster that was read (log)" in told.sentence
    assert told.inputs is not None
    actions = [(each["item"], each["action"]) for each in told.inputs["changes"]]
    assert actions == [
        *[("group", "removed"), ("server", "removed"), ("server", "removed")],
        *[("group", "added"), ("server", "added"), ("server", "added")],
    ]
    assert audit() == []


def test_it_can_be_undone_with_history_and_keys(lab: RedundancyGroup) -> None:
    node = Server.objects.get(name="imp-pub")
    TracePiece.objects.create(node=node, text="a line", size=6)
    HaEvent.objects.filter(node=None).update(node=node)
    before = described()
    keys = set(Server.objects.values_list("pk", "name"))
    history = set(HaEvent.objects.values_list("pk", "group", "node"))
    memory = NodeRuntime.objects.get(server=node)
    replace()
    copy = kept_copy()
    assert copy is not None
    assert (copy.servers, copy.groups, copy.users, copy.actor) == (2, 1, 20, "ann")
    assert TracePiece.objects.count() == 1
    undo(actor="ann")
    assert described() == before
    assert set(Server.objects.values_list("pk", "name")) == keys
    assert history <= set(HaEvent.objects.values_list("pk", "group", "node"))
    after = NodeRuntime.objects.get(server=node)
    assert (after.memory, after.version) == (memory.memory, memory.version + 1)
    assert kept_copy() is None
    assert audit() == []
    with pytest.raises(Refused, match="No lab is kept"):
        undo(actor="ann")


def test_one_copy_is_kept_and_the_traces_of_another_go(lab: RedundancyGroup) -> None:
    TracePiece.objects.create(node=Server.objects.get(name="imp-pub"), text="a line", size=6)
    replace()
    replace(OTHER.replace("Site-B", "Site-C"))
    assert LabCopy.objects.count() == 1
    assert not TracePiece.objects.exists()
    undo(actor="ann")
    assert set(described()["groups"]) == {"Site-B"}


def test_new_rows_never_take_the_keys_of_the_lab_that_is_kept(lab: RedundancyGroup) -> None:
    keys = set(Server.objects.values_list("pk", flat=True))
    replace()
    assert not keys & set(Server.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    "where", ["_groups", "_servers", "_machines", "_parameters", "_users", "begin_as_told"]
)
def test_a_failure_in_the_middle_changes_nothing(
    where: str, lab: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, told = described(), HaEvent.objects.count()
    whole = getattr(making, where)

    def fail(*args: Any) -> None:
        whole(*args)
        raise OSError("in the middle")

    monkeypatch.setattr(making, where, fail)
    with pytest.raises(OSError, match="in the middle"):
        replace()
    assert (described(), HaEvent.objects.count()) == (before, told)
    assert not LabCopy.objects.exists()


def test_a_failure_while_it_is_put_back_changes_nothing(
    lab: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace()
    before = described()
    monkeypatch.setattr("redundancy.twin.copies._refer", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        undo(actor="ann")
    assert described() == before
    assert LabCopy.objects.count() == 1


def test_names_that_are_one_to_the_database_are_refused(
    lab: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(*_: Any, **__: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr("redundancy.twin.writes.make", twice)
    before = described()
    with pytest.raises(Refused) as caught:
        replace()
    assert caught.value.field == "names"
    assert described() == before


def importing(lab: RedundancyGroup) -> None:
    UserImport.objects.create(file_name="users.csv", size=1, state=ImportState.IMPORTING)


def collecting(lab: RedundancyGroup) -> None:
    LogCollection.objects.create(
        group=lab, group_name=lab.name, since=0, until=1, actor="x", state=CollectionState.WORKING
    )


def restarting(lab: RedundancyGroup) -> None:
    planned_restarts.begin(server=lab.servers.all()[0], service="", actor="ann")


def failing_over(lab: RedundancyGroup) -> None:
    NodeRuntime.objects.filter(server__name="imp-pub").update(state=State.FAILING_OVER)


def falling_back(lab: RedundancyGroup) -> None:
    NodeRuntime.objects.filter(server__name="imp-pub").update(state=State.TAKING_BACK)


def asked(lab: RedundancyGroup) -> None:
    SrmMessage.objects.create(node=lab.servers.all()[0], kind="fallback")


@pytest.mark.parametrize(
    ("busy", "field"),
    [
        (importing, "imports"),
        (collecting, "collections"),
        (restarting, "restarts"),
        (failing_over, "states"),
        (falling_back, "states"),
        (asked, "states"),
    ],
)
def test_a_lab_in_which_something_runs_is_not_replaced(
    busy: Any, field: str, lab: RedundancyGroup
) -> None:
    replace()
    undo(actor="ann")
    copy_made = LabCopy.objects.exists()
    busy(lab)
    before = described()
    with pytest.raises(Refused) as caught:
        replace()
    assert [each for _, each in caught.value.rules] == [field]
    assert described() == before
    with pytest.raises(Refused):
        undo(actor="ann")
    assert not copy_made


def test_a_lab_on_which_a_rehearsal_is_played_is_not_replaced(
    valkey: str, lab: RedundancyGroup
) -> None:
    rule = "A rehearsal is played live (day.yaml): its servers are part of the lab until it ends."
    before = described()
    with noticed("day.yaml"):
        for do in (replace, lambda: undo(actor="ann")):
            with pytest.raises(Refused) as caught:
                do()
            assert caught.value.rules == ((rule, "rehearsals"),)
    assert described() == before
    replace()


def test_a_lab_too_large_to_be_kept_is_not_replaced(
    lab: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redundancy.twin.copies.LARGEST", 0)
    before = described()
    with pytest.raises(Refused, match="too large to be kept"):
        replace()
    assert described() == before


def test_a_copy_of_another_form_is_not_put_back(lab: RedundancyGroup) -> None:
    replace()
    LabCopy.objects.update(form=99)
    with pytest.raises(Refused, match="another version"):
        undo(actor="ann")
    assert set(described()["groups"]) == {"Site-B"}


def test_each_table_that_refers_to_the_lab_is_known() -> None:
    known = {*REFERRING, (TracePiece, "node")}
    unknown = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.related_model in LAB and model not in LAB and (model, field.name) not in known
    }
    assert unknown == set()
