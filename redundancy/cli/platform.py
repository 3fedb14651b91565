"""Commands about the platform below: what health checks of scripts ask of each node.

What the lab has is told from its own data. The rest (time servers, core files, the database in memory) has steady
values: a node of the lab has no such parts that could fail. docs/cli.md names them.
"""

from collections.abc import Iterator

from redundancy.cli.grammar import Call, Command, Do
from redundancy.clock import lab_datetime
from redundancy.models import Server, ServerType
from redundancy.selectors import nodes
from redundancy.selectors.servers import find_servers, ipv4_of


def _cluster(_call: Call) -> Iterator[str]:
    first_cucm = True
    for server in find_servers().select_related("machine"):
        imp = server.server_type == ServerType.IMP
        publisher = server.is_publisher or (not imp and first_cucm)
        first_cucm &= imp
        host, _, suffix = server.name.partition(".")
        fqdn = server.name if suffix or not server.domain else f"{server.name}.{server.domain}"
        words = [
            ipv4_of(server),
            fqdn,
            host if not server.name[0].isdigit() else server.name,
            "Publisher" if publisher else "Subscriber",
            "cups" if imp else "callmanager",
            "DBPub" if publisher else "DBSub",
        ]
        if imp and not server.machine.powered:
            words.append("not authenticated")
        else:
            words.append("authenticated")
            if imp and not publisher and server.machine.up_since:
                words.append(f"using TCP since {server.machine.up_since:%a %b %d %H:%M:%S %Y}")
        yield " ".join(words)


def _status(call: Call) -> Iterator[str]:
    node, now = call.running_node, lab_datetime()
    up = now - node.machine.up_since if node.machine.up_since else now - now
    hours, minutes = divmod(up.seconds // 60, 60)
    yield from (
        "",
        f"Host Name          : {node.name}",
        f"Date               : {now:%a %b %d, %Y %H:%M:%S}",
        f"Time Zone          : {now.tzname()}",
        "Locale             : en_US.UTF-8",
        f"Product Ver        : {node.version or 'unknown'}",
        "",
        "Uptime:",
        f" {now:%H:%M:%S} up {up.days} days, {hours}:{minutes:02},  1 user",
        "",
    )


def _version(*, active: bool) -> Do:
    def do(call: Call) -> Iterator[str]:
        node = call.running_node
        if not active:
            yield "There is no version installed on the inactive side."
            return
        yield f"Active Master Version: {node.version or 'unknown'}"
        yield "Active Version Installed Software Options:"
        yield "No Installed Software Options Found."

    return do


def _steady(*lines: str) -> Do:
    def do(call: Call) -> Iterator[str]:
        _ = call.running_node
        yield from lines

    return do


def _memory_replication(_call: Call) -> Iterator[str]:
    pairs: dict[int | None, list[Server]] = {}
    for node in nodes.nodes().select_related("machine").order_by("group__name", "slot"):
        pairs.setdefault(node.group_id, []).append(node)
    for group, pair in pairs.items():
        if group is None or len(pair) != 2:
            continue
        well = all(node.machine.powered for node in pair)
        for node, peer in (pair, pair[::-1]):
            yield f"{node.name} -> {peer.name}: {'replicating' if well else 'not reachable'}"


COMMANDS: tuple[Command, ...] = tuple(
    Command(usage, summary, do, writes=False)
    for usage, summary, do in (
        ("show network cluster", "list the servers of the cluster", _cluster),
        ("show status [node]", "show a node's name, time and uptime", _status),
        ("show version active [node]", "show the version a node runs", _version(active=True)),
        (
            "show version inactive [node]",
            "show the version on a node's inactive side",
            _version(active=False),
        ),
        (
            "utils core active list [node]",
            "list the core files of a node",
            _steady("No core files found"),
        ),
        (
            "utils imdb_replication status",
            "show whether the databases in memory of each pair are replicated",
            _memory_replication,
        ),
        (
            "utils ntp status [node]",
            "show a node's time server",
            _steady(
                "ntpd is running.",
                "",
                "     remote           refid      st t when poll reach   delay   offset  jitter",
                "==============================================================================",
                "*127.0.0.1       .LOCL.           3 l   16   64  377    0.000    0.000   0.000",
                "",
                "synchronised to NTP server (127.0.0.1) at stratum 4",
                "   time correct to within 1 ms",
                "   polling server every 64 s",
            ),
        ),
    )
)
