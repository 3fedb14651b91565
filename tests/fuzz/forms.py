"""Forms and links as pages have them: what is asked, and with which names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

# Of the protection against forged forms, which the client of the tests does without.
NOT_ASKED = {"csrfmiddlewaretoken"}


@dataclass(frozen=True)
class Form:
    """What can be sent to an address.

    Args:
        path: Where it goes.
        method: ``GET`` or ``POST``.
        fields: Names with the values that the page would send.
        choices: The values that a field offers.
        files: Names of fields that take a file.

    """

    path: str
    method: str
    fields: tuple[tuple[str, str], ...]
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, frozenset[str]]:
        """What tells it from another one."""
        return self.path, self.method, frozenset(name for name, _ in self.fields)


def forms_of(path: str, html: str) -> Iterator[Form]:
    """Yield each form of a page, and each link with a query as one."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.select("form"):
        ident = str(tag.get("id", ""))
        inside = tag.select("input, select, textarea, button")
        outside = soup.select(f'[form="{ident}"]') if ident else []
        yield _form(path, tag, [*inside, *outside])
    for tag in soup.select("[href*='?'], [hx-get*='?']"):
        where = urlsplit(urljoin(path, str(tag.get("href") or tag.get("hx-get"))))
        if not where.netloc:
            yield Form(where.path, "GET", tuple(parse_qsl(where.query, keep_blank_values=True)))
    for tag in soup.select("[hx-post]"):
        yield Form(urlsplit(urljoin(path, str(tag["hx-post"]))).path, "POST", ())


def _form(path: str, tag: Tag, parts: Iterable[Tag]) -> Form:
    fields: list[tuple[str, str]] = []
    choices: dict[str, tuple[str, ...]] = {}
    files: list[str] = []
    for part in parts:
        name = str(part.get("name", ""))
        if not name or name in NOT_ASKED:
            continue
        if part.get("type") == "file":
            files.append(name)
        elif part.name == "select":
            options = [str(option.get("value", option.text)) for option in part.select("option")]
            choices[name] = tuple(options)
            chosen = part.select("option[selected]") or part.select("option")[:1]
            fields += [(name, str(option.get("value", option.text))) for option in chosen]
        elif part.get("type") in {"checkbox", "radio", "submit"} or part.name == "button":
            value = str(part.get("value", "on"))
            choices[name] = (*choices.get(name, ()), value)
            if part.has_attr("checked"):
                fields.append((name, value))
        else:
            fields.append((name, str(part.get("value", part.text))))
    action = urlsplit(urljoin(path, str(tag.get("action") or path)))
    query = parse_qsl(action.query, keep_blank_values=True)
    method = str(tag.get("method", "get")).upper()
    sent = tuple(fields) if method == "POST" else (*query, *fields)
    names = {name for name, _ in sent}
    # What is offered and not chosen can be sent, too.
    return Form(
        action.path,
        method,
        sent + tuple((name, "") for name in choices if name not in names),
        choices,
        tuple(files),
    )


def distinct(forms: Iterable[Form]) -> list[Form]:
    """Return the forms, those that are alike once."""
    return list({form.key: form for form in forms}.values())
