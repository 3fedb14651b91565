"""listChange: what was changed is told once, in order, and nothing is lost unnoticed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from lxml import etree
from pytest_django.fixtures import Settings

from redundancy.catalog import PRESENCE_ENGINE, SRM
from redundancy.models import EventKind, HaEvent, NodeService, RedundancyGroup, Server
from redundancy.operations import events
from redundancy.soap.axl import changes
from redundancy.soap.uuids import uuid_of
from tests.soap.asking import Asking, fault, fields

Told = tuple[str, str, str, dict[str, Any]]


class Follower:
    """A program that follows the changes, as the vendor's guide says: from where the last answer ended."""

    def __init__(self, axl: Asking, *objects: str) -> None:
        self.axl, self.objects = axl, objects
        self.info = self.ask("")[0]

    def ask(self, start: str) -> tuple[dict[str, str], list[Told]]:
        listed = "".join(fields(object=each) for each in self.objects)
        answer = self.axl.ask(
            "listChange", start + (f"<objectList>{listed}</objectList>" if listed else "")
        )
        assert [each.tag for each in answer] == ["queueInfo", "changes"]
        info = {str(each.tag): str(each.text) for each in answer[0]}
        return info, [told(each) for each in answer[1]]

    def new(self) -> list[Told]:
        found: list[Told] = []
        while True:
            start = f'<startChangeId queueId="{self.info["queueId"]}">{self.info["nextStartChangeId"]}</startChangeId>'
            self.info, some = self.ask(start)
            found += some
            if int(self.info["nextStartChangeId"]) > int(self.info["lastChangeId"]):
                return found


def told(change: etree._Element) -> Told:
    assert [each.tag for each in change][:3] == ["id", "action", "doGet"]
    tags = {str(each.get("name")): each.text for each in change.iterfind("changedTags/changedTag")}
    return str(change.get("type")), str(change.get("uuid")), str(change.findtext("action")), tags


@pytest.fixture
def follower(axl: Asking, group: RedundancyGroup) -> Follower:
    return Follower(axl)


def test_the_first_answer_tells_what_is_kept(axl: Asking, group: RedundancyGroup) -> None:
    info, found = Follower(axl).ask("")
    assert list(info) == ["firstChangeId", "lastChangeId", "nextStartChangeId", "queueId"]
    pub = Server.objects.get(name="imp-pub")
    assert found[:2] == [
        ("ProcessNode", uuid_of(pub), "a", {}),
        ("PresenceRedundancyGroup", uuid_of(group), "a", {}),
    ]
    assert int(info["nextStartChangeId"]) == int(info["lastChangeId"]) + 1


def test_each_change_is_told_once_with_what_is_new(
    axl: Asking, group: RedundancyGroup, follower: Follower
) -> None:
    assert follower.new() == []
    node = {"name": "imp-3", "processNodeRole": "CUCM IM and Presence"}
    axl.ask("addProcessNode", f"<processNode>{fields(**node)}</processNode>")
    third = Server.objects.get(name="imp-3")
    axl.ask("updateProcessNode", fields(name="imp-3", newName="imp-03", description="x"))
    content = fields(name="G", server1="imp-03")
    axl.ask(
        "addPresenceRedundancyGroup",
        f"<presenceRedundancyGroup>{content}</presenceRedundancyGroup>",
    )
    made = RedundancyGroup.objects.get(name="G")
    axl.ask("updatePresenceRedundancyGroup", fields(name="G", newName="H", description="new"))
    axl.ask("updatePresenceRedundancyGroup", fields(name=group.name, haEnabled="true"))
    axl.ask("removePresenceRedundancyGroup", fields(name="H"))
    assert follower.new() == [
        ("ProcessNode", uuid_of(third), "a", {}),
        ("ProcessNode", uuid_of(third), "u", {"name": "imp-03"}),
        ("ProcessNode", uuid_of(third), "u", {"description": "x"}),
        ("PresenceRedundancyGroup", uuid_of(made), "a", {}),
        ("PresenceRedundancyGroup", uuid_of(made), "u", {"name": "H"}),
        ("PresenceRedundancyGroup", uuid_of(made), "u", {"description": "new"}),
        ("PresenceRedundancyGroup", uuid_of(group), "u", {"haEnabled": "true"}),
        ("PresenceRedundancyGroup", uuid_of(made), "r", {}),
    ]
    assert follower.new() == []


