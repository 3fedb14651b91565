"""*Diagnostics > Beat Monitor*, and the same for machines: ``/healthz``, ``/readyz`` and ``/metrics``."""

import logging
from ipaddress import ip_address
from secrets import compare_digest

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from redundancy import own_clock
from redundancy.monitor import reads
from redundancy.monitor.metrics import exposition
from redundancy.origin import FORWARDED
from redundancy.selectors import enterprise, live
from redundancy.srm.words import english, say
from redundancy.views.chrome import lab, tell_time

logger = logging.getLogger(__name__)

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


class Told:
    """What the log was told of the health check by this process: each set of reasons once, in sentences."""

    def __init__(self) -> None:
        self._reasons: tuple[str, ...] = ()

    def tell(self, monitor: reads.Monitor) -> None:
        """Tell why it is answered 503, or that it is answered 200 again; nothing while that holds."""
        reasons = monitor.reasons if monitor.troubles else ()
        if reasons == self._reasons:
            return
        self._reasons = reasons
        if reasons:
            logger.error("Not healthy: %s", " ".join(english(each) for each in monitor.troubles))
        else:
            logger.warning("Healthy again")


_told = Told()


@require_safe
@login_not_required
def healthz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 when the installation can be trusted, 503 when not; each reason is a word. No sign-in.

    A reason under 200 is something that somebody should see to while others do the work.
    """
    monitor = reads.look_at_system()
    _told.tell(monitor)
    return _plain("not ok" if monitor.troubles else "ok", *monitor.reasons, ok=not monitor.troubles)


@require_safe
@login_not_required
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 when this process can serve pages: its database answers, its clock is not far off; else 503.

    Of the other processes it says nothing: a load balancer that took every web process away because
    beat is gone would take away the pages that say so.
    """
    missing = [] if reads.database_answers() else ["database"]
    if own_clock.OWN.far_off:
        missing.append("clock")
    return _plain(*(missing or ["ok"]), ok=not missing)


def _plain(*lines: str, ok: bool) -> HttpResponse:
    return HttpResponse(
        "".join(f"{line}\n" for line in lines),
        content_type="text/plain",
        status=200 if ok else 503,
        headers={"Cache-Control": "no-store"},
    )


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to who shows METRICS_TOKEN as a bearer token (else 401).

    Without a token only to this machine (else 403).
    """
    if settings.METRICS_TOKEN:
        token = request.headers.get("Authorization", "")
        if not compare_digest(token.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
            return HttpResponse(
                "METRICS_TOKEN is set: show it as a bearer token.\n",
                content_type="text/plain",
                status=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
    elif not _is_of_this_machine(request):
        return HttpResponse(
            "Set METRICS_TOKEN to read this from another machine, and show it as a bearer token.\n",
            content_type="text/plain",
            status=403,
        )
    monitor = reads.look_at_system()
    try:
        groups, clients = live.all_live(), enterprise.clients().per_user
    except DatabaseError:
        groups, clients = (), 1
    return HttpResponse(exposition(monitor, groups, clients), content_type=CONTENT_TYPE_LATEST)


def _is_of_this_machine(request: HttpRequest) -> bool:
    """Return whether a process of this machine asks, and not for somebody behind a proxy."""
    if FORWARDED in request.META:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
