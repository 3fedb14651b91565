"""``/metrics``: the monitor's figures for Prometheus, named by its conventions."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from redundancy.monitor.reads import Beat, Monitor, Queue
from redundancy.selectors.live import GroupLive


def exposition(monitor: Monitor, groups: Sequence[GroupLive], clients: int = 1) -> bytes:
    """Return all metrics in the text format of Prometheus; ``clients``: how many each user has."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Measured([*_of_system(monitor), *_of_nodes(monitor, groups, clients)]))
    return generate_latest(registry)


class _Measured(Collector):
    """Metrics of what was measured before the registry asks."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield from self._metrics


def _gauge(name: str, text: str, value: float | None) -> Iterator[Metric]:
    """Yield one gauge; nothing when there is no value."""
    if value is not None:
        yield GaugeMetricFamily(name, text, value=value)


def _gauges(
    name: str,
    text: str,
    labels: Sequence[str],
    samples: Iterable[tuple[Sequence[str], float | None]],
) -> Metric:
    """Return gauges of one name: their labels' values, and their own; those of no value left out."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family


def _of_system(monitor: Monitor) -> Iterator[Metric]:
    yield from _gauge("srm_healthy", "1 when nothing is in trouble.", float(not monitor.troubles))
    database_up, bus_up = (float(ms is not None) for ms in (monitor.database_ms, monitor.bus_ms))
    yield from _gauge("srm_database_up", "1 when the database answers.", database_up)
    yield from _gauge("srm_bus_up", "1 when the heartbeat bus answers.", bus_up)
    if monitor.beat is not None:
        yield from _of_beat(monitor.beat)
    if len(monitor.shards) > 1:
        numbered = [([str(number)], beat) for number, beat in enumerate(monitor.shards, 1)]
        yield _gauges(
            "srm_shard_last_sweep_age_seconds",
            "Since the last sweep of the shard.",
            ["shard"],
            ((labels, beat.age) for labels, beat in numbered),
        )
        yield _gauges(
            "srm_shard_works",
            "1 when nothing is wrong with the sweeps of the shard.",
            ["shard"],
            ((labels, float(not beat.trouble)) for labels, beat in numbered),
        )
    yield from _of_queues(monitor.queues)
    yield _gauges(
        "srm_process_works",
        "1 when nothing is wrong with the worker or beat.",
        ["process", "role"],
        (([p.name, p.role], float(not (p.trouble or p.warning))) for p in monitor.processes),
    )
    age, breaches = monitor.audit_age, float(len(monitor.breaches))
    yield from _gauge("srm_audit_age_seconds", "Since the last audit of the invariants.", age)
    yield from _gauge("srm_audit_breaches", "Breaches the last audit found.", breaches)
    yield from _gauge("srm_lab_clock_rate", "Lab seconds a wall second.", monitor.rate)


def _of_beat(beat: Beat) -> Iterator[Metric]:
    yield from _gauge("srm_last_sweep_age_seconds", "Since the last sweep.", beat.age)
    late, took = (beat.late_p50, beat.late_p99), (beat.took_p50, beat.took_p99)
    for name, text, values in (
        ("srm_sweep_lateness_seconds", "Begin of a sweep behind its tick.", late),
        ("srm_sweep_duration_seconds", "How long a sweep took.", took),
    ):
        samples = zip([["0.5"], ["0.99"]], values, strict=True)
        yield _gauges(name, text, ["quantile"], samples)
    yield from _gauge("srm_sweeps_seen", "Sweeps that the figures are of.", beat.sweeps)
    yield from _gauge("srm_sweeps_missed", "Ticks among them without a sweep.", beat.missed)
    yield from _gauge("srm_sweeps_doubled", "Sweeps among them right after another.", beat.doubled)


def _of_queues(queues: Sequence[Queue]) -> Iterator[Metric]:
    figures: tuple[tuple[str, str, Callable[[Queue], float | None]], ...] = (
        ("celery_queue_messages", "Messages that wait.", lambda q: q.depth),
        ("celery_queue_oldest_message_age_seconds", "Age of the oldest message.", lambda q: q.oldest or 0.0),
        ("celery_canary_age_seconds", "Since a canary task last ran.", lambda q: q.canary_age),
        ("celery_canary_latency_seconds", "How long the last canary waited.", lambda q: q.canary_took),
    )  # fmt: skip
    for name, text, value in figures:
        yield _gauges(name, text, ["queue"], (([q.name], value(q)) for q in queues))


def _of_nodes(monitor: Monitor, groups: Sequence[GroupLive], clients: int) -> Iterator[Metric]:
    yield _gauges(
        "srm_heartbeat_age_seconds",
        "Lab seconds since the node last heard its peer.",
        ["group", "node"],
        (([ear.group, ear.node], ear.age) for ear in monitor.ears),
    )
    rows = [(group.name, row) for group in groups for row in group.rows]
    yield _gauges(
        "srm_node_state",
        "1 for the state that is shown.",
        ["group", "node", "state", "reason"],
        (([group, row.name, row.state, row.reason], 1) for group, row in rows),
    )
    yield _gauges(
        "srm_node_sessions",
        "Sessions on the node: one for each client of its users.",
        ["group", "node", "login"],
        (
            ([group, row.name, login], getattr(row.presence, login) * clients)
            for group, row in rows
            for login in ("active", "waiting")
        ),
    )
    yield _gauges(
        "srm_group_ha_enabled",
        "1 when High Availability is on.",
        ["group"],
        (([group.name], float(group.ha_enabled)) for group in groups),
    )
