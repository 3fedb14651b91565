"""Who may change something: the two roles, and the guard of every view that writes."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from redundancy.srm.words import say

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

SUPER = "Standard CCM Super Users"
READ_ONLY = "Standard CCM Read Only"

READ_ONLY_SENTENCE = say(
    "Your role may look at everything and change nothing. Only {role} may change it.", role=SUPER
)


def can_write(user: AbstractBaseUser | AnonymousUser | None) -> bool:
    """Return whether ``user`` may change anything. Asks the database once, except for a superuser."""
    if user is None or isinstance(user, AnonymousUser) or not user.is_active:
        return False
    if getattr(user, "is_superuser", False):
        return True
    return Group.objects.filter(name=SUPER, user=user.pk).exists()


def refuse_read_only(request: HttpRequest) -> None:
    """Raise PermissionDenied (403) unless the user of ``request`` may write."""
    if not can_write(request.user):
        raise PermissionDenied(READ_ONLY_SENTENCE)


def writers_only(
    view: Callable[Concatenate[HttpRequest, P], R],
) -> Callable[Concatenate[HttpRequest, P], R]:
    """Refuse a view, whatever the method, to users who may not write."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        refuse_read_only(request)
        return view(request, *args, **kwargs)

    return guarded


def make_roles(*, using: str, **_: Any) -> None:
    """Make sure that both roles exist (after each migrate)."""
    for name in (SUPER, READ_ONLY):
        Group.objects.using(using).get_or_create(name=name)
