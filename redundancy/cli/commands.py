"""The commands: what each does, by selectors and operations, and the table of all of them."""

from collections.abc import Callable, Iterator
from time import monotonic, sleep

from redundancy.catalog import LOGIN_DATASTORE
from redundancy.cli import conversation, files, output, performance, platform
from redundancy.cli.grammar import Call, Command, Do, Kind
from redundancy.clock import lab_datetime
from redundancy.errors import Refused
from redundancy.models import RedundancyGroup, Server
from redundancy.operations import actions, activation, power
from redundancy.operations import replication as monitor_operations
from redundancy.operations.acts import NODE_ACTS, SERVICE_ACTS, Act, Caution, caution
from redundancy.operations.trial import try_out
from redundancy.selectors import effects, live, nodes, observing, replication
from redundancy.selectors.services import services_of
from redundancy.srm.words import english

# Real seconds to wait for SRM to take a request up: a few sweeps.
_TAKE_UP = 4.0
_LOOK_EVERY = 0.2


def _run_sql(call: Call) -> Iterator[str]:
    return _selected(call, "run sql", None)


def _run_login_sql(call: Call) -> Iterator[str]:
    node = call.running_node
    if not next(row for row in services_of(node) if row.name == LOGIN_DATASTORE).started:
        raise Refused(f"{LOGIN_DATASTORE} does not run on {node.name}.")
    return _selected(call, "run pe sql ttlogin", node.pk)


def _selected(call: Call, command: str, login_node: int | None) -> Iterator[str]:
    # The parser of SQL is large, and the other commands do without it.
    from redundancy.sql.reading import read

    try:
        result = read(call.values[Kind.SELECT], login_node)
    except Refused as refused:
        raise Refused(f"{command}: {refused.rule}") from None
    yield from output.table(result.columns, result.rows)


def _ha_status(call: Call) -> Iterator[str]:
    found = [live.group_live(call.group.pk)] if Kind.GROUP in call.values else live.all_live()
    if not found:
        raise Refused("There is no presence redundancy group yet.")
    for number, group in enumerate(found):
        if number:
            yield ""
        yield from output.ha_status(group, call.session.style)
    _warn_if_blind(call)


def _ha_request(what: str, action: str, request: Callable[..., None]) -> Do:
    def do(call: Call) -> Iterator[str]:
        node, peer = call.node, nodes.peer(call.node)
        if peer is not None and (shut := effects.shut_after(action, node, peer)):
            # What is refused anyway is not asked about.
            try_out(lambda: request(node=node, serial=None, actor=call.actor))
            _ask(call, " ".join(english(sentence) for sentence in shut))
        request(node=node, serial=None, actor=call.actor)
        return _after_request(call, what, node)

    return do


def _ha_recover(call: Call) -> Iterator[str]:
    group = call.group
    actions.request_recover(group=group, actor=call.actor)
    return _after_recover(call, group)


def _after_recover(call: Call, group: RedundancyGroup) -> Iterator[str]:
    _taken_up(live.group_live(group.pk))
    waiting = [
        f"{node.name}: {row.name} is not started yet."
        for node in group.servers.order_by("slot")
        for row in services_of(node)
        if row.monitored and not row.started
    ]
    yield from output.recovered(started=not waiting)
    for sentence in waiting:
        call.warn(sentence)
    _warn_if_blind(call)


def _after_request(call: Call, what: str, node: Server) -> Iterator[str]:
    group = node.group
    assert group is not None  # a request for a node without a group is refused
    before = live.group_live(group.pk)
    yield from output.requested(what, node.name)
    yield from output.ha_status(_taken_up(before), call.session.style)
    _warn_if_blind(call)


def _taken_up(before: live.GroupLive) -> live.GroupLive:
    """Return the group as soon as SRM has changed a state; as it is when that takes too long."""
    if not observing.observer().ok:
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
    if sentence := observing.observer().sentence:
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
        after = next(row for row in services_of(node) if row.name == name)
        yield from output.progress(node, act.key, after, ran=row is not None and row.wanted)

    return do


def _activation(*, on: bool) -> Do:
    def do(call: Call) -> Iterator[str]:
        node, name = call.node_or_publisher, call.values[Kind.SERVICE]
        _confirm(call, activation.caution(node, {name: on}), told=True)
        activation.set_activated(server=node, name=name, activated=on, actor=call.actor)
        yield from output.services(node, [row for row in services_of(node) if row.name == name])

    return do


