"""What the deployment of a group means: which services SRM monitors there and why, and its chat rooms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from redundancy.catalog import PRESENCE_ENGINE, SERVICES, TEXT_CONFERENCE_MANAGER, Watch
from redundancy.drivers import Observation, get_driver
from redundancy.functions import FUNCTION_OF_SERVICE, SHARED_DATABASE
from redundancy.models import Server, ServiceStatus
from redundancy.selectors.access import access_of
from redundancy.selectors.functions import configured
from redundancy.srm.words import listed, say, together

_CONDITIONAL = [s.name for s in SERVICES if s.watch in {Watch.IF_ACTIVATED, Watch.IF_CONFIGURED}]
Services = Mapping[int, Sequence[Observation]]


@dataclass(frozen=True, slots=True)
class Conditional:
    """A service that SRM monitors in some deployments only, on the nodes of a group.

    ``function``: what it carries, empty where nothing has to be configured. ``on``, ``off``: the keys
    and names of the nodes on which it is activated, and is not.
    """

    service: str
    function: str
    configured: bool
    on: tuple[tuple[int, str], ...]
    off: tuple[tuple[int, str], ...]

    @property
    def uneven(self) -> bool:
        """Return whether SRM monitors it on one node of the group, but not on the other."""
        return self.configured and bool(self.on and self.off)

    @property
    def sentence(self) -> str:
        """Return why SRM monitors it, or does not."""
        if not self.configured:
            return say("Not monitored: not configured.")
        on, off = (listed(name for _, name in side) for side in (self.on, self.off))
        if not self.on:
            return say("Not monitored: not activated on {nodes}.", nodes=off)
        watched = (
            say("Monitored: configured and activated on {nodes}.", nodes=on)
            if self.function
            else say("Monitored: activated on {nodes}.", nodes=on)
        )
        if not self.off:
            return watched
        return together([watched, say("Not monitored on {nodes}: not activated there.", nodes=off)])


@dataclass(frozen=True, slots=True)
class Rooms:
    """What has become of the chat rooms of a node. ``tone``: ok, warn or bad."""

    node: str
    sentence: str
    tone: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is deployed on the nodes of a group; ``rooms``: empty where there are none."""

    conditional: tuple[Conditional, ...]
    rooms: tuple[Rooms, ...]


def of_group(pk: int) -> Deployed:
    """Return what is deployed on the nodes of the group ``pk``, in a constant number of queries."""
    servers = list(
        Server.objects.filter(group=pk).select_related("machine", "group__holder").order_by("slot")
    )
    services = get_driver().observe(servers)
    return Deployed(conditional(servers, services), _rooms(servers, services))


def conditional(servers: Sequence[Server], services: Services) -> tuple[Conditional, ...]:
    """Return the services that SRM monitors in some deployments only; none without a server."""
    if not servers:
        return ()
    seen = {server: {each.name: each for each in services[server.pk]} for server in servers}
    return tuple(
        Conditional(
            service=name,
            function=FUNCTION_OF_SERVICE[name].name if name != PRESENCE_ENGINE else "",
            configured=name == PRESENCE_ENGINE or seen[servers[0]][name].configured,
            on=tuple((s.pk, s.name) for s in servers if seen[s][name].activated),
            off=tuple((s.pk, s.name) for s in servers if not seen[s][name].activated),
        )
        for name in _CONDITIONAL
    )


def rooms_after_failover(server: Server, peer: str) -> list[str]:
    """Return what a failover of ``server`` to ``peer`` does to its chat rooms; nothing without any."""
    shared = _rooms_shared(server)
    if shared is None:
        return []
    if shared:
        return [say("Chat rooms of {node} move to {peer}.", node=server.name, peer=peer)]
    return [
        say(
            "Chat rooms of {node} are unavailable until it returns: the nodes share no external database.",
            node=server.name,
        )
    ]


def rooms_after_fallback(server: Server) -> list[str]:
    """Return what a fallback to ``server`` does to its chat rooms; nothing without any."""
    shared = _rooms_shared(server)
    if shared is None:
        return []
    return [say("Chat rooms of {node} return to it.", node=server.name)]


def _rooms_shared(server: Server) -> bool | None:
    """Return whether the peer of ``server`` can serve its rooms; None when it has none."""
    found = {service.name: service for service in get_driver().observe([server])[server.pk]}
    chat = found[TEXT_CONFERENCE_MANAGER]
    if not (chat.activated and chat.configured):
        return None
    return SHARED_DATABASE.key in configured()


def _rooms(servers: Sequence[Server], services: Services) -> tuple[Rooms, ...]:
    chat = {
        server.pk: next(s for s in services[server.pk] if s.name == TEXT_CONFERENCE_MANAGER)
        for server in servers
    }
    if not any(each.activated and each.configured for each in chat.values()):
        return ()
    shared = SHARED_DATABASE.key in configured()
    serving = {pk for pk, each in access_of(chat).items() if each.lost_at is None}
    return tuple(_rooms_of(servers, chat, serving, shared=shared))


def _rooms_of(
    servers: Sequence[Server], chat: Mapping[int, Observation], serving: set[int], *, shared: bool
) -> Iterator[Rooms]:
    for server in servers:
        if not chat[server.pk].activated:
            sentence = say(
                "{node} has no chat rooms: {service} is not activated on it.",
                node=server.name,
                service=TEXT_CONFERENCE_MANAGER,
            )
            yield Rooms(server.name, sentence, "warn")
            continue
        holder = server.group.holder if server.group else None
        away = holder is not None and holder.pk != server.pk
        host = next((s for s in servers if away and holder and s.pk == holder.pk), server)
        if away and not shared:
            sentence = say(
                "Chat rooms of {node}: unavailable until {node} returns.", node=server.name
            )
            yield Rooms(server.name, sentence, "bad")
            continue
        why = _why_not(host, chat[host.pk], serves=host.pk in serving)
        if why:
            sentence = say("Chat rooms of {node}: unavailable. {why}", node=server.name, why=why)
            yield Rooms(server.name, sentence, "bad")
        else:
            sentence = say(
                "Chat rooms of {node}: served by {host}.", node=server.name, host=host.name
            )
            yield Rooms(server.name, sentence, "warn" if away else "ok")


def _why_not(host: Server, chat: Observation, *, serves: bool) -> str:
    """Return why ``host`` cannot serve chat rooms; empty when it does."""
    names = {"node": host.name, "service": TEXT_CONFERENCE_MANAGER}
    if not host.machine.powered:
        return say("{node} is powered off.", node=host.name)
    if not chat.activated:
        return say("{service} is not activated on {node}.", **names)
    if chat.status != ServiceStatus.STARTED:
        return say("{service} does not run on {node}.", **names)
    return "" if serves else say("{node} serves nobody now.", node=host.name)
