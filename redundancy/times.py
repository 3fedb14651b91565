"""Lab time and wall time as people read them."""

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import date_format


def lab_time(moment: float | None) -> str:
    """Return lab seconds as date and time of day in the site's time zone; nothing of None."""
    if moment is None:
        return ""
    local = timezone.localtime(datetime.fromtimestamp(moment, tz=UTC))
    return date_format(local, "Y-m-d H:i:s")


def wall_time(moment: datetime | None = None) -> str:
    """Return a moment of wall time (now, where none is given) as ``lab_time`` does."""
    return lab_time((moment or timezone.now()).timestamp())
