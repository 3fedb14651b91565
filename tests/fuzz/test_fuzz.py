"""Nasty requests at every form and address, seeded: never a fault of the server, never a long wait.

A request that fails is printed with its number: ``FUZZ_SEED`` and ``FUZZ_ONLY`` send it again.
"""

import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from tests.access.addresses import Address, all_addresses
from tests.access.furniture import furnish_all
from tests.fuzz.forms import Form, distinct, forms_of
from tests.fuzz.values import FILES, value
from tests.kept import kept

SEED = int(os.environ.get("FUZZ_SEED", "13"))
ONLY = os.environ.get("FUZZ_ONLY")
# How many requests, made of how many addresses; None: of all.
A_FEW, MANY = (150, 25), (6000, None)
# Seconds that an answer may take, on a busy machine.
PATIENCE = 10.0
# A server in front of us takes no longer address.
LONGEST_QUERY = 4000
# 503 where no sweep runs; the session of this test would end.
LEFT_OUT = {"healthz", "logout", "admin:logout"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def addresses(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[Address]]:
    with kept(django_db_blocker):
        arguments = furnish_all()
        found = [each for each in all_addresses(arguments) if each.name not in LEFT_OUT]
        yield [each for each in found if not each.name.endswith("logout")]


@pytest.fixture
def client(
    addresses: list[Address], db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Client:
    """A superuser's browser; what would leave this process does not."""
    settings.FAULT_LAB = True
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda *_, **__: None)
    monkeypatch.setattr("redundancy.alarms.channels.send", lambda *_: "")
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("root"))
    return client


