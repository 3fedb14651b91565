import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import PlannedRestart, RedundancyGroup, Server
from redundancy.operations.services import stop_service
from redundancy.planned import writes as planned
from tests.pages.html import soup, status, words

ROUTER = "Cisco XCP Router"


@pytest.fixture
def record(ha: RedundancyGroup, pub: Server) -> PlannedRestart:
    return planned.begin(server=pub, service=ROUTER, actor="ann")


def step(record: PlannedRestart, name: str) -> str:
    return reverse("planned_step", args=[record.pk, name])


def test_begins_from_the_form_and_shows_the_note(
    page: Client, ha: RedundancyGroup, pub: Server
) -> None:
    response = page.post(
        reverse("planned_list"), {"server": pub.pk, "service": ROUTER}, follow=True
    )
    assert status(response) == "The users per node are noted."
    assert "Disable High Availability now" in words(
        soup(response).select_one("[aria-current=step]")
    )
    assert words(soup(response).select_one("#users-frame tbody td")) == "imp-pub"


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ({"server": "999", "service": ""}, "Server: choose one of the list."),
        ({"service": ""}, "Server is required."),
        ({"server": "", "service": "x"}, "What restarts: choose one of the list."),
    ],
)
def test_a_bad_form_names_its_field(
    page: Client, ha: RedundancyGroup, sent: dict[str, str], rule: str
) -> None:
    response = page.post(reverse("planned_list"), sent)
    assert response.status_code == 422
    assert rule in status(response)
    assert not PlannedRestart.objects.exists()


def test_a_second_one_is_refused_at_its_field(
    page: Client, record: PlannedRestart, pub: Server
) -> None:
    response = page.post(reverse("planned_list"), {"server": pub.pk, "service": ""})
    assert response.status_code == 422
    assert "under way already" in status(response)


def test_a_step_asks_first_and_is_done_by_post(page: Client, record: PlannedRestart) -> None:
    asked = page.get(step(record, "disable"))
    assert "Nobody takes over" in words(soup(asked).select_one(".effects"))
    assert RedundancyGroup.objects.get().ha_enabled
    done = page.post(step(record, "disable"), follow=True)
    assert status(done) == "Update successful"
    assert not RedundancyGroup.objects.get().ha_enabled
    again = page.post(step(record, "disable"))
    assert again.status_code == 409
    assert "at another step now: Wait 2 minutes" in status(again)


def test_enabling_says_first_what_fails(page: Client, record: PlannedRestart, sub: Server) -> None:
    page.post(step(record, "disable"))
    stop_service(server=sub, name=ROUTER, actor="ann")
    asked = words(soup(page.get(step(record, "enable"))).select_one(".effects"))
    assert f"Not running: {ROUTER}. imp-sub fails over to imp-pub" in asked


def test_stopping_says_what_is_left_behind(page: Client, record: PlannedRestart) -> None:
    page.post(step(record, "disable"))
    asked = page.get(step(record, "stop"))
    assert "stays off" in words(soup(asked).select_one(".effects"))
    page.post(step(record, "stop"))
    listed = page.get(reverse("planned_list"))
    assert "Stopped at: Wait 2 minutes" in listed.content.decode()


@pytest.mark.parametrize("name", ["wait", "note", "nonsense"])
def test_what_is_no_act_is_not_found(page: Client, record: PlannedRestart, name: str) -> None:
    assert page.post(step(record, name)).status_code == 404


def test_a_quiet_page_is_not_sent_again(page: Client, record: PlannedRestart) -> None:
    address = reverse("planned_restart", args=[record.pk])
    live = soup(page.get(address)).select_one("#live")
    assert live is not None
    same = page.get(str(live["hx-get"]))
    assert (same.status_code, same.content) == (204, b"")
    planned.advance(record=record, stage="Disable High Availability", actor="bob")
    assert page.get(str(live["hx-get"])).status_code == 200


def test_readers_see_it_and_change_nothing(read_only: Client, record: PlannedRestart) -> None:
    response = read_only.get(reverse("planned_restart", args=[record.pk]))
    assert not soup(response).select("#planned-act, #planned-stop")
    assert not soup(read_only.get(reverse("planned_list"))).select("#planned-begin")
    assert read_only.post(reverse("planned_list"), {}).status_code == 403
    assert read_only.post(step(record, "disable")).status_code == 403
    assert read_only.get(step(record, "stop")).status_code == 403


def test_the_caution_of_the_control_center_leads_here(
    page: Client, ha: RedundancyGroup, pub: Server
) -> None:
    asked = page.post(
        reverse("control_center_service", args=["network", pub.pk]),
        {"action": "restart", "service": ROUTER},
    )
    link = soup(asked).find("a", string="Planned Restart", class_="button")
    assert link is not None
    form = soup(page.get(str(link["href"])))
    chosen = [str(option["value"]) for option in form.select("#planned-begin option[selected]")]
    assert chosen == [str(pub.pk), ROUTER]
