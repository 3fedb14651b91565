"""Lab time as people read it."""

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import date_format


def lab_time(moment: float | None) -> str:
    """Return lab seconds as date and time of day in the site's time zone; nothing of None."""
    if moment is None:
        return ""
    local = timezone.localtime(datetime.fromtimestamp(moment, tz=UTC))
    return date_format(local, "Y-m-d H:i:s")
