"""Every address, by every method, as everybody: what ``decisions`` says is what happens, and nothing more."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from cucm_admin import urls
from tests.access.addresses import Address, all_addresses, tables
from tests.access.decisions import (
    ADMINISTRATION,
    BY_PASSWORD,
    GROUPS,
    HIDDEN,
    SITE,
    WRITES,
    Role,
    decide,
)
from tests.access.decisions import in_administration as of_django
from tests.access.furniture import Arguments, furnish_all
from tests.kept import kept

# What no page is made for: it is refused, or shows what GET shows.
OTHERS = ("OPTIONS", "PUT", "DELETE")
METHODS = ("GET", "HEAD", "POST", *OTHERS)
# Answers 503 here, where no sweep runs.
MAY_BE_UNHEALTHY = {"healthz"}


class Outcome(StrEnum):
    """What became of a request."""

    SIGN_IN = "led to the sign-in"
    REFUSED = "refused"
    DONE = "answered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class House:
    """The furnished database: who is in it, and where everything is."""

    users: Mapping[Role, User]
    addresses: tuple[Address, ...]


@pytest.fixture(scope="module")
def arguments(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Arguments]:
    with kept(django_db_blocker):
        yield furnish_all()


@pytest.fixture
def house(arguments: Arguments, db: None, settings: Settings) -> House:
    settings.FAULT_LAB = True
    users = {role: _user(role, group) for role, group in GROUPS.items()}
    return House(users, tuple(all_addresses(arguments)))


def _user(role: Role, group: str) -> User:
    user = User.objects.create_user(
        role.value,
        is_staff=role is not Role.WITHOUT_STAFF,
        is_active=role is not Role.INACTIVE,
        is_superuser=role is Role.SUPERUSER,
    )
    user.groups.set(Group.objects.filter(name=group))
    return user


def test_every_table_has_a_row(house: House) -> None:
    empty = [model.__name__ for model in admin.site._registry if not model.objects.exists()]  # type: ignore[attr-defined]
    assert empty == []


def undecided(addresses: Iterable[Address]) -> set[str]:
    return {address.name for address in addresses if decide(address) is None}


def test_every_address_is_decided_and_nothing_else(house: House) -> None:
    assert undecided(house.addresses) == set()
    assert (SITE.keys() | ADMINISTRATION.keys()) <= {address.name for address in house.addresses}


def test_a_new_address_without_a_decision_is_found(
    arguments: Arguments, db: None, settings: Settings
) -> None:
    class Urls:
        urlpatterns = [path("new/", HttpResponse, name="new"), path("", include(urls))]

    settings.ROOT_URLCONF = Urls
    assert undecided(all_addresses(arguments)) == {"new"}


class Visitor:
    """Somebody who sends requests, one after the other, and stays signed in."""

    def __init__(self, house: House, role: Role) -> None:
        self.role = role
        self._client = Client(raise_request_exception=False)
        if role in house.users:
            self._client.force_login(house.users[role])
        self._cookies = {name: each.value for name, each in self._client.cookies.items()}

    def __call__(self, method: str, address: Address, *, undone: bool) -> Outcome:
        """Return what became of a request; with ``undone`` the database is as before, whatever it did."""
        self._client.cookies = SimpleCookie(self._cookies)
        with transaction.atomic():
            answer = self._client.generic(method, address.path, "", CONTENT_TYPE)
            transaction.set_rollback(undone)
        return _outcome(address, method, answer)


CONTENT_TYPE = "application/x-www-form-urlencoded"


def _outcome(address: Address, method: str, answer: Any) -> Outcome:
    if answer.status_code >= 500 and address.name not in MAY_BE_UNHEALTHY:
        return Outcome.FAILED
    if answer.status_code in {401, 403, 405}:
        return Outcome.REFUSED
    if answer.status_code == 302 and "login/?next=" in answer["Location"]:
        return Outcome.SIGN_IN
    if method == "OPTIONS" and not answer.content:
        # Django tells which methods there are, and nothing else.
        return Outcome.REFUSED
    return Outcome.DONE


def expected(address: Address, method: str, role: Role) -> set[Outcome]:
    """Return what may become of a request."""
    decision = decide(address)
    assert decision is not None
    may = decision.do if method == "POST" else decision.look
    if decision is BY_PASSWORD:
        return {Outcome.REFUSED}
    outside = role in {Role.ANONYMOUS, Role.INACTIVE}
    open_to_all = role in decision.look | decision.do
    away = Outcome.SIGN_IN if outside and not open_to_all else Outcome.REFUSED
    if role is Role.WITHOUT_STAFF and of_django(address):
        # Led to the administration's own sign-in, which refuses.
        may_some = role in decision.look | decision.do
        return {Outcome.SIGN_IN, Outcome.REFUSED, *({Outcome.DONE} if may_some else ())}
    if method in OTHERS:
        return {away, *({Outcome.DONE} if role in decision.look | decision.do else ())}
    return {Outcome.DONE} if role in may else {away}


def digests() -> dict[str, str]:
    """Return a digest of the rows of each table, but for sessions."""
    found = {}
    with connection.cursor() as cursor:
        for model in tables():
            if model is not Session:
                name = model._meta.db_table
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
                rows = sorted(map(repr, cursor.fetchall()))
                found[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def surprises(
    visit: Visitor, addresses: Iterable[Address], method: str, *, undone: bool
) -> list[str]:
    """Ask these addresses by a method; return what should not have become of it."""
    wrong = []
    for address in addresses:
        # One's own session ends: that changes nothing of others.
        outcome = visit(method, address, undone=undone or address.name.endswith("logout"))
        if outcome not in expected(address, method, visit.role):
            wrong.append(f"{method} {address} as {visit.role}: {outcome}")
    return wrong


def addresses_for(house: House, role: Role, *, django: bool) -> list[Address]:
    """Return the addresses of Django's administration, or the others, that a role is tried at."""
    # A superuser of Django's is more than a super user there, at these tables.
    return [
        each
        for each in house.addresses
        if of_django(each) is django and (role is not Role.SUPERUSER or each.model in HIDDEN)
    ]


