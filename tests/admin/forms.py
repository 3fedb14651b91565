"""Addresses of the Django administration, and what its forms say."""

from typing import Any

from django.test import Client
from django.urls import reverse


def url(model: type, page: str, *args: Any) -> str:
    return reverse(f"admin:redundancy_{model.__name__.lower()}_{page}", args=args)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200, answer.headers
    return {field: list(texts) for field, texts in answer.context["adminform"].form.errors.items()}


def notes(client: Client, path: str) -> list[str]:
    return [str(message) for message in client.get(path).context["messages"]]


def selected(client: Client, model: type, rows: Any) -> None:
    data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
    assert client.post(url(model, "changelist"), data).status_code == 200
    answer = client.post(url(model, "changelist"), data | {"post": "yes"})
    assert answer.status_code == 302
