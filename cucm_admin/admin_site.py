"""The Django administration, its tables in sections that an administrator knows."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from django.apps import AppConfig
from django.contrib.admin import AdminSite, autodiscover, site
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import TO_FIELD_VAR
from django.core.checks import CheckMessage
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver

from redundancy.language import lazily
from redundancy.srm.words import say

# Sections with their tables, in order; every other table is in the last section.
SECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "configuration": (
        say("Configuration"),
        (
            "Server",
            "RedundancyGroup",
            "ServiceParameter",
            "EnterpriseParameter",
            "NodeService",
            "ConfiguredFunction",
            "AlarmChannel",
        ),
    ),
    "users": (
        say("Presence Users"),
        (
            "PresenceUser",
            "PresenceSession",
            "ClientLogin",
            "LoginCeiling",
            "UserImport",
            "ImportProblem",
        ),
    ),
    "administrators": (say("Administrators"), ("User", "Group", "SignIn")),
    "history": (
        say("History"),
        (
            "HaEvent",
            "Incident",
            "Alarm",
            "SessionMove",
            "PlannedRestart",
            "UserRecord",
            "LogCollection",
            "ClusterSnapshot",
            "ClusterWatch",
        ),
    ),
    "internals": (say("Internals"), ()),
}


class SectionedConfig(SimpleAdminConfig):
    """Uses the site below. In this file: an application with two configurations has no default one.

    Tables are registered when the addresses are made, or the site is checked: workers, beat and
    commands need none.
    """

    default_site = "cucm_admin.admin_site.SectionedSite"

    def ready(self) -> None:
        """Let the site be checked: Django checks those that were made."""
        super().ready()
        assert site.name == "admin"


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class SectionedSite(AdminSite):
    """The administration with an index by sections, not by Django applications."""

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Return the addresses of all tables."""
        autodiscover()
        return super().get_urls()

    def check(self, app_configs: Sequence[AppConfig] | None) -> list[CheckMessage]:
        """Check all tables, whether the addresses were made before or not."""
        autodiscover()
        return super().check(app_configs)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Return ``view`` for who may see it. What names no row or no field is 400."""

        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _check_names(request)
            _check_selected(request)
            return view(request, *args, **kwargs)

        return super().admin_view(cast(View, checked), cacheable)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the sections with the tables that the user may see; of one application, as Django does."""
        apps: list[dict[str, Any]] = super().get_app_list(request, app_label)
        return apps if app_label else list(_sections(apps))


def _check_names(request: HttpRequest) -> None:
    # Django refuses every other name that is none, and takes this one for a field.
    if "" in (request.GET.get(TO_FIELD_VAR), request.POST.get(TO_FIELD_VAR)):
        raise BadRequest(say("{field}: must be the name of a field.", field=TO_FIELD_VAR))


def _check_selected(request: HttpRequest) -> None:
    # Needs the tables, which are not there yet when this module is loaded.
    from redundancy.views.numbers import whole_number

    if None in map(whole_number, request.POST.getlist(ACTION_CHECKBOX_NAME)):
        raise BadRequest(say("{field}: must be the number of a row.", field=ACTION_CHECKBOX_NAME))


def _sections(apps: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    tables = {model["object_name"]: model for app in apps for model in app["models"]}
    named = {name for _, names in SECTIONS.values() for name in names}
    rest = [name for name in tables if name not in named]
    for key, (title, names) in SECTIONS.items():
        models = [tables[name] for name in (names or rest) if name in tables]
        if models:
            yield {
                "name": lazily(title),
                "app_label": key,
                # Django gives the row of a table this name; no page is of a section alone.
                "app_url": f"#{key}-{models[0]['object_name'].lower()}",
                "has_module_perms": True,
                "models": models,
            }
