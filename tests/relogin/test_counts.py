"""Who counts as active, and what the pages make of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.catalog import PRESENCE_ENGINE, XCP_ROUTER
from redundancy.clock import lab_now
from redundancy.models import NodeRuntime, RedundancyGroup, Server
from redundancy.operations import access, power
from redundancy.operations.groups import disable_ha
from redundancy.operations.services import stop_service
from redundancy.selectors.presence import presence
from redundancy.srm.states import State
from tests.labtime import stand_at
from tests.pages.html import soup, words
from tests.relogin.pair import BEGIN, USERS, node, take_over


def off(server: Server) -> None:
    power.power_off(server=server, actor="")


def no_router(server: Server) -> None:
    stop_service(server=server, name=XCP_ROUTER, actor="")


def no_engine(server: Server) -> None:
    stop_service(server=server, name=PRESENCE_ENGINE, actor="")


def no_srm(server: Server) -> None:
    power.stop_srm(server=server, actor="")


def turned(state: State) -> Callable[[Server], None]:
    def turn(server: Server) -> None:
        NodeRuntime.objects.filter(server=server).update(state=state)
        access.notice([server.pk], lab_now())

    return turn


def ha_off(server: Server) -> None:
    assert server.group is not None
    disable_ha(group=server.group, actor="")
    # What SRM thought of it before does not matter now.
    turned(State.FAILED)(server)


@pytest.mark.parametrize(
    ("done", "serves"),
    [
        (off, False),
        (no_router, False),
        # Presence is gone, but the clients stay connected.
        (no_engine, True),
        (no_srm, True),
        (turned(State.FAILED), False),
        (turned(State.IDLE), False),
        (turned(State.FAILED_OVER), False),
        (turned(State.FAILING_OVER), True),
        (turned(State.BACKUP), True),
        (ha_off, True),
    ],
)
def test_nobody_is_active_on_a_node_that_does_not_serve(
    group: RedundancyGroup, pub: Server, done: Callable[[Server], None], serves: bool
) -> None:
    done(pub)
    here = presence([pub.pk], lab_now())[pub.pk]
    assert (here.active, here.waiting, here.serves) == (
        (USERS, 0, True) if serves else (0, USERS, False)
    )
    assert here.sessions == USERS


def test_it_takes_two_queries_and_a_third_while_somebody_waits(
    group: RedundancyGroup, pub: Server, sub: Server, django_assert_num_queries: Callable
) -> None:
    for nodes in ([pub.pk], [pub.pk, sub.pk]):
        with django_assert_num_queries(2):
            assert not presence(nodes, BEGIN)[pub.pk].waiting
    take_over("imp-sub")
    with django_assert_num_queries(3):
        assert presence([pub.pk, sub.pk], BEGIN)[sub.pk].waiting == USERS


def shown(response: Any) -> list[str]:
    """The cells of Active Users."""
    return [words(row.select("td")[2]) for row in soup(response).select("table.nodes tbody tr")]


def polled(response: Any) -> str:
    region = soup(response).select_one("#live")
    assert region is not None
    return str(region["hx-get"])


def test_the_group_page_follows_the_logins_and_is_quiet_after_them(
    page: Client,
    group: RedundancyGroup,
) -> None:
    address = reverse("group_edit", args=[group.pk])
    assert shown(page.get(address)) == [str(USERS), str(USERS)]
    take_over("imp-sub")
    answer = page.get(address)
    assert shown(answer) == ["0", f"{USERS} ({USERS} waiting to log in)"]
    stand_at(BEGIN + 5)
    # Nobody has logged in since, and the plot has not grown.
    assert page.get(address + polled(answer)).status_code == 204
    stand_at(BEGIN + 300)
    answer = page.get(address + polled(answer))
    assert answer.status_code == 200
    active = int(shown(answer)[1].split()[0])
    assert USERS < active < 2 * USERS
    stand_at(BEGIN + 600)
    answer = page.get(address + polled(answer))
    assert shown(answer) == ["0", f"{2 * USERS}"]
    stand_at(BEGIN + 1000)
    assert page.get(address + polled(answer)).status_code == 204


def test_pages_say_who_is_not_served(page: Client, group: RedundancyGroup, pub: Server) -> None:
    off(pub)
    address = reverse("group_edit", args=[group.pk])
    assert shown(page.get(address)) == [f"0 ({USERS} not served)", str(USERS)]
    topology = soup(page.get(reverse("topology")))
    assert f"{USERS} not served" in words(topology.select_one(f"#map-node-{pub.pk}"))
    assert f"Users not logged in yet {USERS}" in words(topology.select_one("dl.totals"))


def test_the_admin_tells_who_waits(page: Client, group: RedundancyGroup, admin: Any) -> None:
    admin.is_staff = True
    admin.save()
    take_over(node("imp-sub").name)
    address = reverse("admin:redundancy_presencesession_changelist")
    for choice in ("waiting", "done"):
        answer = page.get(address, {"login": choice})
        assert answer.context["cl"].result_count == USERS
