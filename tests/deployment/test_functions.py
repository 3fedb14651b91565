"""*Messaging* and *Presence* of IM and Presence Administration."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.deployment.views.functions import PAGES
from redundancy.functions import FUNCTIONS
from redundancy.models import ConfiguredFunction, HaEvent, RedundancyGroup, Server
from redundancy.operations.activation import set_activated
from redundancy.operations.functions import set_functions
from redundancy.operations.services import stop_service
from redundancy.selectors.functions import configured
from tests.pages.html import soup, status, words

CHAT = "Cisco XCP Text Conference Manager"
CHAT_PAGE = reverse("functions", args=["persistent-chat"])


def save(client: Client, *functions: str, url: str = CHAT_PAGE, seen: Any = (), **more: str) -> Any:
    return client.post(url, {"function": functions, "seen": ["", *seen], **more})


def snapshot() -> tuple[object, ...]:
    return configured(), HaEvent.objects.count()


def test_each_function_has_its_place() -> None:
    placed = [function for _, functions in PAGES.values() for function in functions]
    assert sorted(f.key for f in placed) == sorted(f.key for f in FUNCTIONS)


@pytest.mark.parametrize("name", PAGES)
def test_it_says_what_an_administrator_needs_to_know(
    page: Client, pair: RedundancyGroup, name: str
) -> None:
    title, functions = PAGES[name]
    shown = soup(page.get(reverse("functions", args=[name])))
    assert words(shown.h1) == title
    text = words(shown.select_one("main"))
    for function in functions:
        box = shown.select_one(f"#function-{function.key}")
        assert box is not None
        assert not box.has_attr("checked")
        assert all(fact in text for fact in function.facts)
        if function.service:
            assert f"Carried on each node by {function.service}" in text
            assert "Activated on 0 of 2 nodes. Not activated on: imp-pub , imp-sub" in text
    assert "down for the Critical Service Delay (1 min 30 s)" in text


def test_it_is_configured_and_configured_no_longer(
    page: Client, pair: RedundancyGroup, sub: Server
) -> None:
    set_activated(server=sub, name=CHAT, activated=True, actor="")
    assert save(page, "persistent_chat", "shared_database").status_code == 302
    assert configured() == {"persistent_chat", "shared_database"}
    shown = page.get(CHAT_PAGE)
    assert status(shown) == "Update successful"
    boxes = soup(shown).select("[name=function][checked]")
    assert [box["value"] for box in boxes] == ["persistent_chat", "shared_database"]
    assert "Activated on 1 of 2 nodes. Not activated on: imp-pub" in words(soup(shown).main)
    event = HaEvent.objects.latest("pk")
    assert (event.kind, event.actor) == ("parameter", "ccmadmin")
    assert event.sentence == "Shared external database was configured for the cluster."
    save(page, "persistent_chat", seen=configured())
    assert configured() == {"persistent_chat"}
    # Other pages' functions stay as they are.
    save(page, "compliance", url=reverse("functions", args=["compliance"]))
    assert configured() == {"persistent_chat", "compliance"}
    save(page, "persistent_chat", seen=["persistent_chat"])
    assert status(page.get(CHAT_PAGE)).endswith("Nothing was changed.")


@pytest.mark.parametrize(
    ("data", "code", "rule"),
    [
        ({}, 400, "seen: must name"),
        ({"seen": "", "function": "nonsense"}, 422, "no function 'nonsense'"),
        ({"seen": "", "function": ["persistent_chat", "x" * 999]}, 422, "no function"),
        ({"seen": "persistent_chat", "function": ""}, 422, "no function ''"),
        ({"seen": "persistent_chat"}, 409, "Somebody else switched meanwhile: Persistent chat"),
    ],
)
def test_bad_input_changes_nothing(
    page: Client, data: dict[str, Any], code: int, rule: str
) -> None:
    before = snapshot()
    answer = page.post(CHAT_PAGE, data)
    assert answer.status_code == code
    assert rule in status(answer)
    assert snapshot() == before


def test_a_reader_sees_and_saves_nothing(read_only: Client, page: Client) -> None:
    shown = soup(read_only.get(CHAT_PAGE))
    assert all(box.has_attr("disabled") for box in shown.select("[name=function]"))
    assert not shown.select("main button[form]")
    before = snapshot()
    assert save(read_only, "persistent_chat").status_code == 403
    assert save(Client(), "persistent_chat").status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = page.cookies
    assert save(strict, "persistent_chat").status_code == 403
    assert page.delete(CHAT_PAGE).status_code == 405
    assert page.get(reverse("functions", args=["nonsense"])).status_code == 404
    assert snapshot() == before


def test_what_will_fail_a_node_over_is_confirmed(
    page: Client, ha: RedundancyGroup, sub: Server
) -> None:
    set_activated(server=sub, name=CHAT, activated=True, actor="")
    stop_service(server=sub, name=CHAT, actor="")
    before = snapshot()
    asked = save(page, "persistent_chat", "shared_database")
    form = soup(asked).select_one("form.confirm")
    assert form is not None
    assert f"{CHAT} does not run on imp-sub" in words(form)
    assert snapshot() == before
    sent = [(str(i["name"]), str(i["value"])) for i in form.select("input[type=hidden]")]
    data: dict[str, list[str]] = {}
    for name, value in sent:
        data.setdefault(name, []).append(value)
    assert page.post(str(form["action"]), data).status_code == 302
    assert configured() == {"persistent_chat", "shared_database"}
    # What is refused anyway is not asked about.
    set_functions(configured={"persistent_chat": False}, actor="")
    answer = save(page, "persistent_chat", "nonsense")
    assert answer.status_code == 422
    assert not soup(answer).select("form.confirm")
    assert ConfiguredFunction.objects.count() == 1


def test_one_node_of_many_is_named_and_the_rest_counted(
    page: Client, pair: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redundancy.deployment.views.functions.NAMED", 1)
    assert "Not activated on: imp-pub and 1 more" in words(soup(page.get(CHAT_PAGE)).main)
