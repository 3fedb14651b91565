"""The first page: how to begin, and once that is done how everything is."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from redundancy.alarms import reads as alarms
from redundancy.operations.sample import DEPLOYMENTS
from redundancy.selectors import cluster, live, observing
from redundancy.selectors.cluster import Outline
from redundancy.selectors.live import GroupLive
from redundancy.selectors.observing import ObserverView
from redundancy.selectors.progress import tour_progress
from redundancy.selectors.stamp import holds_until
from redundancy.selectors.wording import URGENCY
from redundancy.srm.words import say
from redundancy.views.home import first_steps
from redundancy.views.polls import Region, poll

# Groups that are told one by one, those first that need somebody.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A group in a line. ``since``: lab seconds of the last change of a state; None while HA is off."""

    live: GroupLive
    since: float | None


@dataclass(frozen=True, slots=True)
class Overview:
    """How everything is.

    ``calm``: all is well with every group; ``needing``: how many groups need somebody; ``more``: how many groups are not told one by one;
    ``alarms``: how many hold.
    """

    groups: tuple[GroupSummary, ...]
    count: int
    calm: bool
    needing: int
    more: int
    alarms: int


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show how to begin; once every step is done how everything is, refreshed with ``fragment``."""
    if "fragment" in request.GET:
        return poll(request, _region)
    now = tour_progress()
    steps = first_steps(now)
    done = all(step.done for step in steps)
    context = {
        "title": say("Overview") if done else say("How to Begin"),
        "steps": steps,
        "done": done,
        "empty": now.empty,
        "deployments": DEPLOYMENTS,
        **(_region(observing.observer()).context if done else {}),
    }
    return render(request, "home.html", context)


def _region(watch: ObserverView) -> Region:
    return Region(
        "_overview.html",
        content={"observer": watch, "overview": look(seeing=watch.ok)},
        until=holds_until,
    )


def look(*, seeing: bool) -> Overview:
    """Return how everything is, in a constant number of queries. ``seeing``: whether sweeps run."""
    seen = cluster.survey(seeing=seeing).outlines
    groups = {each.group_id: _tone(each) for each in seen if each.group_id is not None}
    ordered = sorted(groups, key=lambda pk: URGENCY.index(groups[pk]))
    shown = ordered[:SHOWN]
    told = live.live_of(shown, seeing=seeing)
    summaries = [_summary(told[pk]) for pk in shown if pk in told]
    tones = groups.values()
    return Overview(
        groups=tuple(summaries),
        count=len(groups),
        calm=set(tones) <= {"ok"} and all(each.live.calm for each in summaries),
        needing=sum(tone in {"bad", "warn"} for tone in tones),
        more=len(ordered) - len(shown),
        alarms=alarms.holding_now().count(),
    )


def _tone(group: Outline) -> str:
    return min({node.tone for node in group.nodes} or {"off"}, key=URGENCY.index)


def _summary(group: GroupLive) -> GroupSummary:
    since = max((row.since for row in group.rows), default=0.0)
    return GroupSummary(group, since if group.ha_enabled and since else None)