@dataclass(frozen=True)
class Request:
    """One request. ``fields``: what its query or its form says."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, tuple[str, bytes]], ...] = ()
    content_type: str = FORM

    def __str__(self) -> str:
        said = ", ".join(f"{name}={text[:60]!r}" for name, text in self.fields)
        return f"{self.method} {self.path[:300]!r} {said}"


class Fuzz:
    """Requests made of what pages ask.

    Args:
        forms: What can be sent.
        addresses: Every address of the site.
        dice: Of all that is chosen.

    """

    def __init__(
        self, forms: Sequence[Form], addresses: Sequence[Address], dice: random.Random
    ) -> None:
        self._forms, self._addresses, self._dice = forms, addresses, dice
        self._names = sorted({name for form in forms for name, _ in form.fields if name})

    def request(self) -> Request:
        """Return the next one."""
        turn = self._dice.random()
        if turn < 0.12:
            return self._at_an_address()
        form = self._dice.choice(self._forms)
        return self._of(form, method=form.method if turn < 0.95 else self._other(form))

    def _other(self, form: Form) -> str:
        return "GET" if form.method == "POST" else "POST"

    def _at_an_address(self) -> Request:
        """An address with other arguments, and a query of names from anywhere."""
        address = self._dice.choice(self._addresses)
        parts = urlsplit(address.path).path.split("/")
        for place, part in enumerate(parts):
            if part.isdecimal() or (part and self._dice.random() < 0.1):
                parts[place] = quote(value(self._dice, most=300), safe="", errors="surrogatepass")
        names = self._dice.sample(self._names, 2)
        fields = tuple((name, value(self._dice, most=300)) for name in names)
        return Request(self._dice.choice(("GET", "POST")), "/".join(parts), fields)

    def _of(self, form: Form, method: str) -> Request:
        most = LONGEST_QUERY // 4 if method == "GET" else 1_000_000
        fields = [*form.fields] or [(self._dice.choice(self._names), "")]
        for _ in range(self._dice.choice((1, 1, 2, 4))):
            place = self._dice.randrange(len(fields))
            name, _old = fields[place]
            match self._dice.choice(("value", "value", "value", "choice", "twice", "gone", "name")):
                case "value":
                    fields[place] = (name, value(self._dice, most=most))
                case "choice" if form.choices.get(name):
                    fields[place] = (name, self._dice.choice(form.choices[name]))
                case "twice":
                    fields.append((name, value(self._dice, most=most)))
                case "gone" if len(fields) > 1:
                    del fields[place]
                case "name":
                    # Django's administration takes conditions on columns in its addresses.
                    ending = self._dice.choice(("__in", "__isnull", "__gt", "__regex", "[]", ""))
                    fields[place] = (f"{name}{ending}", value(self._dice, most=most))
        files = tuple((name, self._dice.choice(FILES)) for name in form.files)
        kinds = (FORM,) * 12 + ("application/json", "text/plain", "multipart/form-data")
        return Request(method, form.path, tuple(fields), files, self._dice.choice(kinds))


def send(client: Client, request: Request) -> Any:
    """Send a request, read the answer to its end, and undo what was done."""
    text = urlencode(request.fields, errors="surrogatepass")
    with transaction.atomic():
        if request.method == "GET":
            separator = "&" if "?" in request.path else "?"
            answer = client.generic("GET", f"{request.path}{separator}{text[:LONGEST_QUERY]}")
        elif request.files:
            data = {name: text.encode("utf-8", "replace").decode() for name, text in request.fields}
            uploads = {name: SimpleUploadedFile(*file) for name, file in request.files}
            body = encode_multipart(BOUNDARY, data | uploads)
            answer = client.generic("POST", request.path, body, MULTIPART_CONTENT)
        else:
            answer = client.generic("POST", request.path, text, request.content_type)
        if answer.streaming:
            answer.getvalue()
        transaction.set_rollback(True)
    return answer


def gather(client: Client, addresses: Sequence[Address]) -> list[Form]:
    """Return the forms of every page, those of pages that its links lead to among them."""
    found: list[Form] = []
    for address in addresses:
        answer = client.get(address.path)
        if answer.status_code < 500 and "html" in answer.headers.get("Content-Type", ""):
            found += forms_of(address.path, answer.content.decode())
        found.append(Form(address.path, "GET", ()))
    return [form for form in distinct(found) if not form.path.endswith("/logout/")]


def fuzz(
    client: Client, addresses: Sequence[Address], number: int, of: int | None = None
) -> list[str]:
    """Send so many requests, made of so many addresses; return what was wrong with which."""
    raised: list[BaseException] = []
    dice = random.Random(SEED)

    def note(**_: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            raised.append(error)

    got_request_exception.connect(note)
    wrong = []
    try:
        forms = gather(client, dice.sample(addresses, of) if of else addresses)
        made = Fuzz(forms, addresses, dice)
        for turn in range(number):
            request = made.request()
            if ONLY and str(turn) != ONLY:
                continue
            raised.clear()
            began = time.perf_counter()
            answer = send(client, request)
            took = time.perf_counter() - began
            if answer.status_code >= 500 or raised:
                why = repr(raised[-1])[:300] if raised else ""
                wrong.append(f"#{turn}: {answer.status_code} {why}: {request}")
            elif took > PATIENCE:
                wrong.append(f"#{turn}: took {took:.1f} s: {request}")
    finally:
        got_request_exception.disconnect(note)
    return wrong


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("number", "of"), [A_FEW, pytest.param(*MANY, marks=pytest.mark.long)], ids=["few", "many"]
)
def test_nothing_that_is_sent_breaks_the_server(
    client: Client, addresses: list[Address], number: int, of: int | None
) -> None:
    wrong = fuzz(client, addresses, number, of)
    assert wrong == [], "\n".join([f"seed {SEED}", *wrong])


def test_a_fault_is_found_and_told_with_its_request(
    client: Client, addresses: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ArithmeticError("planted")

    monkeypatch.setattr("redundancy.views.home.render", broken)
    some = [each for each in addresses if each.name in {"about", "server_list"}]
    wrong = fuzz(client, some, 40)
    assert wrong
    assert all("500 ArithmeticError('planted'): GET '/about/" in each for each in wrong)
