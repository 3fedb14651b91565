"""The links between the pages of a list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page

from redundancy.srm.words import say


@dataclass(frozen=True, slots=True)
class Pager:
    """Which page is shown, ``of`` how many; labels and addresses of the links that lead somewhere."""

    number: int
    of: int
    links: tuple[tuple[str, str], ...]


def pager_of(page: Page[Any], url: Callable[[int], str] = "?page={}".format) -> Pager:
    """Return the links around ``page``; ``url`` makes the address of the page with a number."""
    links = []
    if page.has_previous():
        links += [(say("First"), 1), (say("Previous"), page.previous_page_number())]
    if page.has_next():
        links += [(say("Next"), page.next_page_number())]
        links += [(say("Last"), page.paginator.num_pages)]
    addressed = tuple((label, url(number)) for label, number in links)
    return Pager(page.number, page.paginator.num_pages, addressed)
