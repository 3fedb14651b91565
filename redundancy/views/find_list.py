"""Find and List: criteria, sorting and paging, all in the address, so that a list can be linked to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from redundancy.errors import Refused
from redundancy.permissions import can_write
from redundancy.selectors.find import OPERATORS, Criterion
from redundancy.srm.words import say, say_count
from redundancy.views.chrome import Link, Tool
from redundancy.views.paging import Pager, pager_of

M = TypeVar("M", bound=Model)
Details = Callable[[Sequence[int]], Mapping[int, Any]]

ROWS = (10, 25, 50, 100, 250)
DEFAULT_ROWS = 50
# More rows of criteria make a query too large for some databases.
MOST_CRITERIA = 10


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list; with ``sort`` its header sorts."""

    label: str
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the check boxes of a list are for: the button's label and icon, and where it leads."""

    url: str
    label: str = say("Delete Selected")
    icon: str = "delete"


@dataclass(frozen=True, slots=True)
class Header:
    """A column's header as shown: where it leads, and ``ascending``, ``descending`` or nothing."""

    label: str
    url: str = ""
    sorted: str = ""


def criteria_pairs(criteria: Iterable[Criterion]) -> list[tuple[str, object]]:
    """Return what an address or a form carries of these criteria; ``read_criteria`` reads it again."""
    return [
        pair
        for each in criteria
        for pair in (("field", each.field), ("op", each.op), ("text", each.text))
    ]


def read_criteria(query: QueryDict) -> list[Criterion]:
    """Return the criteria that an address or a form carries; Refused when they are too many."""
    columns = [query.getlist(name) for name in ("field", "op", "text")]
    # An address typed by hand may lack one of the three: an incomplete row is left out.
    found = [Criterion(*row) for row in zip(*columns, strict=False)]
    if len(found) > MOST_CRITERIA:
        raise Refused(say("Find: at most {most} rows of criteria are allowed.", most=MOST_CRITERIA))
    return found


def return_to(query: QueryDict, url: str) -> str:
    """Return the address of the page of the list at ``url`` on which rows were selected."""
    here = query.get("list", "")
    return url + here if here.startswith("?") else url


@dataclass(frozen=True, slots=True)
class _Address:
    """What the address of a list says."""

    criteria: tuple[Criterion, ...]
    rows: int
    sort: str

    def url(self, **more: object) -> str:
        """Return the query of this list, with ``more`` added or changed."""
        shown = {"rows": self.rows, "sort": self.sort, **more}
        return "?" + urlencode([*criteria_pairs(self.criteria), *shown.items()])


@dataclass(frozen=True)
class Listing(Generic[M]):
    """A list, ready for ``includes/find_list.html``."""

    what: str
    row_template: str
    fields: Mapping[str, str]
    headers: tuple[Header, ...]
    page: Page[M]
    all_selected: bool
    address: _Address
    selection: Selection | None = None
    details: Details | None = None
    error: str = ""
    operators = OPERATORS
    row_choices = ROWS

    @property
    def entries(self) -> list[tuple[M, Any]]:
        """The rows of this page, each with what ``details`` knows of it."""
        shown = list(self.page)
        more = self.details([row.pk for row in shown]) if self.details else {}
        return [(row, more.get(row.pk)) for row in shown]

    @property
    def status(self) -> int:
        """The answer's status code."""
        return 400 if self.error else 200

    @property
    def span(self) -> int:
        """How many columns the table has."""
        return len(self.headers) + bool(self.selection)

    @property
    def count_line(self) -> str:
        """Which rows of how many are shown: ``1 - 50 of 120``."""
        page = self.page
        return say(
            "{first:,} - {last:,} of {count:,}",
            first=page.start_index(),
            last=page.end_index(),
            count=page.paginator.count,
        )

    @property
    def here(self) -> str:
        """The query of this very page of the list; ``return_to`` leads back to it."""
        return self.address.url(page=self.page.number)

    @property
    def select_all_url(self) -> str:
        """Where all rows of this page are selected, without script."""
        return self.address.url(page=self.page.number, select="all")

    @property
    def criteria_query(self) -> str:
        """The criteria as the query of an address, which ``read_criteria`` reads again."""
        return urlencode(criteria_pairs(self.address.criteria))

    @property
    def pager(self) -> Pager:
        """The links to the other pages of the list."""
        return pager_of(self.page, lambda number: self.address.url(page=number))


