"""Raise, change and clear alarms by the states of the nodes; acknowledge them; keep notices for channels."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from redundancy.alarms import addresses
from redundancy.alarms.reads import AlarmCondition, conditions, crowded, open_alarms
from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import Alarm, AlarmChannel, AlarmNotice, EventKind, RedundancyGroup
from redundancy.operations import events, locks
from redundancy.srm.words import duration, english, mark, say, say_count

# Wall seconds to the next try after so many failed ones: doubled each time, an hour at most.
FIRST_RETRY, LONGEST_RETRY = 30, 3600
# After these many tries, about a day, a notice is given up.
TRIES = 30
# Wall seconds for which a try that is under way holds its notice.
LEASE = 120


def reconcile() -> int:
    """Bring the alarms of the lab in line with its nodes; return how many changed.

    By what is the case, not by what happened: done twice, or late, it comes to the same.
    """
    with transaction.atomic():
        locks.one_administrator()
        now = lab_now()
        return bring_in_line((*conditions(), *crowded(now)), now=now)


def bring_in_line(
    holding: Iterable[AlarmCondition],
    *,
    now: float,
    real: bool = False,
    untold: Callable[[Alarm], bool] = lambda _: False,
) -> int:
    """Raise, change and clear alarms of the lab, or of ``real`` clusters, so that those of ``holding`` are open.

    For who holds `locks.one_administrator`. ``now``: lab seconds. ``untold``: whether nobody knows if an open alarm
    still holds; it stays as it is. Return how many changed.
    """
    holds = {(each.kind.value, each.subject): each for each in holding}
    changes: list[tuple[Alarm, str]] = []
    for alarm in open_alarms(real=real):
        condition = holds.pop((alarm.kind, alarm.subject), None)
        if condition is None and not untold(alarm):
            alarm.cleared_at = now
            changes.append((alarm, _cleared(alarm, now)))
        elif condition and condition.settled and condition.sentence != alarm.sentence:
            alarm.sentence = condition.sentence
            alarm.changes += 1
            changes.append((alarm, f"Changed: {english(alarm.sentence)}"))
    for alarm, _ in changes:
        alarm.save(update_fields=["sentence", "changes", "cleared_at"])
    for condition in holds.values():
        alarm = _raise(condition, now)
        changes.append((alarm, f"Raised: {english(alarm.sentence)}"))
    _notify(changes)
    return len(changes)


def tell_once(condition: AlarmCondition, *, text: str, now: float) -> Alarm:
    """Tell the channels something that does not last; ``text``: what they are told. Nobody has to acknowledge it.

    For who holds `locks.one_administrator`. ``now``: lab seconds.
    """
    alarm = _raise(condition, now)
    alarm.cleared_at, alarm.acknowledged_at = now, timezone.now()
    alarm.save(update_fields=["cleared_at", "acknowledged_at"])
    _notify([(alarm, text)])
    return alarm


def _notify(changes: Sequence[tuple[Alarm, str]]) -> None:
    AlarmNotice.objects.bulk_create(
        AlarmNotice(alarm=alarm, channel=channel, text=text)
        # Without the address, which would be decrypted for nothing.
        for channel in AlarmChannel.objects.filter(enabled=True).defer("url")
        for alarm, text in changes
    )


def _cleared(alarm: Alarm, now: float) -> str:
    was = english(alarm.sentence)
    if alarm.cluster:
        # Lab time is nothing to a real cluster, and may have run at several rates meanwhile.
        return f"Cleared. It was: {was}"
    return f"Cleared after {duration(now - alarm.raised_at)} (lab time). It was: {was}"


def acknowledge(*, pks: Collection[int], actor: str) -> int:
    """Let these alarms not be shown on every page any more; return how many there were."""
    with transaction.atomic():
        count = Alarm.objects.filter(pk__in=pks, acknowledged_at=None).update(
            acknowledged_at=timezone.now(), acknowledged_by=actor
        )
        if count:
            sentence = say_count(
                "{count} alarm was acknowledged.", "{count:,} alarms were acknowledged.", count
            )
            events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)
    return count


def save_channel(
    *, channel: AlarmChannel | None, name: str, url: str, enabled: bool, actor: str
) -> AlarmChannel:
    """Add or change a channel and return it.

    ``url``: an address in the notation of Apprise; empty to keep that of ``channel``.
    """
    name, url = name.strip(), url.strip()
    if not name:
        raise Refused(say("Name is required."), field="name")
    if not url and channel is not None:
        url = AlarmChannel.objects.get(pk=channel.pk).url
    if problem := addresses.problem_of(url):
        raise Refused(problem, field="url")
    with transaction.atomic():
        locks.one_administrator()
        saved = channel or AlarmChannel()
        saved.name, saved.url, saved.enabled = name, url, enabled
        others = AlarmChannel.objects.exclude(pk=channel.pk if channel else 0)
        if others.filter(name__iexact=name).exists():
            raise Refused(say("A channel named {name} exists already.", name=name), field="name")
        saved.save()
        changed = mark("Alarm channel {channel} was changed.")
        added = mark("Alarm channel {channel} was added.")
        # Without the address, which may hold a password.
        sentence = say(changed if channel else added, channel=name)
        events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)
    return saved


def delete_channels(*, rows: Iterable[AlarmChannel], actor: str) -> None:
    """Delete channels, with what they were not told yet."""
    with transaction.atomic():
        for channel in rows:
            sentence = say("Alarm channel {channel} was deleted.", channel=channel.name)
            events.record(kind=EventKind.ADMIN, sentence=sentence, actor=actor)
            channel.delete()


def _waiting(now: datetime) -> QuerySet[AlarmNotice]:
    return AlarmNotice.objects.filter(
        delivered_at=None, given_up=False, due_at__lte=now, channel__enabled=True
    )


def channels_due(now: datetime) -> list[int]:
    """Return the keys of the channels with a notice whose time (wall) has come, the longest due first."""
    due = _waiting(now).values("channel").annotate(since=Min("due_at")).order_by("since")
    return [row["channel"] for row in due]


def claim(now: datetime, channel: int) -> AlarmNotice | None:
    """Return the next notice of a channel whose time (wall) has come, held for a while; None when none is due."""
    waiting = _waiting(now).filter(channel=channel).select_related("alarm", "channel")
    for notice in waiting.order_by("due_at", "pk")[:10]:
        held = AlarmNotice.objects.filter(pk=notice.pk, due_at=notice.due_at)
        # Another worker may have claimed it since the look.
        if held.update(due_at=now + timedelta(seconds=LEASE), tries=notice.tries + 1):
            notice.tries += 1
            return notice
    return None


def note_delivery(notice: AlarmNotice, now: datetime) -> None:
    """Note that the channel was told, at wall time ``now``."""
    AlarmNotice.objects.filter(pk=notice.pk).update(delivered_at=now)
    AlarmChannel.objects.filter(pk=notice.channel_id).update(last_success=now)


def note_failure(notice: AlarmNotice, error: str, now: datetime) -> None:
    """Note why the channel could not be told at wall time ``now``; it is tried again later."""
    wait = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(notice.tries - 1, 10))
    AlarmNotice.objects.filter(pk=notice.pk).update(
        due_at=now + timedelta(seconds=wait), given_up=notice.tries >= TRIES
    )
    AlarmChannel.objects.filter(pk=notice.channel_id).update(last_failure=now, last_error=error)


def _raise(condition: AlarmCondition, now: float) -> Alarm:
    # A node need not be in a group, and the group may have been deleted since it was looked at.
    group = RedundancyGroup.objects.filter(pk__in=[condition.group]).first()
    return Alarm.objects.create(
        kind=condition.kind,
        subject=condition.subject,
        group=group,
        cluster=condition.cluster,
        group_name=condition.group_name,
        node_name=condition.node_name,
        sentence=condition.sentence,
        raised_at=now,
    )
