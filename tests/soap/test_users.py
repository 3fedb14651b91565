"""Users by AXL: who is assigned, and to which presence server."""

from typing import Any

import pytest
from lxml import etree

from redundancy.models import HaEvent, NodeRuntime, PresenceUser, RedundancyGroup, Server
from redundancy.soap.uuids import uuid_of
from redundancy.srm.states import State
from tests.soap.asking import Asking, fault, fields


@pytest.fixture
def someone(group: RedundancyGroup) -> PresenceUser:
    """A user on imp-pub."""
    return PresenceUser.objects.filter(home__name="imp-pub").order_by("pk")[0]


def rows(answer: etree._Element) -> list[dict[str, Any]]:
    return [{str(child.tag): child.text for child in each} for each in answer.iterfind("return/*")]


def search(**criteria: str) -> str:
    return f"<searchCriteria>{fields(**criteria)}</searchCriteria>"


def test_all_assigned_users_are_listed_with_server_and_group(
    axl: Asking, group: RedundancyGroup, someone: PresenceUser
) -> None:
    answer = axl.ask("listAssignedPresenceUsers", search(userid=""))
    found = answer.findall("return/assignedPresenceUsers")
    assert len(found) == PresenceUser.objects.filter(home__isnull=False).count() == 1000
    names = [str(each.findtext("userid")) for each in found]
    assert names == sorted(names, key=str.lower)
    mine = found[names.index(someone.userid)]
    assert [each.tag for each in mine] == ["userid", "server", "presenceRedundancyGroup"]
    assert mine.get("uuid") == uuid_of(someone)
    server = mine.find("server")
    assert server is not None
    assert (server.text, server.get("uuid")) == (
        "imp-pub",
        uuid_of(Server.objects.get(name="imp-pub")),
    )
    assert mine.findtext("presenceRedundancyGroup") == group.name


@pytest.mark.parametrize(
    ("criteria", "number"),
    [
        ({"server": "imp-pub"}, 500),
        ({"server": "IMP-%"}, 1000),
        ({"presenceRedundancyGroup": "Other"}, 0),
        ({"presenceRedundancyGroup": "default%", "server": "%sub"}, 500),
    ],
)
def test_assigned_users_are_found_by_server_and_group(
    axl: Asking, group: RedundancyGroup, criteria: dict[str, str], number: int
) -> None:
    assert len(rows(axl.ask("listAssignedPresenceUsers", search(**criteria)))) == number


def test_pages_of_users_are_whole_and_do_not_overlap(axl: Asking, group: RedundancyGroup) -> None:
    pages = [
        [
            row["userid"]
            for row in rows(axl.ask("listAssignedPresenceUsers", fields(skip=str(n), first="400")))
        ]
        for n in (0, 400, 800)
    ]
    assert [len(page) for page in pages] == [400, 400, 200]
    assert len({name for page in pages for name in page}) == 1000


def test_a_user_is_unassigned_and_assigned(axl: Asking, someone: PresenceUser) -> None:
    answer = axl.ask("unassignPresenceUser", fields(userid=someone.userid.upper()))
    assert answer.findtext("return") == uuid_of(someone)
    listed = axl.ask("listUnassignedPresenceUsers", search(userid="%"))
    assert rows(listed) == [{"userid": someone.userid}]
    assert not hasattr(PresenceUser.objects.get(pk=someone.pk), "session")
    # Once more changes nothing.
    events = HaEvent.objects.count()
    axl.ask("unassignPresenceUser", fields(uuid=uuid_of(someone)))
    assert HaEvent.objects.count() == events
    axl.ask("assignPresenceUser", fields(userid=someone.userid, server="imp-sub"))
    someone.refresh_from_db()
    assert someone.home is not None
    assert someone.home.name == "imp-sub"
    assert HaEvent.objects.order_by("pk").last().actor == "program"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        ({"userid": "nobody", "server": "imp-sub"}, "5003", "The specified user was not found"),
        ({"server": "imp-sub"}, "-1", "userid, uuid: one of them must be given."),
        ({"userid": "", "server": "nowhere"}, "-691", "server: The specified server 'nowhere'"),
        ({"userid": ""}, "-1", "server: must be given."),
    ],
)
def test_an_assignment_that_names_nobody_or_nothing(
    axl: Asking, someone: PresenceUser, values: dict[str, str], code: str, said: str
) -> None:
    if values.get("userid") == "":
        values = values | {"userid": someone.userid}
    told = fault(axl.ask("assignPresenceUser", fields(**values), 500))
    assert told[0] == code
    assert said in told[1]


def test_nobody_is_assigned_while_a_node_is_failed_over(axl: Asking, someone: PresenceUser) -> None:
    NodeRuntime.objects.filter(server=someone.home).update(state=State.FAILED_OVER)
    RedundancyGroup.objects.update(ha_enabled=True)
    answer = axl.ask("assignPresenceUser", fields(userid=someone.userid, server="imp-sub"), 500)
    assert "server: No user can be added or assigned while a node" in fault(answer)[1]
    someone.refresh_from_db()
    assert someone.home is not None
    assert someone.home.name == "imp-pub"


def test_a_user_is_read(axl: Asking, someone: PresenceUser) -> None:
    got = axl.ask("getUser", fields(userid=someone.userid))
    assert rows(got) == [
        {
            "displayName": someone.display_name,
            "userid": someone.userid,
            "homeCluster": "true",
            "imAndPresenceEnable": "true",
            "directoryUri": someone.im_address,
        }
    ]
    tags = "<returnedTags><userid/><lastName/></returnedTags>"
    listed = axl.ask("listUser", search(userid=someone.userid, lastName="%") + tags)
    assert rows(listed) == [{"userid": someone.userid}]
    assert rows(axl.ask("listUser", search(userid="%", lastName="Smith%"))) == []
    assert fault(axl.ask("getUser", fields(userid="nobody"), 500)) == (
        "5007",
        "Item not valid: The specified User was not found",
    )
