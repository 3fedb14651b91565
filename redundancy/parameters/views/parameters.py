"""*System > Service Parameters*: the parameters of a service on a server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETERS, SERVICE_BY_NAME, SRM, Parameter
from redundancy.errors import Refused, Stale
from redundancy.models import Server, ServiceStatus
from redundancy.operations.trial import try_out
from redundancy.parameters.forms import ParametersForm, contents, contents_again, posted_keys
from redundancy.parameters.reads import FALLBACK, before_setting
from redundancy.parameters.views import pair
from redundancy.parameters.writes.parameters import set_parameters
from redundancy.permissions import can_write, refuse_read_only
from redundancy.selectors import nodes, parameters
from redundancy.selectors.services import services_of
from redundancy.srm.words import say
from redundancy.views.choices import choices
from redundancy.views.chrome import Link, Tool, group_link
from redundancy.views.confirm import Confirmation, ask
from redundancy.views.numbers import whole_number

FORM = "parameters-form"
TITLE = say("Service Parameter Configuration")
SECTION = say("General Server Recovery Manager Parameters")
# What the button *Set to Default* of all parameters sends; that of one sends its key.
ALL = "all"


@dataclass(frozen=True, slots=True)
class ParameterQuery:
    """The server and the service that the address names, and whether only changed values are shown."""

    server: Server | None
    service: str
    changed_only: bool

    @property
    def has_parameters(self) -> bool:
        """Whether the service has parameters here: only SRM has."""
        return self.service == SRM


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter as a row of the page.

    ``seen``: the hidden field with the value that the page was made with. ``present``: the value in
    force, which the field may not show yet. ``differs_from``: name and value of the peer, where it
    should have the same and has not.
    """

    parameter: Parameter
    field: BoundField
    seen: BoundField
    present: str
    differs_from: tuple[str, str] | None

    @property
    def changed(self) -> bool:
        """Whether the value in force differs from the suggested one."""
        return self.present != self.parameter.default


@require_http_methods(["GET", "HEAD", "POST"])
def service_parameters(request: HttpRequest, application: str) -> HttpResponse:
    """Show the parameters of the chosen service on the chosen server, and change them."""
    if request.method == "POST":
        refuse_read_only(request)
    choice = _choice(request)
    if not choice.has_parameters:
        return _page(request, application, choice, None, {})
    present = parameters.texts(choice.server)
    if request.method == "POST":
        return _save(request, application, choice, present)
    keys = set(present)
    if choice.changed_only:
        keys = {key for key, text in present.items() if text != PARAMETER_BY_KEY[key].default}
    read_only = not can_write(request.user)
    form = ParametersForm(keys=keys, initial=contents(present), read_only=read_only)
    return _page(request, application, choice, form, present)


def _choice(request: HttpRequest) -> ParameterQuery:
    pk, service = request.GET.get("server", ""), request.GET.get("service", "")
    server = nodes.node(whole_number(pk) or 0) if pk else None
    if (pk and server is None) or (service and service not in SERVICE_BY_NAME):
        raise Http404
    return ParameterQuery(
        server, service or (SRM if server else ""), request.GET.get("changed") == "1"
    )


def _save(
    request: HttpRequest, application: str, choice: ParameterQuery, present: Mapping[str, str]
) -> HttpResponse:
    keys = posted_keys(request.POST) & present.keys()
    form = ParametersForm(request.POST, keys=keys)
    if default := request.POST.get("default"):
        return _fill_in(request, application, choice, form, present, default)
    form.is_valid()

    def save() -> None:
        set_parameters(
            values=form.values(),
            server=choice.server,
            expected=form.expected(),
            actor=request.user.get_username(),
        )

    try:
        if "confirmed" not in request.POST and (moves := before_setting(form.values())):
            # What is refused anyway is not asked about.
            try_out(save)
            return _ask(request, application, moves)
        save()
    except Stale as stale:
        present = parameters.texts(choice.server)
        form = ParametersForm(contents_again(form, present), keys=keys)
        form.is_valid()
        form.refuse(stale)
        return _page(request, application, choice, form, present, status=409)
    except Refused as refused:
        form.refuse(refused)
        return _page(request, application, choice, form, present, status=422)
    messages.success(request, str(say("Update successful")))
    return redirect(request.get_full_path())