def _system(what: str, act: Act, progress: Callable[[], list[str]]) -> Do:
    def do(call: Call) -> Iterator[str]:
        node = call.node_or_publisher
        if asked := caution(act, node, None):
            _confirm(call, asked)
        elif not call.confirm():
            raise Refused("Nothing was done.")
        act.run(server=node, actor=call.actor)
        yield from output.requested(f"System {what}", node.name)
        yield from progress()

    return do


def _replication(_call: Call) -> Iterator[str]:
    found = replication.of_nodes(nodes.nodes().select_related("machine"))
    if not found:
        raise Refused("There is no IM and Presence node yet.")
    yield from output.replication(lab_datetime(), found)


def _monitor(*, on: bool) -> Do:
    def do(call: Call) -> Iterator[str]:
        node = call.node_or_publisher
        monitor_operations.set_monitor(server=node, on=on, actor=call.actor)
        yield f"Replication monitoring is {'enabled' if on else 'disabled'} on {node.name}."
        if held := replication.held_back(node, node.machine, services_of(node)):
            call.warn(str(held))

    return do


def _power_on(call: Call) -> Iterator[str]:
    node = call.node
    if power.power_on(server=node, actor=call.actor):
        yield from output.requested("System Power On", node.name)
    else:
        yield f"{node.name} is on already; nothing was done."


_PLANNED = (
    "Its SRM cannot tell planned work from a failure and may fail users over. "
    "Disable High Availability first."
)


def _confirm(call: Call, caution: Caution | None, *, told: bool = False) -> None:
    """Have ``caution`` confirmed, or refuse; ``told``: with its effects where SRM notices it, too."""
    if caution is None:
        return
    effects = " ".join(english(effect) for effect in caution.effects)
    because = effects if told or caution.unseen else _PLANNED
    _ask(call, f"High Availability of {caution.group} is on. {because}")


def _ask(call: Call, because: str) -> None:
    call.warn(f"Caution: {because}")
    if not call.confirm():
        raise Refused("Nothing was done.")


_OF_THE_CLUSTER = (
    Command(
        "run pe sql ttlogin <select ...>",
        "ask the login datastore of a node who is logged in, read-only",
        _run_login_sql,
        writes=False,
    ),
    Command("run sql <select ...>", "ask the cluster's tables, read-only", _run_sql, writes=False),
    Command(
        "set replication-sync monitor disable [node]",
        "let feature services start without database replication",
        _monitor(on=False),
    ),
    Command(
        "set replication-sync monitor enable [node]",
        "let feature services wait for database replication",
        _monitor(on=True),
    ),
    Command(
        "utils dbreplication runtimestate",
        "show whether the database of each node is replicated (2 is good)",
        _replication,
        writes=False,
    ),
    Command(
        "utils ha failover <node>",
        "move the users of a node to its peer",
        _ha_request("Manual Failover", "failover", actions.request_failover),
    ),
    Command(
        "utils ha fallback <node>",
        "move the users of a node back to it",
        _ha_request("Manual fallback", "fallback", actions.request_fallback),
    ),
    Command("utils ha recover <group>", "restart SRM on both nodes of a failed group", _ha_recover),
    Command(
        "utils ha status [group]",
        "show the state of the nodes of a group, or of all",
        _ha_status,
        writes=False,
    ),
    Command(
        "utils service activate <service> [node]",
        "activate a feature service of a node",
        _activation(on=True),
    ),
    Command(
        "utils service deactivate <service> [node]",
        "deactivate a feature service of a node, which stops it",
        _activation(on=False),
    ),
    Command(
        "utils service list [node]", "show the services of a node", _service_list, writes=False
    ),
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
        "utils system restart [node]",
        "restart a node",
        _system("Restart", NODE_ACTS["reboot"], output.restarting),
    ),
    Command(
        "utils system shutdown [node]",
        "shut a node down",
        _system("Shutdown", NODE_ACTS["shut_down"], output.shutting_down),
    ),
)
# By their words, as the help lists them.
COMMANDS: tuple[Command, ...] = tuple(
    sorted(
        (
            *_OF_THE_CLUSTER,
            *conversation.COMMANDS,
            *files.COMMANDS,
            *platform.COMMANDS,
            *performance.COMMANDS,
        ),
        key=lambda command: command.words,
    )
)
