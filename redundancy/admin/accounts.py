"""Users and groups: Django's own pages, with the filters of every other table and no more."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from redundancy.admin.base import OwnFilters

# Generic for the type checker only.
if TYPE_CHECKING:
    _UserAdmin = UserAdmin[User]
else:
    _UserAdmin = UserAdmin

admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(OwnFilters, _UserAdmin):
    """Who may sign in."""


@admin.register(Group)
class RoleGroupAdmin(OwnFilters, GroupAdmin):
    """The roles, and other groups."""
