"""Read pages as their users do."""

from typing import Protocol

from bs4 import BeautifulSoup, Tag


class Answer(Protocol):
    """A response, as Django's test client gives it or a view."""

    @property
    def content(self) -> bytes: ...


def soup(response: Answer) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def status(response: Answer) -> str:
    """The words of the Status fieldset."""
    return words(soup(response).select_one("#status"))


def words(tag: Tag | None) -> str:
    assert tag is not None
    return " ".join(tag.get_text(" ").split())


def field(response: Answer, name: str) -> Tag:
    tag = soup(response).select_one(f"[name={name}]:not([type=hidden])")
    assert tag is not None, f"no field {name}"
    return tag


def error_at(response: Answer, name: str) -> str:
    """The error tied to the field by aria-describedby; empty when there is none."""
    described = str(field(response, name).get("aria-describedby", "")).split()
    errors = [soup(response).select_one(f"#{ident}") for ident in described if "error" in ident]
    return " ".join(words(error) for error in errors)


def rows(response: Answer) -> list[list[str]]:
    """The cells of the rows of the page's first list."""
    table = soup(response).select_one("table.list")
    found = table.select("tbody tr") if table else []
    return [[words(cell) for cell in row.select("td")] for row in found]
