"""The Django administration says nothing of ours that the catalogues were never asked for."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import CharField, GenericIPAddressField, Model, TextField
from django.test import Client
from django.urls import reverse

from redundancy.catalog import AssignmentMode
from redundancy.models import MessageKind
from redundancy.models.fields import SentenceField
from redundancy.operations.signins import Outcome, record_sign_in
from tests.language.marking import marking, untranslated
from tests.language.names import proper_names

MODELS = [
    model
    for model in admin.site._registry
    if model in set(apps.get_app_config("redundancy").get_models())
]
# What the tables hold as it was typed, and what Django itself has no translation for.
DATA = {
    "ID",
    "True",
    "False",
    "Search",
    "Info",
    # What is shown of a channel's address.
    "json://127.0.0.1",
    '"assigned"',
    '"active"',
    *MessageKind.values,
    *AssignmentMode,
}


@pytest.fixture
def reader(client: Client, rows: None) -> Client:
    """A browser in Portuguese of somebody who may do everything."""
    record_sign_in(username="ann", outcome=Outcome.OK, address=None)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "pt-br"
    client.force_login(User.objects.create_superuser("ann"))
    return client


def addresses(model: type[Model]) -> Iterator[str]:
    name = f"admin:redundancy_{model._meta.model_name}"
    yield reverse(f"{name}_changelist")
    row = model._default_manager.first()
    assert row is not None
    yield reverse(f"{name}_change", args=[row.pk])
    # Of its own: rows can be added and deleted.
    if "remove" in vars(type(admin.site._registry[model])):
        yield reverse(f"{name}_add")
        yield reverse(f"{name}_delete", args=[row.pk])


def held(model: type[Model]) -> set[str]:
    """Return the texts of the table that are data: no sentences, no choices."""
    return {
        str(value)
        for field in model._meta.local_fields
        if isinstance(field, CharField | TextField | GenericIPAddressField)
        and not isinstance(field, SentenceField)
        and not field.choices
        for value in model._default_manager.values_list(field.name, flat=True)
        if value
    }


def test_it_says_nothing_untranslated(reader: Client) -> None:
    names = (proper_names() | DATA).union(*(held(each) for each in MODELS))
    wrong: dict[str, str] = {}
    with marking():
        for address in (reverse("admin:index"), *(a for model in MODELS for a in addresses(model))):
            answer = reader.get(address)
            assert answer.status_code == 200, address
            for text in untranslated(answer.content.decode(), names):
                wrong.setdefault(text, address)
    assert wrong == {}
