"""What became of what an administrator asked of SRM: told where it was asked, on each page alike."""

from collections.abc import Collection, Iterable

from django.db.models import Q

from redundancy.models import EventKind, HaEvent, MessageKind, SrmMessage

REQUESTS = (MessageKind.FAILOVER, MessageKind.FALLBACK, MessageKind.RECOVER)


def outcome(events: Iterable[HaEvent]) -> str | None:
    """Return what ``events`` tell of a request: its refusal, "" when SRM went to work, else None."""
    went_to_work = None
    for event in events:
        if event.refused:
            return event.sentence
        if event.kind == EventKind.STATE:
            went_to_work = ""
    return went_to_work


def outcome_in(group_ids: Collection[int], last: int) -> str | None:
    """Return the outcome of requests to these groups after the event ``last``, as ``outcome`` does.

    Of several groups one may go to work while another has not answered yet: then it is still None.
    """
    events = HaEvent.objects.filter(pk__gt=last, group__in=group_ids).order_by("pk")
    answer = outcome(events.filter(Q(refused=True) | Q(kind=EventKind.STATE)))
    asked = SrmMessage.objects.filter(node__group__in=group_ids, kind__in=REQUESTS)
    if answer == "" and asked.exists():
        return None
    return answer