def _criteria(request: HttpRequest, default: str) -> tuple[Criterion, ...]:
    found = read_criteria(request.GET)
    if request.GET.get("row") == "+" and len(found) < MOST_CRITERIA:
        found.append(Criterion(default, "begins"))
    if request.GET.get("row") == "-":
        found = found[:-1]
    return tuple(found) or (Criterion(default, "begins"),)


def _headers(columns: Sequence[Column], address: _Address) -> tuple[Header, ...]:
    headers = []
    for column in columns:
        if not column.sort:
            headers.append(Header(column.label))
            continue
        up = address.sort == column.sort
        down = address.sort == f"-{column.sort}"
        turned = replace(address, sort=f"-{column.sort}" if up else column.sort)
        shown = "ascending" if up else "descending" if down else ""
        headers.append(Header(column.label, turned.url(), shown))
    return tuple(headers)


def find_list(
    request: HttpRequest,
    *,
    what: str,
    find: Callable[[Sequence[Criterion], str], QuerySet[M]],
    fields: Mapping[str, str],
    columns: Sequence[Column],
    row_template: str,
    selection: Selection | None = None,
    details: Details | None = None,
    sort: str = "",
) -> Listing[M]:
    """Return the list that the address of ``request`` asks for.

    Args:
        request: Its query holds ``field``, ``op`` and ``text`` once per criterion, ``sort``,
            ``rows`` and ``page``.
        what: What is listed, in the plural.
        find: The selector: criteria and sort key to rows. What it refuses becomes the error.
        fields: Names of the criteria's fields and their labels, the first is the default.
        columns: The columns; the first one with a sort key is the default.
        row_template: Shows the cells of one ``object`` and its ``detail``.
        selection: What is done with selected rows; None for a list without check boxes.
        details: From the keys of the rows shown to what else is shown of them.
        sort: How it is sorted until somebody wants it otherwise; by the default column when empty.

    """
    default = next(iter(fields))
    asked_rows = request.GET.get("rows", "")
    rows = int(asked_rows) if asked_rows in map(str, ROWS) else DEFAULT_ROWS
    sortable = next(column.sort for column in columns if column.sort)
    sort = request.GET.get("sort") or sort or sortable
    error = ""
    criteria: tuple[Criterion, ...] = (Criterion(default, "begins"),)
    try:
        criteria = _criteria(request, default)
        found = find(criteria, sort)
    except Refused as refused:
        error = refused.rule
        found = find((), sortable).none()
    address = _Address(criteria, rows, sort)
    return Listing(
        what=what,
        row_template=row_template,
        fields=fields,
        headers=_headers(columns, address),
        page=Paginator(found, rows).get_page(request.GET.get("page")),
        all_selected=request.GET.get("select") == "all",
        address=address,
        selection=selection,
        details=details,
        error=error,
    )


def show_list(
    request: HttpRequest,
    listing: Listing[Any],
    title: str,
    *,
    add: str = "",
    links: Sequence[Link] = (),
) -> HttpResponse:
    """Return the page of ``listing``, with a tool that leads to ``add`` for who may use it."""
    tools = [Tool(say("Add New"), "add", href=add)] if add and can_write(request.user) else []
    context = {"title": title, "tools": tools, "related_links": links, **list_context(listing)}
    return render(request, "find_list.html", context, status=listing.status)


def list_context(listing: Listing[Any]) -> dict[str, Any]:
    """Return the context of a page that shows ``listing``."""
    count = listing.page.paginator.count
    return {
        "listing": listing,
        "status_error": listing.error,
        "status_text": ""
        if listing.error
        else say_count("{count:,} record found", "{count:,} records found", count),
    }