# Who sees the pages of Django's administration and has to wait for each: one of them is enough for a start.
SLOW = {Role.NO_GROUP, Role.WRITER}


def cases() -> Iterator[Any]:
    """Yield role, method and whether it is Django's administration: what takes long is marked so."""
    for role, method, django in itertools.product(Role, METHODS, (False, True)):
        others = method not in {"GET", "POST"}
        slow = django and (role in SLOW or (others and role is not Role.ANONYMOUS))
        marks = [pytest.mark.long] if slow else []
        where = "administration" if django else "site"
        if django or role is not Role.SUPERUSER:
            yield pytest.param(role, method, django, marks=marks, id=f"{role}-{method}-{where}")


@pytest.mark.parametrize(("role", "method", "django"), list(cases()))
def test_everybody_gets_what_was_decided(
    house: House, role: Role, method: str, *, django: bool
) -> None:
    """Who may not write changes nothing, and by other methods than POST nobody does."""
    visit, before = Visitor(house, role), digests()
    undone = method == "POST" and role in WRITES
    assert surprises(visit, addresses_for(house, role, django=django), method, undone=undone) == []
    assert {table for table, digest in digests().items() if digest != before[table]} == set()


def test_a_door_that_was_left_open_is_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix sees a view without its guard, and what was changed through it."""
    monkeypatch.setattr("redundancy.permissions.can_write", lambda _: True)
    addresses = [each for each in house.addresses if each.name == "planned_step"]
    visit, before = Visitor(house, Role.READER), digests()
    (wrong,) = surprises(visit, addresses, "POST", undone=False)
    assert wrong.startswith("POST /ccmservice/planned-restarts/")
    assert digests() != before
