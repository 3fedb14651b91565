"""*System > Enterprise Parameters*: what holds for the whole cluster."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from redundancy.catalog import ENTERPRISE_PARAMETERS
from redundancy.errors import Refused
from redundancy.parameters.forms import EnterpriseForm
from redundancy.parameters.writes.enterprise import set_enterprise_parameters
from redundancy.permissions import can_write, refuse_read_only
from redundancy.selectors import enterprise
from redundancy.srm.words import say
from redundancy.views.chrome import Tool

FORM = "enterprise-form"
DEFAULTS = {parameter.key: parameter.default for parameter in ENTERPRISE_PARAMETERS}


@require_http_methods(["GET", "HEAD", "POST"])
def enterprise_parameters(request: HttpRequest) -> HttpResponse:
    """Show the enterprise parameters, and change them. *Set to Default* only fills the form in."""
    if request.method == "POST":
        refuse_read_only(request)
    present = enterprise.values()
    if "default" in request.POST:
        text = say("The suggested values are in the form. Press Save to apply them.")
        return _page(request, EnterpriseForm(initial=DEFAULTS), present, text)
    if request.method != "POST":
        read_only = not can_write(request.user)
        return _page(request, EnterpriseForm(initial=present, read_only=read_only), present)
    form = EnterpriseForm(request.POST)
    if form.is_valid():
        try:
            # What a form does not have stays as it is.
            values = {key: form.text(key) for key in DEFAULTS if key in request.POST}
            set_enterprise_parameters(values=values, actor=request.user.get_username())
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, str(say("Update successful")))
            return redirect("enterprise_parameters")
    return _page(request, form, present)


def _page(
    request: HttpRequest, form: EnterpriseForm, present: dict[str, str], text: str = ""
) -> HttpResponse:
    context = {
        "title": say("Enterprise Parameters Configuration"),
        "form": form,
        "form_id": FORM,
        "rows": [(p, form[p.key], present[p.key] != p.default) for p in ENTERPRISE_PARAMETERS],
        "status_text": text,
        "tools": [Tool(say("Save"), "save", form=FORM)] if can_write(request.user) else [],
    }
    status = 422 if form.errors else 200
    return render(request, "parameters/enterprise.html", context, status=status)
