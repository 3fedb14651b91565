"""The reader's language is what the browser asks for, until somebody chooses one by the switch."""

import re
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup
from django.conf import settings as conf
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from pytest_django.fixtures import Settings

from redundancy.catalog import XCP_ROUTER
from redundancy.views.errors import server_error
from tests.everypage import furnish, rendered
from tests.language.marking import ATTRIBUTES

ENGLISH, PORTUGUESE = "en", "pt-br"
# Attributes that take several figures, with commas between them.
SEVERAL = {"d", "points", "viewbox", "viewBox", "transform"}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the language of this process alone: that of the last request stays active."""
    with translation.override(ENGLISH):
        yield


def language_of(client: Client, name: str = "home", **headers: str) -> str:
    """Return the language of a page, as it is declared; it is the same in the header and the markup."""
    answer = client.get(reverse(name), headers=headers)
    assert answer.status_code == 200
    soup = BeautifulSoup(answer.content, "html5lib")
    chosen = soup.select_one("form.language button[aria-current]")
    assert soup.html is not None
    assert chosen is not None
    assert soup.html["lang"] == answer["Content-Language"] == chosen["value"]
    return str(soup.html["lang"])


@pytest.fixture
def ann(db: None) -> Client:
    """A browser in which somebody has signed in."""
    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    return client


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("pt-BR", PORTUGUESE),
        ("pt-PT,pt;q=0.9,en;q=0.8", PORTUGUESE),
        ("pt", PORTUGUESE),
        ("en-GB,pt-BR;q=0.5", ENGLISH),
        ("de-DE,de;q=0.9", ENGLISH),
        ("", ENGLISH),
    ],
)
@pytest.mark.parametrize("page", ["home", "login"])
def test_the_browsers_language_is_spoken(ann: Client, page: str, wanted: str, shown: str) -> None:
    client = ann if page == "home" else Client()
    assert language_of(client, page, accept_language=wanted) == shown


@pytest.mark.parametrize("page", ["group_list", "login"])
def test_the_switch_leads_back_and_is_remembered(ann: Client, page: str) -> None:
    client = ann if page != "login" else Client()
    here = f"{reverse(page)}?next=%2F&rows=25"
    soup = BeautifulSoup(client.get(here).content, "html5lib")
    form = soup.select_one("form.language")
    assert form is not None
    sent = {str(each["name"]): str(each.get("value", "")) for each in form.select("input")}
    answer = client.post(str(form["action"]), {**sent, "language": PORTUGUESE})
    assert answer.status_code == 302
    assert answer["Location"] == here
    cookie = answer.cookies[conf.LANGUAGE_COOKIE_NAME]
    assert (cookie.value, cookie["samesite"]) == (PORTUGUESE, "Lax")
    assert int(cookie["max-age"]) == conf.LANGUAGE_COOKIE_AGE
    # It outweighs what the browser asks for.
    assert language_of(client, page, accept_language="en") == PORTUGUESE


def test_the_switch_on_the_answer_to_a_form_leads_back_to_the_form(ann: Client) -> None:
    server = furnish().pub
    form = f"http://testserver{reverse('control_center', args=['network'])}?server={server}"
    answer = ann.post(
        reverse("control_center_service", args=["network", server]),
        {"action": "stop", "service": XCP_ROUTER},
        headers={"referer": form},
    )
    soup = BeautifulSoup(answer.content, "html5lib")
    came_from = soup.select_one("form.language input[name=next]")
    assert came_from is not None
    switched = ann.post(
        reverse("set_language"), {"language": PORTUGUESE, "next": str(came_from["value"])}
    )
    assert switched["Location"] == form
    assert ann.get(form).status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:1"])
def test_the_switch_leads_nowhere_else(ann: Client, elsewhere: str) -> None:
    answer = ann.post(reverse("set_language"), {"language": PORTUGUESE, "next": elsewhere})
    assert answer.status_code == 302
    assert answer["Location"] == "/"


def test_an_unknown_language_is_not_kept(ann: Client) -> None:
    answer = ann.post(reverse("set_language"), {"language": "xx", "next": "/"})
    assert conf.LANGUAGE_COOKIE_NAME not in answer.cookies


def test_the_page_of_a_fault_declares_its_language_and_offers_no_other() -> None:
    with translation.override(PORTUGUESE):
        soup = BeautifulSoup(server_error(RequestFactory().get("/")).content, "html5lib")
    assert soup.html is not None
    assert soup.html["lang"] == PORTUGUESE
    # Without a token it would be refused.
    assert not soup.select("form.language")


def figures(html: str) -> Iterator[str]:
    """Yield each attribute that a program reads and that has a figure with a comma."""
    soup = BeautifulSoup(html, "html5lib")
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            if name not in SEVERAL and name not in ATTRIBUTES and re.search(r"\d,\d", str(value)):
                yield f"<{tag.name} {name}={value}>"


def nested_brackets(html: str) -> list[str]:
    """Return the sentences of a page that have brackets within brackets, as states bring along."""
    blocks = BeautifulSoup(html, "html5lib").select("p, li, dd, dt, td, th, legend, option, h1, h2")
    texts = {" ".join(block.get_text().split()) for block in blocks}
    return sorted(text for text in texts if re.search(r"\([^()]*\([^()]*\)", text))


def test_pages_in_portuguese_have_plain_figures_for_programs_and_no_nested_brackets(
    db: None, settings: Settings
) -> None:
    settings.FAULT_LAB = True
    pages = rendered(PORTUGUESE)
    assert {str(page): found for page in pages if (found := [*figures(page.html)])} == {}
    assert {str(page): found for page in pages if (found := nested_brackets(page.html))} == {}
