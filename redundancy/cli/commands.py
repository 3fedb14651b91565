"""What each command does: it asks selectors, and operations to change something."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic, sleep

from django.db import DatabaseError

from redundancy.catalog import SRM
from redundancy.cli import output, parser
from redundancy.cli.grammar import COMMANDS, Kind
from redundancy.cli.sql import parse_select
from redundancy.errors import Refused
from redundancy.models import RedundancyGroup, Server
from redundancy.operations import actions, power, services
from redundancy.selectors import groups, live, nodes, relations
from redundancy.selectors.find import Criterion
from redundancy.selectors.servers import find_servers, publisher
from redundancy.selectors.services import services_of

# Real seconds to wait for SRM to take a request up: a few sweeps.
_TAKE_UP = 4.0
_LOOK_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a command.

    ``actor``: who gave it. ``warn``: takes what is worth knowing but no part of the output.
    ``confirm``: asks whether to go on all the same.
    """

    values: dict[Kind, str]
    actor: str
    warn: Callable[[str], None]
    confirm: Callable[[], bool]

    @property
    def node(self) -> Server:
        """The node that was named."""
        name = self.values[Kind.NODE]
        found = nodes.nodes().select_related("group").filter(name__iexact=name).first()
        if found is None:
            raise Refused(f"There is no IM and Presence node {name[:60]!r}.")
        return found

    @property
    def node_or_publisher(self) -> Server:
        """The node that was named, or else the publisher."""
        if Kind.NODE in self.values:
            return self.node
        found = publisher()
        if found is None:
            raise Refused("There is no IM and Presence node yet.")
        return found

    @property
    def group(self) -> RedundancyGroup:
        """The group that was named."""
        name = self.values[Kind.GROUP]
        found = groups.find_groups([Criterion("name", "exactly", name)]).first()
        if found is None:
            raise Refused(f"There is no presence redundancy group {name[:60]!r}.")
        return found


def run(
    line: str,
    *,
    actor: str,
    warn: Callable[[str], None],
    confirm: Callable[[], bool] = lambda: True,
) -> Iterator[str]:
    """Carry one command line out and give its output line by line.

    Args:
        line: What was entered.
        actor: Who entered it.
        warn: Takes what is worth knowing but no part of the output.
        confirm: Asks, after a caution, whether to go on. Without it nobody is asked.

    Raises:
        Refused: There is no such command, or it cannot be done.

    """
    if parser.wants_help(line):
        yield from parser.explain(line).splitlines()
        return
    parsed = parser.parse(line)
    yield from _COMMANDS[parsed.command.name](Call(parsed.values, actor, warn, confirm))


def names(kind: Kind) -> Iterable[str]:
    """Return the existing nodes or groups, for completion; nothing while they cannot be read."""
    with suppress(DatabaseError):
        if kind is Kind.NODE:
            return list(nodes.nodes().values_list("name", flat=True))
        if kind is Kind.GROUP:
            return list(groups.find_groups().values_list("name", flat=True))
    return ()


def _run_sql(call: Call) -> Iterator[str]:
    select = parse_select(call.values[Kind.SELECT], relations.RELATIONS, relations.quote())
    try:
        result = relations.read(select.sql, select.relations)
    except DatabaseError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refused(f"run sql: the database says: {reason}") from None
    yield from output.table(result.columns, result.rows)


def _show_cluster(_call: Call) -> Iterator[str]:
    yield from output.cluster(find_servers().select_related("group", "machine"))


def _ha_status(call: Call) -> Iterator[str]:
    found = [live.group_live(call.group.pk)] if Kind.GROUP in call.values else live.all_live()
    if not found:
        raise Refused("There is no presence redundancy group yet.")
    for number, group in enumerate(found):
        if number:
            yield ""
        yield from output.ha_status(group)
    _warn_if_blind(call)


def _ha_failover(call: Call) -> Iterator[str]:
    node = call.node
    actions.request_failover(node=node, serial=None, actor=call.actor)
    return _after_request(call, "Manual Failover", "Node", node.name, node.group)


