"""Delete one or many: ask first, then all of them or none."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.contrib import messages
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from redundancy.errors import Refused
from redundancy.operations.trial import try_out
from redundancy.srm.words import say
from redundancy.views.confirm import Confirmation, ask, go_to
from redundancy.views.find_list import return_to
from redundancy.views.numbers import whole_number

M = TypeVar("M", bound=Model)

# Named one by one up to here.
NAMED = 10


def selected_pks(request: HttpRequest) -> list[int]:
    """Return the keys of the rows selected in a list; what is no number is no key."""
    asked = request.POST if request.method == "POST" else request.GET
    found = (whole_number(text) for text in asked.getlist("pk"))
    return [pk for pk in found if pk is not None]


def nothing_to_do(request: HttpRequest) -> str:
    """Return why there is no row to do something with: none was selected, or those are gone."""
    if selected_pks(request):
        return say("The selected items have been deleted in the meantime.")
    return say("Nothing is selected.")


def delete(
    request: HttpRequest,
    *,
    objects: Sequence[M],
    remove: Callable[[M], None],
    what: str,
    back: str,
    effects: Sequence[str] = (),
) -> HttpResponse:
    """Ask (GET), or delete ``objects`` and go to the list at ``back`` (POST).

    They go in the order given. When one is refused none is deleted, and the page says why (409):
    also instead of asking.
    """

    def remove_all() -> None:
        with transaction.atomic():
            for item in objects:
                remove(item)

    asked = request.POST if request.method == "POST" else request.GET
    back = return_to(asked, back)
    error = "" if objects else nothing_to_do(request)
    try:
        if request.method == "POST":
            remove_all()
        else:
            try_out(remove_all)
    except Refused as refused:
        error = refused.rule
    if request.method == "POST" and not error:
        done = say("Delete successful")
        if len(objects) > 1:
            done = say("Delete successful: {count} {what}", count=len(objects), what=what)
        messages.success(request, str(done))
        return go_to(request, back)
    names = ", ".join(str(item) for item in objects[:NAMED])
    question = say("Delete {names}? This cannot be undone.", names=names)
    if more := len(objects[NAMED:]):
        question = say(
            "Delete {names} and {more} more? This cannot be undone.", names=names, more=more
        )
    return ask(
        request,
        Confirmation(
            title=say("Delete {what}", what=what),
            action=request.path,
            cancel=back,
            submit="" if error else say("Delete"),
            question="" if error else question,
            effects=() if error else effects,
            fields=[
                *(("pk", item.pk) for item in objects),
                *(("list", here) for here in asked.getlist("list")),
            ],
            error=error,
        ),
    )
