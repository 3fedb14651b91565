"""What the pages of every table share: who may do what, and writing through operations only."""

# Django passes the request and the row to every hook; not every table needs them.
# ruff: noqa: ARG002

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.widgets import AutocompleteSelect
from django.db import transaction
from django.db.models import ForeignKey, IntegerField, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from redundancy import permissions
from redundancy.clock import lab_datetime
from redundancy.errors import Refused
from redundancy.language import lazily
from redundancy.operations.trial import try_out
from redundancy.srm.words import say
from redundancy.views.numbers import whole_number

# Both are generic for the type checker only.
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm

Method = TypeVar("Method", bound=Callable[..., Any])

# How the filters of Django ask.
FILTERED_BY = ("exact", "id__exact", "pk__exact", "isnull", "isempty", "gte", "lt")

_MEMO = "_redundancy_can_write"


def column(description: str, **options: Any) -> Callable[[Method], Method]:
    """Return Django's decorator of a column, its heading in the reader's language."""
    decorator: Callable[[Method], Method] = admin.display(
        description=lazily(description), **options
    )
    return decorator


def action(description: str, *, permission: str) -> Callable[[Method], Method]:
    """Return Django's decorator of an action, its name in the reader's language."""
    return admin.action(description=lazily(description), permissions=[permission])


def time_column(description: str, field: str, **options: Any) -> Callable[[Any, Any], object]:
    """Return a column that shows the seconds in ``field`` as a time; 0 means never."""

    @column(description, ordering=field, **options)
    def moment(_: object, row: object) -> datetime | None:
        seconds = getattr(row, field)
        return lab_datetime(seconds) if seconds else None

    return moment


class Autocomplete(AutocompleteSelect):
    """A choice that is searched for; what was sent and is no key is none of the rows offered again."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        """Return the chosen row, which Django looks for by whatever was sent."""
        keys = [each for each in value if not each or whole_number(each) is not None]
        return super().optgroups(name, keys, attr)


class OwnFilters(ModelAdmin):
    """A table that is searched by its keys and its own filters, and by nothing else that stands in an address.

    By other conditions what is not shown could be guessed, letter by letter.
    """

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the row of a key; None of what is no key of any row, such as more than a column holds."""
        key = self.opts.pk
        while isinstance(key, ForeignKey):
            key = key.target_field
        if isinstance(key, IntegerField) and whole_number(object_id) is None:
            return None
        return super().get_object(request, object_id, from_field)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return whether a filter of the list asks so; all else is a bad request."""
        filters = self.get_list_filter(request) if request else self.list_filter
        for each in filters:
            if not isinstance(each, str | tuple):
                names = {str(getattr(each, "parameter_name", ""))}
            else:
                field = str(each if isinstance(each, str) else each[0])
                names = {field, *(f"{field}__{how}" for how in FILTERED_BY)}
            if lookup in names:
                return True
        return False


class RoleAdmin(OwnFilters):
    """A table whose rows any signed-in member of staff sees; the roles say who writes, as on the pages."""

    list_per_page = 50
    # Counting a whole table for one number on the page takes too long.
    show_full_result_count = False

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "forms.ModelChoiceField[Any] | None":
        """Return the field of a form for a row of another table."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = Autocomplete(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return whether the application is listed."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return whether the rows may be seen."""
        return request.user.is_active and request.user.is_staff

    def _may_write(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Asked once a request: an index page asks for each table.
        if not hasattr(request, _MEMO):
            setattr(request, _MEMO, permissions.can_write(request.user))
        return bool(getattr(request, _MEMO))

    has_add_permission = has_change_permission = has_delete_permission = _may_write


class ReadOnlyAdmin(RoleAdmin):
    """A table that the running system writes; nobody else does."""

    def _may_write(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _may_write


class OperationForm(ModelForm):
    """A form that writes by an operation, and finds its errors by trying it."""

    def operate(self, actor: str) -> Model | None:
        """Run the operation with the cleaned values; return the row, or None when none is needed."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any] | None:
        """Try the operation and undo it, so that each rule that refuses shows at its field."""
        super().clean()
        if self.errors:
            return self.cleaned_data
        row = None
        try:
            row = try_out(lambda: self.operate(""))
        except Refused as refused:
            for rule, name in refused.rules:
                self.add_error(name if name in self.fields else None, rule)
        if row is not None:
            # As stored: the model's own checks must not judge the typed form of a value.
            for field in row._meta.fields:
                if field.name in self.cleaned_data:
                    self.cleaned_data[field.name] = getattr(row, field.name)
        return self.cleaned_data


def refuse_unconfirmed(
    effects: Iterable[str], field: str, confirmed_by: str = "despite_ha"
) -> None:
    """Refuse with ``effects`` at ``field`` until ``confirmed_by`` is checked."""
    refusals = [Refused(effect, field=field) for effect in effects]
    yes = say("Check this box to do it all the same.")
    raise Refused.together([*refusals, Refused(yes, field=confirmed_by)])


class OperationAdmin(RoleAdmin):
    """A table that is written by operations only."""

    actions: tuple[str, ...] = ("delete_selected",)

    # What cannot be changed any more once the row is saved.
    chosen_once: tuple[str, ...] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return what is shown and not typed."""
        return self.chosen_once if obj else tuple(self.readonly_fields)

    def remove(self, rows: QuerySet[Any], actor: str) -> None:
        """Delete these rows by an operation."""
        raise NotImplementedError

    def save_model(
        self, request: HttpRequest, obj: Model, form: OperationForm, change: bool
    ) -> None:
        """Run the form's operation for good."""
        row = form.operate(request.user.get_username())
        if row is not None:
            obj.pk = row.pk
            obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete one row by the operation."""
        self.delete_queryset(request, type(obj)._default_manager.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete several rows by the operation."""
        self.remove(queryset, request.user.get_username())

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name only the rows themselves: whether they may go is for the operation to say."""
        names = [str(obj) for obj in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []

    @action(say("Delete selected %(verbose_name_plural)s"), permission="delete")
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponseBase | None:
        """Ask, then delete all of them or none."""
        try:
            with transaction.atomic():
                return delete_selected(self, request, queryset)
        except Refused as refused:
            self.message_user(request, str(refused.rule), messages.ERROR)
            return None

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, then delete; a refusal is a message on the row's page."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refused:
            self.message_user(request, str(refused.rule), messages.ERROR)
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[object_id]))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show or save; what is refused only now was changed by somebody since it was tried."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as refused:
            self.message_user(request, str(refused.rule), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
