"""What both nodes of a group should have alike: must-match parameters, and the login profile."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from redundancy import clock
from redundancy.catalog import PARAMETER_BY_KEY, PUSH_CLIENTS, PUSH_LIMITS
from redundancy.errors import Refused, Stale
from redundancy.login_profiles import LOWER_LIMIT
from redundancy.models import LoginCeiling, RedundancyGroup, Server
from redundancy.operations.trial import try_out
from redundancy.parameters.forms import LoginProfileForm, posted_snapshot, snapshot_fields
from redundancy.parameters.writes.pair import align, apply_login_profile, set_node_sizes
from redundancy.permissions import refuse_read_only, writers_only
from redundancy.relogin import LoginBand, even_rate, expected_until, peak_of, rate_in_words
from redundancy.selectors import groups, parameters
from redundancy.selectors.ceilings import best_ceiling
from redundancy.selectors.login_profile import CONTRADICTION, Profile, likely_mode, profile
from redundancy.selectors.parameters import PairValue
from redundancy.srm.words import say, say_count
from redundancy.views.chrome import Link, group_link
from redundancy.views.confirm import Confirmation, ask, go_to
from redundancy.views.numbers import whole_number

MUST_MATCH = say("Must-Match Parameters")
LOGIN_PROFILE = say("Login Profile")
# Percentages of the users for which the page says when they are back.
SHARES = (50, 95, 100)


def links(group: RedundancyGroup) -> list[Link]:
    """Return the way to these pages; none for a group of one server."""
    if len(group.servers.all()) < 2:
        return []
    return [
        Link(say("Preflight"), reverse("preflight", args=[group.pk])),
        Link(MUST_MATCH, reverse("must_match", args=[group.pk])),
        Link(LOGIN_PROFILE, reverse("login_profile", args=[group.pk])),
    ]


def _pair(pk: int) -> tuple[RedundancyGroup, list[Server]]:
    group = get_object_or_404(groups.find_groups(), pk=pk)
    return group, list(group.servers.all())


def _related(group: RedundancyGroup) -> list[Link]:
    every = Link(say("Parameters for All Servers"), reverse("parameters_all", args=["ccmadmin"]))
    return [group_link(group), *links(group), every]


@require_safe
def must_match(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the parameters that both nodes have, and where they differ."""
    group, servers = _pair(pk)
    rows = parameters.of_pair(servers) if len(servers) == 2 else []
    differing = sum(not row.matches for row in rows)
    if differing:
        text = say_count("{count} parameter differs.", "{count} parameters differ.", differing)
    else:
        text = say("Both nodes have the same values.") if rows else ""
    context = {
        "title": MUST_MATCH,
        "group": group,
        "servers": servers,
        "rows": rows,
        "differing": differing,
        "align_url": reverse("align", args=[pk]),
        "status_text": text,
        "related_links": _related(group),
    }
    return render(request, "parameters/must_match.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def align_pair(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether both nodes shall have the values of one (GET); do it (POST)."""
    group, servers = _pair(pk)
    data = request.POST if request.method == "POST" else request.GET
    chosen = whole_number(data.get("source", ""))
    source = next((server for server in servers if server.pk == chosen), None)
    key = data.get("key", "")
    if source is None or (key and key not in PARAMETER_BY_KEY):
        raise Http404
    rows = [
        r for r in parameters.of_pair(servers) if not r.matches and key in {"", r.parameter.key}
    ]
    present = parameters.of_nodes(server.pk for server in servers)
    expected = posted_snapshot(data, servers) if request.method == "POST" else present

    def operate() -> None:
        align(
            group=group,
            source=source,
            keys=[key] if key else (),
            expected=expected,
            actor=request.user.get_username(),
        )

    back = reverse("must_match", args=[pk])
    error = ""
    try:
        if request.method == "POST":
            operate()
            text = say("Update successful: aligned with {source}.", source=source.name)
            messages.success(request, str(text))
            return go_to(request, back)
        try_out(operate)
    except Refused as refused:
        error = refused.rule
    return ask(
        request,
        Confirmation(
            title=say("Align {group} with {source}", group=group.name, source=source.name),
            action=request.path,
            cancel=back,
            submit="" if error else say("Align"),
            question="" if error else say("Set these values on both nodes?"),
            effects=[] if error else [_change(row, source) for row in rows],
            fields=[("source", source.pk), ("key", key), *snapshot_fields(present)],
            error=error,
        ),
    )


def _change(row: PairValue, source: Server) -> str:
    values = dict(row.cells)
    value = values.pop(source)
    [(other, old)] = values.items()
    return say(
        "{parameter} on {other}: {value} instead of {old}.",
        parameter=row.parameter.name,
        other=other.name,
        value=value,
        old=old,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def login_profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the recommended re-login limits for the chosen sizes and mode; apply them (POST)."""
    group, servers = _pair(pk)
    if request.method == "POST":
        refuse_read_only(request)
    if len(servers) < 2:
        return _profile_page(request, group, None, None)
    data = request.POST or request.GET
    form = LoginProfileForm(data or _start(group, servers), servers=servers)
    if not form.is_valid():
        # Nothing was chosen yet, or by an address typed by hand.
        fresh = form if data else LoginProfileForm(initial=form.data, servers=servers)
        return _profile_page(request, group, fresh, None, status=422 if data else 200)
    if request.method == "POST":
        try:
            done = _apply(request, group, servers, form)
        except Refused as refused:
            present = profile(group, form.mode, form.sizes)
            status = 409 if isinstance(refused, Stale) else 422
            return _profile_page(request, group, form, present, error=refused.rule, status=status)
        messages.success(request, str(say("Update successful: {done}", done=done)))
        return redirect(f"{request.path}?{urlencode({n: form.text(n) for n in form.fields})}")
    return _profile_page(request, group, form, profile(group, form.mode, form.sizes))


def _start(group: RedundancyGroup, servers: list[Server]) -> dict[str, str]:
    """Return what is chosen at first: the sizes that are known, and the mode as users are assigned."""
    sizes = {f"size_{server.slot}": str(server.node_size or "") for server in servers}
    return {**sizes, "mode": likely_mode(group).value}


def _apply(
    request: HttpRequest, group: RedundancyGroup, servers: list[Server], form: LoginProfileForm
) -> str:
    """Keep the sizes, and apply the limits unless only the sizes are meant; return what was done."""
    actor = request.user.get_username()
    if "only_sizes" in request.POST:
        set_node_sizes(group=group, sizes=form.sizes, actor=actor)
        return say("the node sizes were kept.")
    values = {each.key: request.POST.get(each.key, "") for each in parameters.PER_NODE}
    if "for_push" in request.POST:
        # The button for the limits of a push deployment, beside that for those of the table.
        values = dict(zip(values, map(str, PUSH_LIMITS), strict=True))
    apply_login_profile(
        group=group,
        mode=form.mode,
        sizes=form.sizes,
        values=values,
        expected=posted_snapshot(request.POST, servers),
        actor=actor,
    )
    if "for_push" in request.POST:
        return say("both nodes have the limits of a push deployment.")
    return say("both nodes have the recommended limits.")


def _profile_page(
    request: HttpRequest,
    group: RedundancyGroup,
    form: LoginProfileForm | None,
    recommended: Profile | None,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    ceiling = best_ceiling() if recommended else None
    snapshot = {each.server.pk: each.limits for each in recommended.nodes} if recommended else {}
    context = {
        "title": LOGIN_PROFILE,
        "group": group,
        # Its errors stand at its fields; what an operation refused is about the whole.
        "form": form,
        "profile": recommended,
        "push": _push(recommended) if recommended else "",
        "pace": _pace(recommended) if recommended else [],
        "ceiling": ceiling,
        "crowded": _crowded(recommended, ceiling) if recommended and ceiling else "",
        "limits": _limits(recommended) if recommended else [],
        "contradiction": CONTRADICTION,
        "snapshot": snapshot_fields(snapshot),
        "status_error": error,
        "related_links": _related(group),
    }
    return render(request, "parameters/login_profile.html", context, status=status)


def _pace(recommended: Profile) -> list[tuple[str, str]]:
    """Return what the recommended limits mean: label and figure."""
    if recommended.row is None:
        return []
    upper = recommended.row.upper
    users, each = recommended.users, recommended.clients.per_user
    mean = each * even_rate(users, LOWER_LIMIT, upper)
    peak = each * peak_of([LoginBand(LOWER_LIMIT, upper, users)])
    until = {share: expected_until(share / 100, LOWER_LIMIT, upper) for share in SHARES}
    clients = say("{users:,} users, {clients:,} clients", users=users, clients=users * each)
    return [
        *([(say("Clients that log in"), clients)] if each > 1 else []),
        (say("Logins on average"), say("{rate} per second", rate=rate_in_words(mean))),
        (say("Peak logins"), say("{rate} per second", rate=rate_in_words(peak))),
        *(
            (say("{percent} % are back after", percent=share), f"{seconds:.0f} s")
            for share, seconds in until.items()
        ),
    ]


def _crowded(recommended: Profile, ceiling: LoginCeiling) -> str:
    """Return that the recommended limits ask for more logins than this installation was found to carry; else nothing."""
    if recommended.row is None:
        return ""
    # Clients that really log in do it by the wall clock, whatever the lab's.
    mean = even_rate(recommended.users, LOWER_LIMIT, recommended.row.upper)
    wanted = mean * recommended.clients.per_user * clock.rate()
    if wanted <= ceiling.rate:
        return ""
    return say(
        "With the lab clock at {rate} these limits ask for {wanted} logins per second of wall time, more than "
        "the {ceiling} that were measured here: real clients queue, and are back after the Upper Limit.",
        rate=f"{clock.rate():g}",
        wanted=rate_in_words(wanted),
        ceiling=rate_in_words(ceiling.rate),
    )


def _push(recommended: Profile) -> str:
    """Return what the vendor recommends where there are push clients; empty without any."""
    if not recommended.clients.push:
        return ""
    lower, upper = PUSH_LIMITS
    return say(
        "{parameter} is {percent} %. For a deployment with push clients the vendor recommends another Lower "
        "Limit, {lower} s, and Upper Limit, {upper} s, which keep logins to 4 a second. The table and its "
        "figures are for clients that are not in the background.",
        parameter=PUSH_CLIENTS.name,
        percent=recommended.clients.push,
        lower=lower,
        upper=upper,
    )


def _limits(recommended: Profile) -> list[tuple[str, list[str], str]]:
    """Return of each limit its name, its value on each node, and the recommended one."""
    return [
        (
            parameter.name,
            [node.limits[parameter.key] for node in recommended.nodes],
            recommended.values.get(parameter.key, ""),
        )
        for parameter in parameters.PER_NODE
    ]
