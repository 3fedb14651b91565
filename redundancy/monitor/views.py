"""*Diagnostics > Beat Monitor*, and the same for machines: ``/healthz`` and ``/metrics``."""

from secrets import compare_digest

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from redundancy.monitor import reads
from redundancy.monitor.metrics import exposition
from redundancy.selectors import live
from redundancy.srm.words import say
from redundancy.views.chrome import lab, tell_time

APPLICATION = "cupadmin"
TITLE = say("Beat Monitor")
# Nodes listed on the page, the longest silent first.
EARS = 50


@require_safe
def beat_monitor(request: HttpRequest) -> HttpResponse:
    """Show how beat, workers, queues, bus and database do; with ``fragment`` the figures alone."""
    monitor = reads.look_at_system()
    ears = sorted(monitor.ears, key=lambda ear: -1.0 if ear.age is None else -ear.age)
    context = {
        "title": TITLE,
        "application": APPLICATION,
        "monitor": monitor,
        "ears": ears[:EARS],
        "more_ears": max(0, len(ears) - EARS),
    }
    if "fragment" in request.GET:
        return tell_time(render(request, "monitor/_live.html", context), lab())
    return render(request, "monitor/monitor.html", context)


@require_safe
@login_not_required
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 when the system can be trusted, 503 when not; no details, no sign-in."""
    healthy = not reads.look_at_system().troubles
    return HttpResponse(
        "ok\n" if healthy else "not ok\n",
        content_type="text/plain",
        status=200 if healthy else 503,
        headers={"Cache-Control": "no-store"},
    )


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics; with METRICS_TOKEN set only to who shows it as a bearer token (else 401)."""
    if settings.METRICS_TOKEN:
        token = request.headers.get("Authorization", "")
        if not compare_digest(token.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
            return HttpResponse(
                "METRICS_TOKEN is set: show it as a bearer token.\n",
                content_type="text/plain",
                status=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
    monitor = reads.look_at_system()
    try:
        groups = live.all_live()
    except DatabaseError:
        groups = ()
    return HttpResponse(exposition(monitor, groups), content_type=CONTENT_TYPE_LATEST)
