"""What the vendor's guide looks at before High Availability: replication, sessions, and services besides SRM's."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from redundancy import bus
from redundancy.catalog import PRESENCE_ENGINE, XCP_ROUTER
from redundancy.faultlab import writes as faults
from redundancy.models import NodeService, PresenceSession, RedundancyGroup, Server
from redundancy.operations import access, activation, power, services
from redundancy.operations.users import add_users
from redundancy.planned import writes as planned
from redundancy.planned.reads.check import Check, Result, Where
from redundancy.planned.reads.preflight import preflight
from redundancy.planned.reads.restarts import look_at_restart
from redundancy.planned.reads.sessions import sessions_back
from tests.labtime import stand_at
from tests.pages.html import soup, status, words

BEGIN = 1_700_000_000.0
USERS = 10


@pytest.fixture
def serving(
    db: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> RedundancyGroup:
    """A pair with ten users on each node, all logged in; HA off, sweeps run; time stands still."""
    monkeypatch.setattr(bus, "sweep_age", lambda: 0.4)
    stand_at(BEGIN)
    pair: RedundancyGroup = request.getfixturevalue("pair")
    for node in pair.servers.all():
        rows = [
            (f"{node.name}.{n}", "", f"{node.name}.{n}@example.com", node) for n in range(USERS)
        ]
        add_users(rows=rows, actor="")
    stand_at(BEGIN + 10)
    return pair


def server(name: str) -> Server:
    return Server.objects.select_related("group").get(name=name)


def check(group: RedundancyGroup, label: str) -> Check:
    found = preflight(group)
    assert found is not None
    return next(each for each in found.checks if each.label == label)


def let_wait(node: str, number: int, until: float) -> None:
    """Let so many clients of the node log in at ``until``."""
    rows = PresenceSession.objects.filter(node__name=node)
    PresenceSession.objects.filter(pk__in=rows.values("pk")[:number]).update(relogin_at=until)


def test_replication(serving: RedundancyGroup, settings: Any) -> None:
    settings.FAULT_LAB = True
    label = "Database replication"
    assert check(serving, label).result is Result.PASSED
    faults.break_replication(node=server("imp-sub"), actor="")
    broken = check(serving, label)
    assert (broken.result, broken.where) == (Result.FAILED, Where.FAULT_LAB)
    assert broken.sentence.startswith(
        "Not set up on imp-sub: utils dbreplication runtimestate must"
    )
    assert "Starting after a restart, and fails over" in broken.effect
    # A node that went through it shows its services, too.
    power.power_off(server=server("imp-sub"), actor="")
    power.power_on(server=server("imp-sub"), actor="")
    assert check(serving, "Monitored services of imp-sub").sentence == (
        f"Not running: {PRESENCE_ENGINE}."
    )
    faults.clear(group=serving, actor="")
    power.power_off(server=server("imp-pub"), actor="")
    assert check(serving, label).result is Result.UNKNOWN


def test_services_of_the_guide(serving: RedundancyGroup) -> None:
    label = "Other services that the guide checks"
    assert "SRM does not monitor them" in check(serving, label).sentence
    services.stop_service(server=server("imp-sub"), name="Cisco SIP Proxy", actor="")
    down = check(serving, label)
    assert (down.result, down.sentence) == (
        Result.FAILED,
        "Not running: Cisco SIP Proxy on imp-sub.",
    )
    assert "nothing fails over for them" in down.effect
    assert (down.where, down.server_id) == (Where.FEATURE_SERVICES, server("imp-sub").pk)
    # What a login needs is told with the logins, and nowhere else.
    services.stop_service(server=server("imp-sub"), name="Cisco Client Profile Agent", actor="")
    checked = preflight(serving)
    assert checked is not None
    assert [each.label for each in checked.failed if "Client Profile Agent" in each.sentence] == [
        "Logins at imp-sub"
    ]
    activation.set_activated(
        server=server("imp-sub"), name="Cisco SIP Proxy", activated=False, actor=""
    )
    assert check(serving, label).result is Result.PASSED
    power.power_off(server=server("imp-pub"), actor="")
    silent = check(serving, label)
    assert silent.result is Result.UNKNOWN
    assert silent.sentence == "They cannot be read: imp-pub is powered off."
    power.power_off(server=server("imp-sub"), actor="")
    both = "They cannot be read: imp-pub and imp-sub are powered off."
    assert check(serving, label).sentence == both


@pytest.mark.parametrize(
    ("passed", "advice"),
    [
        (899, "All are usually back within 15 minutes: wait, and restart nothing meanwhile."),
        (900, "It takes longer than the usual 15 minutes: wait until 30 have passed"),
        (1799, "wait until 30 have passed, and restart nothing before."),
        (1800, "It has taken more than 30 minutes: restart the Cisco Presence Engine on imp-pub"),
    ],
)
def test_sessions_that_are_not_back(serving: RedundancyGroup, passed: int, advice: str) -> None:
    let_wait("imp-pub", 3, BEGIN + 5000)
    stand_at(BEGIN + passed)
    found = check(serving, "Sessions of imp-pub")
    assert found.result is Result.FAILED
    assert found.sentence.startswith(
        "7 logged in at imp-pub; 3 clients have not logged in again yet."
    )
    assert advice in found.sentence
    assert check(serving, "Sessions of imp-sub").result is Result.PASSED
    stand_at(BEGIN + 5000)
    assert check(serving, "Sessions of imp-pub").result is Result.PASSED


def test_the_time_counts_from_the_last_start(serving: RedundancyGroup) -> None:
    let_wait("imp-pub", 3, BEGIN + 9000)
    stand_at(BEGIN + 3000)
    services.restart_service(server=server("imp-pub"), name=PRESENCE_ENGINE, actor="")
    [pub, _] = sessions_back(serving)
    assert pub.stage == 0
    stand_at(BEGIN + 3000 + 1800)
    [pub, _] = sessions_back(serving)
    assert pub.stage == 2


def test_a_node_that_cannot_have_them_is_left_to_the_other_checks(serving: RedundancyGroup) -> None:
    services.stop_service(server=server("imp-pub"), name=PRESENCE_ENGINE, actor="")
    assert [back.node for back in sessions_back(serving)] == ["imp-sub"]
    services.stop_service(server=server("imp-sub"), name=XCP_ROUTER, actor="")
    assert sessions_back(serving) == ()
    # Where presence is not deployed nobody waits for its engine.
    NodeService.objects.filter(server__name="imp-pub", name=PRESENCE_ENGINE).update(activated=False)
    assert [back.node for back in sessions_back(serving)] == ["imp-pub"]


def form(group: RedundancyGroup) -> dict[str, Any]:
    first, second = group.servers.order_by("slot")
    named = {"name": group.name, "description": "", "first": first.pk, "second": second.pk}
    return named | {"ha_enabled": "on"}


def test_enabling_too_early_asks(page: Client, serving: RedundancyGroup) -> None:
    let_wait("imp-sub", 4, BEGIN + 600)
    url = reverse("group_edit", args=[serving.pk])
    asked = page.post(url, form(serving))
    [told] = [words(li) for li in soup(asked).select(".effects li")]
    assert told == (
        "Sessions of imp-sub: 6 logged in at imp-sub; 4 clients have not logged in again yet. "
        "All are usually back within 15 minutes: wait, and restart nothing meanwhile. "
        "The presence of clients whose sessions are not there again is broken when High "
        "Availability is enabled before."
    )
    serving.refresh_from_db()
    assert not serving.ha_enabled
    stand_at(BEGIN + 600)
    assert "High Availability enabled" in status(page.post(url, form(serving), follow=True))


def test_the_panel_follows_the_time_while_sessions_are_missing(
    page: Client, serving: RedundancyGroup
) -> None:
    let_wait("imp-sub", 4, BEGIN + 5000)
    panel = soup(page.get(reverse("group_edit", args=[serving.pk]))).select_one(
        "#preflight [hx-get]"
    )
    assert panel is not None
    address = str(panel["hx-get"])
    assert page.get(address).status_code == 204
    stand_at(BEGIN + 900)
    assert "longer than the usual 15 minutes" in page.get(address).text


def test_a_planned_restart_compares_with_what_it_noted(
    page: Client, serving: RedundancyGroup
) -> None:
    record = planned.begin(server=server("imp-pub"), service=XCP_ROUTER, actor="ann")
    planned.advance(record=record, stage="Restart", actor="ann")
    access.let_in()
    stand_at(BEGIN + 600)
    PresenceSession.objects.filter(node__name="imp-pub").first().delete()  # type: ignore[union-attr]
    let_wait("imp-pub", 2, BEGIN + 9000)
    sentence = "7 logged in at imp-pub; 10 were noted. All are usually back within 15 minutes"
    shown = soup(page.get(reverse("planned_restart", args=[record.pk])))
    assert sentence in words(shown.select_one("[aria-current=step]"))
    asked = page.get(reverse("planned_step", args=[record.pk, "compare"]))
    told = words(soup(asked).select_one(".effects"))
    assert "imp-pub: 3 users fewer logged in than noted." in told
    assert "imp-pub: All are usually back within 15 minutes" in told
    address = str(shown.select("#live")[0]["hx-get"])
    stand_at(BEGIN + 2000)
    assert "restart the Cisco Presence Engine on imp-pub" in page.get(address).text
    assert "10 were noted" in check(serving, "Sessions of imp-pub").sentence
    planned.end_restart(record=record, actor="ann")
    assert "3 clients" not in check(serving, "Sessions of imp-pub").sentence
    plan = look_at_restart(record)
    assert plan.sessions == ()
