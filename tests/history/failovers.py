"""A failover and the way back, and the report of the incident."""

from redundancy.clock import lab_now
from redundancy.history.reads.incident_report import Report, report
from redundancy.models import (
    Incident,
)
from redundancy.operations import actions, services
from tests.live.conftest import pair as pair
from tests.live.pair import ROUTER, Pair, server


def told() -> Report:
    return report(Incident.objects.get(), lab_now())


def service_failover(pair: Pair, *, down: int = 100) -> None:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(down)
    assert pair.states()[1] == "Running in Backup Mode"


def fall_back(pair: Pair) -> None:
    services.start_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(5)
    actions.request_fallback(node=server("imp-pub"), serial=None, actor="bob")
    pair.run(30)
    assert pair.states() == ("Normal", "Normal")