def _ha_fallback(call: Call) -> Iterator[str]:
    node = call.node
    actions.request_fallback(node=node, serial=None, actor=call.actor)
    return _after_request(call, "Manual Fallback", "Node", node.name, node.group)


def _ha_recover(call: Call) -> Iterator[str]:
    group = call.group
    actions.request_recover(group=group, actor=call.actor)
    return _after_request(call, "Manual Recover", "Subcluster", group.name, group)


def _after_request(
    call: Call, what: str, of: str, name: str, group: RedundancyGroup | None
) -> Iterator[str]:
    assert group is not None  # a request for a node without a group is refused
    before = live.group_live(group.pk)
    yield from output.requested(what, of, name)
    yield from output.ha_status(_taken_up(before))
    _warn_if_blind(call)


def _taken_up(before: live.GroupLive) -> live.GroupLive:
    """Return the group as soon as SRM has changed a state; as it is when that takes too long."""
    if not live.observer().ok:
        return before
    serials = [row.serial for row in before.rows]
    deadline = monotonic() + _TAKE_UP
    now = before
    while monotonic() < deadline:
        now = live.group_live(before.group_id)
        if [row.serial for row in now.rows] != serials:
            break
        sleep(_LOOK_EVERY)
    return now


def _warn_if_blind(call: Call) -> None:
    if sentence := live.observer().sentence:
        call.warn(sentence)


def _service_list(call: Call) -> Iterator[str]:
    node = call.node_or_publisher
    yield from output.services(node, services_of(node))


def _service(
    operation: Callable[..., None], *, takes_away: bool = True
) -> Callable[[Call], Iterator[str]]:
    def do(call: Call) -> Iterator[str]:
        node, name = call.node_or_publisher, call.values[Kind.SERVICE]
        if takes_away:
            _caution(call, node, name)
        operation(server=node, name=name, actor=call.actor)
        rows = [row for row in services_of(node) if row.name == name]
        yield from output.services(node, rows)

    return do


def _system(what: str, operation: Callable[..., None]) -> Callable[[Call], Iterator[str]]:
    def do(call: Call) -> Iterator[str]:
        node = call.node
        _caution(call, node)
        operation(server=node, actor=call.actor)
        yield from output.requested(f"System {what}", "Node", node.name)

    return do


def _power_on(call: Call) -> Iterator[str]:
    node = call.node
    if power.power_on(server=node, actor=call.actor):
        yield from output.requested("System Power On", "Node", node.name)
    else:
        yield f"{node.name} is on already; nothing was done."


def _caution(call: Call, node: Server, service: str = "") -> None:
    """Say what SRM will take it for that something is taken away from a node while HA is on."""
    group = node.group
    if group is None or not group.ha_enabled or not node.machine.powered:
        return
    watched = {row.name for row in services_of(node) if row.monitored} | {SRM}
    if service and service not in watched:
        return
    call.warn(
        f"Caution: High Availability of {group.name} is on. Its SRM cannot tell planned work from a"
        " failure and may fail users over. Disable High Availability first."
    )
    if not call.confirm():
        raise Refused("Nothing was done.")


_COMMANDS: dict[str, Callable[[Call], Iterator[str]]] = {
    "run sql": _run_sql,
    "show network cluster": _show_cluster,
    "utils ha failover": _ha_failover,
    "utils ha fallback": _ha_fallback,
    "utils ha recover": _ha_recover,
    "utils ha status": _ha_status,
    "utils service list": _service_list,
    "utils service restart": _service(services.restart_service),
    "utils service start": _service(services.start_service, takes_away=False),
    "utils service stop": _service(services.stop_service),
    "utils system poweron": _power_on,
    "utils system restart": _system("Restart", power.reboot),
    "utils system shutdown": _system("Shutdown", power.shut_down),
}
assert set(_COMMANDS) == {command.name for command in COMMANDS}
