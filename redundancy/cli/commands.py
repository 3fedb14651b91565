"""The commands: what each does, by selectors and operations, and the table of all of them."""

from collections.abc import Callable, Iterator
from time import monotonic, sleep

from django.db import DatabaseError

from redundancy.cli import output
from redundancy.cli.grammar import Call, Command, Do, Kind
from redundancy.cli.sql import parse_select
from redundancy.errors import Refused
from redundancy.models import RedundancyGroup
from redundancy.operations import actions, power
from redundancy.operations.acts import NODE_ACTS, SERVICE_ACTS, Act, Caution, caution
from redundancy.selectors import live, relations
from redundancy.selectors.servers import find_servers
from redundancy.selectors.services import services_of

# Real seconds to wait for SRM to take a request up: a few sweeps.
_TAKE_UP = 4.0
_LOOK_EVERY = 0.2


def _run_sql(call: Call) -> Iterator[str]:
    select = parse_select(call.values[Kind.SELECT], relations.RELATIONS, relations.quote())
    try:
        result = relations.run_select(select.sql, select.relations)
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


def _ha_request(what: str, request: Callable[..., None]) -> Do:
    def do(call: Call) -> Iterator[str]:
        node = call.node
        request(node=node, serial=None, actor=call.actor)
        return _after_request(call, what, "Node", node.name, node.group)

    return do


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


def _service(act: Act) -> Do:
    def do(call: Call) -> Iterator[str]:
        node, name = call.node_or_publisher, call.values[Kind.SERVICE]
        row = next((row for row in services_of(node) if row.name == name), None)
        _confirm(call, caution(act, node, row))
        act.run(server=node, name=name, actor=call.actor)
        rows = [row for row in services_of(node) if row.name == name]
        yield from output.services(node, rows)

    return do


def _system(what: str, act: Act) -> Do:
    def do(call: Call) -> Iterator[str]:
        node = call.node
        _confirm(call, caution(act, node, None))
        act.run(server=node, actor=call.actor)
        yield from output.requested(f"System {what}", "Node", node.name)

    return do


def _power_on(call: Call) -> Iterator[str]:
    node = call.node
    if power.power_on(server=node, actor=call.actor):
        yield from output.requested("System Power On", "Node", node.name)
    else:
        yield f"{node.name} is on already; nothing was done."


def _confirm(call: Call, caution: Caution | None) -> None:
    """Have ``caution`` confirmed, or refuse; in the words of a command line."""
    if caution is None:
        return
    call.warn(
        f"Caution: High Availability of {caution.group} is on. Its SRM cannot tell planned work from a"
        " failure and may fail users over. Disable High Availability first."
    )
    if not call.confirm():
        raise Refused("Nothing was done.")


# By their words, as the help lists them.
COMMANDS: tuple[Command, ...] = (
    Command("run sql <select ...>", "ask the cluster's tables, read-only", _run_sql),
    Command("show network cluster", "list the servers of the cluster", _show_cluster),
    Command(
        "utils ha failover <node>",
        "move the users of a node to its peer",
        _ha_request("Manual Failover", actions.request_failover),
    ),
    Command(
        "utils ha fallback <node>",
        "move the users of a node back to it",
        _ha_request("Manual Fallback", actions.request_fallback),
    ),
    Command("utils ha recover <group>", "restart SRM on both nodes of a failed group", _ha_recover),
    Command(
        "utils ha status [group]", "show the state of the nodes of a group, or of all", _ha_status
    ),
    Command("utils service list [node]", "show the services of a node", _service_list),
    Command(
        "utils service restart <service> [node]",
        "restart a service of a node",
        _service(SERVICE_ACTS["restart"]),
    ),
    Command(
        "utils service start <service> [node]",
        "start a service of a node",
        _service(SERVICE_ACTS["start"]),
    ),
    Command(
        "utils service stop <service> [node]",
        "stop a service of a node",
        _service(SERVICE_ACTS["stop"]),
    ),
    Command("utils system poweron <node>", "switch a node on", _power_on),
    Command(
        "utils system restart <node>", "restart a node", _system("Restart", NODE_ACTS["reboot"])
    ),
    Command(
        "utils system shutdown <node>",
        "shut a node down",
        _system("Shutdown", NODE_ACTS["shut_down"]),
    ),
)
