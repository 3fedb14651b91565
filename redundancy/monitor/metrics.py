"""``/metrics``: the monitor's figures for Prometheus, named by its conventions."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from redundancy.monitor.reads import Beat, Monitor, Queue
from redundancy.selectors import live


def exposition(monitor: Monitor, groups: tuple[live.GroupLive, ...]) -> bytes:
    """Return all metrics in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told([*_of_system(monitor), *_of_nodes(monitor, groups)]))
    return generate_latest(registry)


class _Told(Collector):
    """Hands over what was measured already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield from self._metrics


def _gauge(name: str, text: str, value: float | None) -> Iterator[Metric]:
    """Yield one gauge; nothing when there is no value."""
    if value is not None:
        yield GaugeMetricFamily(name, text, value=value)


def _of_system(monitor: Monitor) -> Iterator[Metric]:
    yield from _gauge("srm_healthy", "1 when nothing is in trouble.", float(not monitor.troubles))
    yield from _gauge("srm_database_up", "1 when the database answers.", _up(monitor.database_ms))
    yield from _gauge("srm_bus_up", "1 when the heartbeat bus answers.", _up(monitor.bus_ms))
    if monitor.beat is not None:
        yield from _of_beat(monitor.beat)
    yield from _of_queues(monitor.queues)
    yield from _gauge(
        "srm_audit_age_seconds", "Since the last audit of the invariants.", monitor.audit_age
    )
    yield from _gauge(
        "srm_audit_breaches", "Breaches the last audit found.", float(len(monitor.breaches))
    )
    yield from _gauge("srm_lab_clock_rate", "Lab seconds a wall second.", monitor.rate)


def _of_beat(beat: Beat) -> Iterator[Metric]:
    yield from _gauge("srm_last_sweep_age_seconds", "Since the last sweep.", beat.age)
    for name, text, p50, p99 in (
        (
            "srm_sweep_lateness_seconds",
            "Begin of a sweep behind its tick.",
            beat.late_p50,
            beat.late_p99,
        ),
        ("srm_sweep_duration_seconds", "How long a sweep took.", beat.took_p50, beat.took_p99),
    ):
        family = GaugeMetricFamily(name, text, labels=["quantile"])
        family.add_metric(["0.5"], p50)
        family.add_metric(["0.99"], p99)
        yield family
    yield from _gauge("srm_sweeps_seen", "Sweeps that the figures are of.", beat.sweeps)
    yield from _gauge("srm_sweeps_missed", "Ticks among them without a sweep.", beat.missed)
    yield from _gauge("srm_sweeps_doubled", "Sweeps among them right after another.", beat.doubled)


def _of_queues(queues: tuple[Queue, ...]) -> Iterator[Metric]:
    depth = GaugeMetricFamily("celery_queue_messages", "Messages that wait.", labels=["queue"])
    oldest = GaugeMetricFamily(
        "celery_queue_oldest_message_age_seconds", "Age of the oldest message.", labels=["queue"]
    )
    age = GaugeMetricFamily(
        "celery_canary_age_seconds", "Since a canary task last ran.", labels=["queue"]
    )
    took = GaugeMetricFamily(
        "celery_canary_latency_seconds", "How long the last canary waited.", labels=["queue"]
    )
    for queue in queues:
        depth.add_metric([queue.name], queue.depth)
        oldest.add_metric([queue.name], queue.oldest or 0.0)
        if queue.canary_age is not None and queue.canary_took is not None:
            age.add_metric([queue.name], queue.canary_age)
            took.add_metric([queue.name], queue.canary_took)
    yield from (depth, oldest, age, took)


def _of_nodes(monitor: Monitor, groups: tuple[live.GroupLive, ...]) -> Iterator[Metric]:
    heard = GaugeMetricFamily(
        "srm_heartbeat_age_seconds",
        "Lab seconds since the node last heard its peer.",
        labels=["group", "node"],
    )
    for ear in monitor.ears:
        if ear.age is not None:
            heard.add_metric([ear.group, ear.node], ear.age)
    state = GaugeMetricFamily(
        "srm_node_state",
        "1 for the state that is shown.",
        labels=["group", "node", "state", "reason"],
    )
    sessions = GaugeMetricFamily(
        "srm_node_sessions", "Sessions on the node.", labels=["group", "node", "login"]
    )
    enabled = GaugeMetricFamily(
        "srm_group_ha_enabled", "1 when High Availability is on.", labels=["group"]
    )
    for group in groups:
        enabled.add_metric([group.name], float(group.ha_enabled))
        for row in group.rows:
            state.add_metric([group.name, row.name, row.state, row.reason], 1)
            sessions.add_metric([group.name, row.name, "active"], row.presence.active)
            sessions.add_metric([group.name, row.name, "waiting"], row.presence.waiting)
    yield from (heard, state, sessions, enabled)


def _up(took: float | None) -> float:
    return float(took is not None)
