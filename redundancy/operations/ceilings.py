"""Keep how many logins a second played clients found this installation to carry."""

from django.db import connection, transaction
from django.utils import timezone

from redundancy.models import LoginCeiling

# Runs kept: the best of them is shown, and a machine is not what it was for ever.
KEPT = 20


def keep_ceiling(*, rate: float, seconds: int, clients: int, connections: int) -> LoginCeiling:
    """Keep what a run measured; of older runs only the newest stay."""
    with transaction.atomic():
        kept = LoginCeiling.objects.create(
            measured_at=timezone.now(),
            rate=rate,
            seconds=seconds,
            clients=clients,
            connections=connections,
            database=connection.display_name,
        )
        newest = LoginCeiling.objects.values_list("pk", flat=True)[:KEPT]
        LoginCeiling.objects.exclude(pk__in=list(newest)).delete()
    return kept