def _ask(request: HttpRequest, application: str, moves: Sequence[str]) -> HttpResponse:
    """Ask before users are moved by the form that was sent; a yes sends it again."""
    typed = [(k, v) for k, v in request.POST.items() if k != "csrfmiddlewaretoken"]
    name = PARAMETER_BY_KEY[FALLBACK].name
    return ask(
        request,
        Confirmation(
            title=say("{parameter}: {value}", parameter=name, value="True"),
            action=request.get_full_path(),
            cancel=request.get_full_path(),
            submit=say("Save"),
            question=say("Set {parameter} to True now? It moves users.", parameter=name),
            effects=moves,
            fields=[*typed, ("confirmed", "1")],
        ),
        application=application,
    )


def _fill_in(
    request: HttpRequest,
    application: str,
    choice: ParameterQuery,
    form: ParametersForm,
    present: Mapping[str, str],
    which: str,
) -> HttpResponse:
    """Show the form with suggested values in it, for one parameter or all; nothing is saved yet."""
    keys = form.fields.keys() & PARAMETER_BY_KEY.keys()
    chosen = keys if which == ALL else keys & {which}
    if not chosen:
        raise Http404
    suggested = {key: PARAMETER_BY_KEY[key].default for key in chosen}
    # The values that were seen stay: another's change in between is still noticed.
    initial = {**dict(request.POST.items()), **suggested}
    if which == ALL:
        text = say("The suggested values are in the form. Press Save to apply them.")
    else:
        parameter = PARAMETER_BY_KEY[which]
        text = say(
            "{parameter}: the suggested value {default} is in the form. Press Save to apply it.",
            parameter=parameter.name,
            default=parameter.default,
        )
    fresh = ParametersForm(initial=initial, keys=keys)
    return _page(request, application, choice, fresh, present, text=text)


def _page(
    request: HttpRequest,
    application: str,
    choice: ParameterQuery,
    form: ParametersForm | None,
    present: Mapping[str, str],
    *,
    status: int = 200,
    text: str = "",
) -> HttpResponse:
    server = choice.server
    writable = can_write(request.user)
    tools = [Tool(say("Save"), "save", form=FORM)] if form and form.fields and writable else []
    context = {
        "title": TITLE,
        "application": application,
        "choice": choice,
        "choices": choices(request, nodes.nodes(), server.pk if server else None),
        "services": _services(server),
        "form": form,
        "form_id": FORM,
        "sections": _sections(server, form, present) if form else [],
        "all_parameters": ALL,
        "tools": tools,
        "status_text": text,
        "must_match_url": reverse("must_match", args=[server.group_id])
        if server and server.group_id
        else "",
        "help_url": reverse("service_parameter_help", args=[application]),
        "related_links": _related(application, server),
    }
    return render(request, "parameters/parameters.html", context, status=status)


def _services(server: Server | None) -> list[tuple[str, bool, bool]]:
    """Return each service, whether it has parameters here, and whether it is active on the server."""
    rows = services_of(server) if server else ()
    active = {row.name for row in rows if row.status == ServiceStatus.STARTED}
    names = sorted(SERVICE_BY_NAME, key=lambda name: (name != SRM, name))
    return [(name, name == SRM, name in active) for name in names]


def _sections(
    server: Server | None, form: ParametersForm, present: Mapping[str, str]
) -> list[tuple[str, list[ParameterRow]]]:
    """Return the boxes of the page: the clusterwide parameters, and those of the server."""
    peer = nodes.peer(server) if server else None
    theirs = parameters.of_nodes([peer.pk])[peer.pk] if peer else {}

    def row(parameter: Parameter) -> ParameterRow:
        key = parameter.key
        other = theirs.get(key, present[key])
        differs = (str(peer), other) if other != present[key] else None
        return ParameterRow(parameter, form[key], form[f"seen_{key}"], present[key], differs)

    rows = [row(parameter) for parameter in PARAMETERS if parameter.key in form.fields]
    title = say("{section} (Clusterwide)", section=SECTION)
    sections = [(title, [row for row in rows if not row.parameter.per_node])]
    if server:
        title = say("{section} ({server})", section=SECTION, server=server.name)
        sections.append((title, [row for row in rows if row.parameter.per_node]))
    return sections


def _related(application: str, server: Server | None) -> list[Link]:
    every = reverse("parameters_all", args=[application])
    modified = reverse("parameters_modified", args=[application])
    links = [
        Link(say("Parameters for All Servers"), every),
        Link(say("Modified Parameters for All Servers"), modified),
    ]
    if server and (group := server.group):
        links += [group_link(group), *pair.links(group)]
    return links
