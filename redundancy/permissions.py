"""Who may change something: the two roles of the pages, those of AXL, and the guard of every view that writes."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponseBase

from redundancy.srm.words import say

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

SUPER = "Standard CCM Super Users"
READ_ONLY = "Standard CCM Read Only"
AXL = "Standard AXL API Access"
AXL_READ_ONLY = "Standard AXL Read Only API Access"

READ_ONLY_SENTENCE = say(
    "Your role may look at everything and change nothing. Only {role} may change it.", role=SUPER
)


NO_ROLE_SENTENCE = say(
    "You have no role here, so there is nothing to see. An administrator puts you into the group {write} or {read}.",
    write=SUPER,
    read=READ_ONLY,
)
# What `with_roles` adds to a user.
_ROLES = {"_in_super": SUPER, "_in_read_only": READ_ONLY}


def with_roles(users: QuerySet[User]) -> QuerySet[User]:
    """Return ``users``, each with what `can_write` and `has_role` would ask the database for."""
    members = User.groups.through.objects.filter(user=OuterRef("pk"))
    return users.annotate(
        **{key: Exists(members.filter(group__name=name)) for key, name in _ROLES.items()}
    )


def _has(user: AbstractBaseUser | AnonymousUser | None, *keys: str) -> bool:
    if user is None or isinstance(user, AnonymousUser) or not user.is_active:
        return False
    if getattr(user, "is_superuser", False):
        return True
    if hasattr(user, keys[0]):
        return any(getattr(user, key) for key in keys)
    names = [_ROLES[key] for key in keys]
    return Group.objects.filter(name__in=names, user=user.pk).exists()


def can_write(user: AbstractBaseUser | AnonymousUser | None) -> bool:
    """Return whether ``user`` may change anything. Asks the database unless `with_roles` has."""
    return _has(user, "_in_super")


def has_role(user: AbstractBaseUser | AnonymousUser | None) -> bool:
    """Return whether ``user`` may see anything. Asks the database unless `with_roles` has."""
    return _has(user, *_ROLES)


def may_use_axl(user: User, *, write: bool) -> bool:
    """Return whether ``user`` may ask by AXL, or ``write`` by it. Asks the database.

    As in the vendor's system the role that may change everything holds AXL, and the one that may read the
    pages does not.
    """
    if not user.is_active:
        return False
    roles = (SUPER, AXL) if write else (SUPER, AXL, AXL_READ_ONLY)
    return user.is_superuser or Group.objects.filter(name__in=roles, user=user.pk).exists()


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
    """Make sure that the roles exist (after each migrate)."""
    for name in (SUPER, READ_ONLY, AXL, AXL_READ_ONLY):
        Group.objects.using(using).get_or_create(name=name)
