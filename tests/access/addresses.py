"""Every address of the site, read from the resolver, with arguments that lead to something."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RoutePattern

from cucm_admin import urls  # noqa: F401 - with the addresses the tables are registered

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Address:
    """An address.

    Args:
        name: As ``reverse`` takes it; of the few that have none, their route.
        model: The table whose page it is, in the Django administration.
        page: Which of the table's pages: ``changelist``, ``add``, ``change`` ...
        path: Where it is.

    """

    name: str
    path: str
    model: type[Model] | None = None
    page: str = ""

    def __str__(self) -> str:
        return self.path


def all_addresses(arguments: Mapping[str, Mapping[str, Any]]) -> list[Address]:
    """Return every address of the resolver; ``arguments``: of those that take some, by name."""
    models = {_label(model): model for model in admin.site._registry}
    found: dict[str, Address] = {}
    for prefix, namespace, pattern in _patterns(get_resolver().url_patterns):
        route = prefix + str(pattern.pattern)
        name = ":".join((*namespace, pattern.name)) if pattern.name else route
        label, _, page = (pattern.name or "").rpartition("_")
        model = models.get(label) if ADMIN in namespace else None
        if pattern.name == "auth_user_password_change":
            model, page = models["auth_user"], "password_change"
        if name in found:
            continue
        if model is not None:
            takes = {"object_id", "id"} & set(pattern.pattern.regex.groupindex)
            row = model._default_manager.order_by("pk").first() if takes else None
            path = reverse(name, args=[row.pk if row is not None else 1] if takes else [])
            found[name] = Address(name, path, model, page)
        elif pattern.name:
            kwargs = arguments.get(name, {})
            found[name] = Address(name, reverse(name, kwargs=dict(kwargs)))
        elif isinstance(pattern.pattern, RoutePattern) and "<" in route:
            # The Django administration leads an old form of a row's address to the present one.
            path = route.replace("<path:object_id>", "1")
            found[name] = Address(name, f"/{path}")
        else:
            # Its last one takes everything that is left.
            found[name] = Address(name, "/" + route.replace("(?P<url>.*)$", "nothing/"))
    return list(found.values())


def _patterns(
    patterns: list[URLPattern | URLResolver], prefix: str = "", namespace: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...], URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = (*namespace, pattern.namespace) if pattern.namespace else namespace
            yield from _patterns(pattern.url_patterns, prefix + str(pattern.pattern), inner)
        else:
            yield prefix, namespace, pattern


def _label(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


def tables() -> list[type[Model]]:
    """Return every table of the database."""
    return list(apps.get_models(include_auto_created=True))