def test_servers_of_a_group_services_and_parameters(
    axl: Asking, group: RedundancyGroup, follower: Follower
) -> None:
    swapped = fields(name=group.name, server1="imp-sub", server2="imp-pub")
    axl.ask("updatePresenceRedundancyGroup", swapped)
    service = {"processNodeName": "imp-sub", "service": PRESENCE_ENGINE}
    axl.ask("updateProcessNodeService", fields(**service, isActive="false"))
    axl.ask(
        "updateProcessNodeService",
        fields(processNodeName="imp-sub", service=SRM, traceLevel="DEBUG"),
    )
    limit = {"processNodeName": "imp-sub", "service": SRM, "name": "Client Re-Login Upper Limit"}
    axl.ask("updateServiceParameter", fields(**limit, value="600"))
    mode = {
        "processNodeName": "EnterpriseWideData",
        "name": "User Assignment Mode for Presence Server",
    }
    axl.ask("updateServiceParameter", fields(**mode, value="None"))
    found = follower.new()
    engine, srm = (
        NodeService.objects.get(server__name="imp-sub", name=name)
        for name in (PRESENCE_ENGINE, SRM)
    )
    assert found[:3] == [
        (
            "PresenceRedundancyGroup",
            uuid_of(group),
            "u",
            {"server1": "imp-sub", "server2": "imp-pub"},
        ),
        ("ProcessNodeService", uuid_of(engine), "u", {"isActive": "false"}),
        ("ProcessNodeService", uuid_of(srm), "u", {"traceLevel": "4"}),
    ]
    for (kind, uuid, action, tags), value in zip(found[3:], ("600", "None"), strict=True):
        assert (kind, action, tags) == ("ServiceParameter", "u", {"value": value})
        got = axl.ask("getServiceParameter", fields(uuid=uuid))
        assert got.findtext("return/serviceParameter/value") == value


def test_a_program_may_follow_some_objects(axl: Asking, group: RedundancyGroup) -> None:
    some = Follower(axl, "PresenceRedundancyGroup", "Phone")
    axl.ask("updateProcessNode", fields(name="imp-sub", description="x"))
    axl.ask("updatePresenceRedundancyGroup", fields(name=group.name, description="x"))
    assert [each[0] for each in some.new()] == ["PresenceRedundancyGroup"]


def test_a_long_history_is_told_in_pages(
    axl: Asking, group: RedundancyGroup, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "SCAN", 3)
    for number in range(8):
        events.record(kind=EventKind.LAB, sentence="Something else.")
        axl.ask("updatePresenceRedundancyGroup", fields(name=group.name, description=f"{number}"))
    assert [each[3]["description"] for each in follower.new()] == [str(n) for n in range(8)]


def test_a_start_may_be_amid_the_changes_of_one_event(
    axl: Asking, group: RedundancyGroup, follower: Follower
) -> None:
    """The first server brought its group with it."""
    first = int(follower.info["firstChangeId"])
    start = f'<startChangeId queueId="{follower.info["queueId"]}">{first + 1}</startChangeId>'
    assert follower.ask(start)[1][0] == ("PresenceRedundancyGroup", uuid_of(group), "a", {})


@pytest.mark.parametrize("change", ["queue", "future", "pruned", "old"])
def test_what_may_be_lost_needs_a_full_sync(
    axl: Asking, group: RedundancyGroup, follower: Follower, change: str, settings: Settings
) -> None:
    axl.ask("updatePresenceRedundancyGroup", fields(name=group.name, description="x"))
    info = dict(follower.info)
    long_ago = timezone.now() - timedelta(days=settings.HISTORY_DAYS + 1)
    if change == "queue":
        info["queueId"] = "other"
    elif change == "future":
        info["nextStartChangeId"] = "99999999"
    elif change == "pruned":
        info["nextStartChangeId"] = "1"
        HaEvent.objects.filter(pk=HaEvent.objects.order_by("pk").values("pk")[:1]).delete()
    else:
        HaEvent.objects.update(recorded_at=long_ago)
    start = (
        f'<startChangeId queueId="{info["queueId"]}">{info["nextStartChangeId"]}</startChangeId>'
    )
    code, text = fault(axl.ask("listChange", start, 500))
    assert code == "5007"
    assert text.endswith("a full sync is needed.")
    if change == "old":
        settings.HISTORY_DAYS = 0
        axl.ask("listChange", start)


def test_a_start_that_is_no_number_is_refused(axl: Asking, group: RedundancyGroup) -> None:
    for text in ("", "x", "-1"):
        answer = axl.ask("listChange", f'<startChangeId queueId="q">{text}</startChangeId>', 500)
        assert "startChangeId: must be a whole number" in fault(answer)[1]
