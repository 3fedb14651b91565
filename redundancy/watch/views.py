"""*Bulk Administration > Watched Cluster*: a real cluster as it was last seen, read only, and how long ago that was."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_http_methods, require_safe

from redundancy.cluster.document import Unusable
from redundancy.cluster.explaining import Explained
from redundancy.cluster.views.shown import Cell, Group, shown
from redundancy.models import ClusterSnapshot
from redundancy.permissions import writers_only
from redundancy.selectors.wording import UNSEEN
from redundancy.srm.words import duration, say, together
from redundancy.times import wall_time
from redundancy.views.chrome import Link
from redundancy.views.confirm import Confirmation, ask, go_to
from redundancy.views.polls import Region, answer
from redundancy.watch import reads, writes
from redundancy.watch.reads import Standing

TITLE = say("Watched Cluster")


@dataclass(frozen=True, slots=True)
class Head:
    """How a watch stands, in words. ``tone``: none where all is told below: that it was seen says nothing good of it."""

    pk: int
    name: str
    source: str
    tone: str
    words: str
    seen: str
    interval: str
    failure: str
    unverified: bool
    snapshot: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """What the last snapshot of a watch tells. ``error``: why it cannot be shown."""

    head: Head
    snapshot: ClusterSnapshot | None
    groups: tuple[Group, ...] = ()
    found: int = 0
    error: str = ""


@require_safe
def cluster_watch(request: HttpRequest) -> HttpResponse:
    """Show every watch with its groups; with ``fragment`` the region alone, or 204 while it is the same."""
    standings = reads.standings(timezone.now())
    heads = [head(standing) for standing in standings]
    # What is told follows from the snapshot and from whether it is fresh: it is unpacked only where it is rendered.
    watches = SimpleLazyObject(lambda: [told(*each) for each in zip(standings, heads, strict=True)])
    content: Mapping[str, object] = {
        "heads": heads,
        "changed": [[each.pk, each.tone, each.snapshot] for each in heads],
    }
    region = Region(
        "watch/_live.html",
        content=content,
        aside={"watches": watches},
        announcement=together(say("{name}: {words}", name=h.name, words=h.words) for h in heads),
        announced_with="changed",
        real=True,
    )
    if "fragment" in request.GET:
        return answer(request, region)
    context: dict[str, Any] = {
        **region.context,
        "title": TITLE,
        "real": True,
        "related_links": [Link(say("Cluster Snapshots"), reverse("cluster_snapshots"))],
    }
    return render(request, "watch/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@writers_only
def cluster_watch_forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask before a watch is forgotten (GET); do it (POST)."""
    row = get_object_or_404(reads.watches(), pk=pk)
    back = reverse("cluster_watch")
    if request.method == "POST":
        writes.forget(row=row, actor=request.user.get_username())
        messages.success(request, str(say("Update successful")))
        return go_to(request, back)
    return ask(
        request,
        Confirmation(
            title=say("Forget Watched Cluster"),
            action=request.path,
            cancel=back,
            submit=say("Forget"),
            question=say("Forget {cluster}?", cluster=str(row)),
            effects=(
                say("Its snapshots stay, in Cluster Snapshots."),
                say("If its settings still name it, the next look shows it again."),
            ),
        ),
    )


def head(standing: Standing) -> Head:
    """Return how a watch stands, in words."""
    row = standing.row
    if row.seen_at is None:
        tone, words = UNSEEN, say("never seen: nothing is known of it")
    elif standing.age is None:
        tone, words = UNSEEN, say("not known: it was last seen later than now, so a clock is wrong")
    else:
        age = reads.age_in_words(standing.age)
        tone = "" if standing.fresh else UNSEEN
        fresh, stale = (
            say("seen {age} ago", age=age),
            say("not known: last seen {age} ago", age=age),
        )
        words = fresh if standing.fresh else stale
    failure = ""
    if row.failing_since is not None:
        moment = wall_time(row.failing_since)
        failure = say(
            "The looks fail since {moment} (wall time): {why}", moment=moment, why=row.failure
        )
        tone = UNSEEN if tone == UNSEEN else "warn"
    return Head(
        pk=row.pk,
        name=row.name,
        source=row.source,
        tone=tone,
        words=words,
        seen="" if row.seen_at is None else wall_time(row.seen_at),
        interval=_interval(row.minutes),
        failure=failure,
        unverified=not row.verified,
        snapshot=row.snapshot_id,
    )


def _interval(minutes: float) -> str:
    if not minutes:
        return say("only when somebody asks for it")
    return say("each {time}", time=duration(minutes * 60))


def told(standing: Standing, its: Head) -> Told:
    """Return what is shown of the last snapshot; as last seen, where it is not fresh any more."""
    row = standing.told
    if row is None:
        return Told(its, None)
    try:
        face = shown(row)
    except Unusable as unusable:
        why = say("This snapshot cannot be shown: {why}", why=str(unusable))
        return Told(its, row, error=why)
    groups = tuple(_group(each, fresh=standing.fresh) for each in face.groups)
    return Told(its, row, groups, face.found)


def _group(group: Group, *, fresh: bool) -> Group:
    """Return a group without its answers about restarts, which are for the page of the snapshot.

    Where it is not ``fresh`` its states are those last seen, in the tone of that, and nothing is concluded from them.
    """
    if fresh:
        return replace(group, judged=())
    old = group.explained
    untold = (say("How the group is now: it was not seen for too long."),)
    nothing = Explained(old.group, old.pair, None, "", "", (), (), untold)
    states = tuple((node, _old(state), _old(reason)) for node, state, reason in group.states)
    return Group(nothing, _old(group.ha), states, ())


def _old(cell: Cell) -> Cell:
    return cell if cell.value is None else Cell(cell.value, UNSEEN, word=True)
