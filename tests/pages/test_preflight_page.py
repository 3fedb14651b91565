"""The page of the preflight: the panel, what is polled, and what is said before enabling."""

from collections.abc import Callable

import pytest
from bs4 import Tag
from django.test import Client
from django.urls import reverse

from redundancy.models import RedundancyGroup, Server
from redundancy.operations import activation
from redundancy.operations.functions import set_functions
from redundancy.planned.reads.check import Result
from redundancy.planned.reads.confirming import before_switching
from redundancy.planned.reads.preflight import preflight
from tests.pages.html import soup, status, words
from tests.pages.preflight import (
    ALIKE,
    CHAT,
    ENGINE,
    PUB_SERVICES,
    ROUTER,
    SUB_SERVICES,
    look,
    many_users,
    server,
    stop,
    upper,
)


def edit(group: RedundancyGroup) -> str:
    return reverse("group_edit", args=[group.pk])


def form(group: RedundancyGroup) -> dict[str, object]:
    first, second = group.servers.order_by("slot")
    return {"name": group.name, "first": first.pk, "second": second.pk, "ha_enabled": "on"}


def test_the_panel_stands_beside_the_check_box_and_leads_to_the_cure(
    swept: None, page: Client, sized: RedundancyGroup
) -> None:
    stop(ROUTER, "imp-sub")()
    upper("900")
    shown = soup(page.get(edit(sized)))
    rows = {
        words(row.th): [words(cell) for cell in row.select("td")]
        for row in shown.select("table.preflight tbody tr")
    }
    assert rows[PUB_SERVICES] == ["Passed", "All 3 run.", ""]
    assert rows[SUB_SERVICES] == ["Failed", f"Not running: {ROUTER}.", "Control Center"]
    assert rows[ALIKE][0::2] == ["Failed", "Must-Match Parameters"]
    assert len(shown.select("table.preflight tbody td .tone svg")) == len(rows)
    for cure in shown.select("table.preflight a"):
        assert page.get(str(cure["href"])).status_code == 200


@pytest.mark.parametrize("act", [upper, None])
def test_the_panel_is_polled_by_what_it_found(
    swept: None, page: Client, pair: RedundancyGroup, act: Callable[[str], None] | None
) -> None:
    panel = soup(page.get(edit(pair))).select_one("#preflight [hx-get]")
    assert panel is not None
    url = str(panel["hx-get"])
    assert page.get(url).status_code == 204
    if act:
        act("900")
        changed = page.get(url)
        assert changed.status_code == 200
        assert "1 of 22 checks failed" in changed["HX-Trigger"]
        assert not soup(changed).select("form, .menu-bar")


def test_it_says_what_is_monitored_in_this_deployment_and_where_that_differs(
    swept: None, page: Client, pair: RedundancyGroup
) -> None:
    def said(name: str) -> tuple[Result, str]:
        found = next(check for check in look(pair).checks if check.label == name)
        return found.result, found.sentence

    assert said(ENGINE) == (Result.PASSED, "Monitored: activated on imp-pub and imp-sub.")
    assert said(CHAT) == (Result.PASSED, "Not monitored: not configured.")
    activation.set_activated(server=server("imp-sub"), name=CHAT, activated=True, actor="")
    assert said(CHAT) == (Result.PASSED, "Not monitored: not configured.")
    set_functions(configured={"persistent_chat": True}, actor="")
    assert said(CHAT) == (
        Result.FAILED,
        "Monitored: configured and activated on imp-sub. Not monitored on imp-pub: not activated there.",
    )
    (warning,) = [text for text in look(pair).warnings if text.startswith(CHAT)]
    assert "After a failover to imp-pub its users are without Persistent chat" in warning
    # It leads to where it is mended.
    panel = soup(page.get(reverse("preflight", args=[pair.pk])))
    mend = next(row.a for row in panel.select(".preflight tbody tr") if CHAT in row.get_text())
    assert mend is not None
    assert mend["href"] == f"{reverse('service_activation')}?server={server('imp-pub').pk}"
    # So enabling asks first.
    switch = before_switching(pair, on=True)
    assert switch is not None
    assert warning in switch.effects
    activation.set_activated(server=server("imp-pub"), name=CHAT, activated=True, actor="")
    assert said(CHAT)[0] is Result.PASSED
    for name in ("imp-pub", "imp-sub"):
        activation.set_activated(server=server(name), name=CHAT, activated=False, actor="")
    assert said(CHAT) == (
        Result.PASSED,
        "Not monitored: not activated on imp-pub and imp-sub.",
    )


def test_it_is_one_line_unless_a_check_fails(
    swept: None, page: Client, pair: RedundancyGroup, sized: RedundancyGroup
) -> None:
    def panel() -> Tag:
        (found,) = soup(page.get(edit(pair))).select("#preflight")
        return found

    assert "open" not in panel().attrs
    assert panel().select("summary .tone-ok")
    Server.objects.filter(name="imp-sub").update(node_size=None)
    # What is not known is not green.
    assert panel().select("summary .tone-warn")
    assert words(panel().summary) == "Preflight: no check failed, 1 of 22 not known."
    assert "open" not in panel().attrs
    stop(ROUTER, "imp-sub")()
    assert panel().select("summary .tone-bad")
    assert "open" in panel().attrs


def test_with_high_availability_on_it_has_a_page_of_its_own(
    swept: None, page: Client, read_only: Client, ha: RedundancyGroup
) -> None:
    shown = soup(page.get(edit(ha)))
    assert not shown.select("#preflight")
    url = reverse("preflight", args=[ha.pk])
    assert url in [option["value"] for option in shown.select("#related-links option")]
    assert soup(page.get(url)).select("#preflight")
    assert read_only.get(url).status_code == 200


def test_a_group_of_one_server_has_none(page: Client, group: RedundancyGroup) -> None:
    assert preflight(group) is None
    assert not soup(page.get(edit(group))).select("#preflight")
    answer = page.get(reverse("preflight", args=[group.pk]))
    assert "Two servers must be saved" in soup(answer).get_text()


def test_enabling_with_a_failed_check_says_first_what_will_happen(
    swept: None, page: Client, sized: RedundancyGroup
) -> None:
    stop(ENGINE, "imp-sub")()
    asked = page.post(edit(sized), form(sized) | {"description": "kept"})
    told = [words(li) for li in soup(asked).select(".effects li")]
    assert told == [
        f"{SUB_SERVICES}: Not running: {ENGINE}. "
        "imp-sub fails over to imp-pub once a service has been down for 90 s."
    ]
    sized.refresh_from_db()
    assert not sized.ha_enabled
    sent = {tag["name"]: tag["value"] for tag in soup(asked).select(".confirm input[name]")}
    page.post(edit(sized), sent)
    sized.refresh_from_db()
    assert (sized.ha_enabled, sized.description) == (True, "kept")


def test_a_sound_pair_is_enabled_without_a_question(
    swept: None, page: Client, pair: RedundancyGroup
) -> None:
    response = page.post(edit(pair), form(pair), follow=True)
    assert "High Availability enabled" in status(response)


def test_the_panel_asks_the_same_number_of_queries_however_many_users(
    swept: None, page: Client, pair: RedundancyGroup, django_assert_max_num_queries: Callable
) -> None:
    with django_assert_max_num_queries(35) as few:
        page.get(reverse("preflight", args=[pair.pk]))
    many_users()
    with django_assert_max_num_queries(len(few.captured_queries)):
        page.get(reverse("preflight", args=[pair.pk]))
