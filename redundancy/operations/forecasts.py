"""Keep what was forecast, so that it can be compared with what came."""

from redundancy.models import Forecast, HaEvent, RedundancyGroup
from redundancy.selectors.forecast import Expected


def remember(event: HaEvent, group: RedundancyGroup, expected: Expected) -> None:
    """Keep ``expected`` with the event of the request, if anybody moves."""
    if not expected.moved:
        return
    Forecast.objects.create(
        event=event,
        group=group,
        moved=expected.moved,
        clients_per_user=expected.per_user,
        disconnected=expected.disconnected,
        peak=expected.peak,
        until_50=expected.until(50),
        until_95=expected.until(95),
        until_100=expected.until(100),
    )
