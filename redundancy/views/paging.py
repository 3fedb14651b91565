"""The links between the pages of a list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page

from redundancy.srm.words import say


def page_links(page: Page[Any], url: Callable[[int], str]) -> list[tuple[str, str]]:
    """Return labels and addresses of the links that lead somewhere; ``url``: of a page's number."""
    links = []
    if page.has_previous():
        links += [(say("First"), 1), (say("Previous"), page.previous_page_number())]
    if page.has_next():
        links += [(say("Next"), page.next_page_number())]
        links += [(say("Last"), page.paginator.num_pages)]
    return [(label, url(number)) for label, number in links]


@dataclass(frozen=True, slots=True)
class Paged:
    """A page of a list whose address holds nothing else, as ``includes/pager.html`` takes it."""

    page: Page[Any]

    @property
    def pages(self) -> list[tuple[str, str]]:
        """Labels and addresses of the paging links that lead somewhere."""
        return page_links(self.page, lambda number: f"?page={number}")
