"""What an administrator asks of a pair: Failover, Fallback, Recover.

A request is stored and answered by the node's SRM at its next step, so it is neither lost nor done
twice. Whether it fits is decided by the table of transitions; what can be told at once is refused
here.
"""

from django.db import transaction

from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import (
    EventKind,
    Machine,
    MessageKind,
    NodeRuntime,
    RedundancyGroup,
    RequestKind,
    Server,
    SrmMessage,
)
from redundancy.operations import events, forecasts, locks, power
from redundancy.selectors import forecast, nodes, policy
from redundancy.srm import sentences
from redundancy.srm.codec import node_from_json
from redundancy.srm.states import State
from redundancy.srm.step import offers
from redundancy.srm.types import Request
from redundancy.srm.words import say

REQUESTS = (MessageKind.FAILOVER, MessageKind.FALLBACK)


def request_failover(*, node: Server, serial: int | None, actor: str) -> None:
    """Ask the SRM of ``node`` to fail over to its peer.

    ``serial``: the node's state as the administrator saw it when confirming; an older one is
    refused. None: whatever state it is in now.
    """
    _request(node, Request.FAILOVER, serial, actor)


def request_fallback(*, node: Server, serial: int | None, actor: str) -> None:
    """Ask the SRM of ``node`` to take its users back; ``serial`` as in ``request_failover``."""
    _request(node, Request.FALLBACK, serial, actor)


def request_recover(*, group: RedundancyGroup, actor: str) -> None:
    """Restart the SRM of both nodes and start their critical services; offered in failed mode only."""
    with transaction.atomic():
        locked = locks.hold(RedundancyGroup.objects.filter(pk=group.pk)).get()
        runtimes = list(
            NodeRuntime.objects.filter(server__group=locked).select_related("server").order_by("pk")
        )
        if not locked.ha_enabled or any(r.state != State.FAILED for r in runtimes):
            raise Refused(
                say(
                    "Recover is offered only while both nodes are {state}.", state=str(State.FAILED)
                )
            )
        locked.ha_generation += 1
        locked.save(update_fields=["ha_generation"])
        servers = [runtime.server for runtime in runtimes]
        if SrmMessage.objects.filter(node__in=servers, kind=MessageKind.RECOVER).exists():
            raise Refused(say("Recover of this group is already being carried out."))
        SrmMessage.objects.filter(node__in=servers).delete()
        # SRM is restarted where there is power to run it; the other node joins when it is back.
        for machine in Machine.objects.filter(server__in=servers, powered=True).order_by("pk"):
            power.restart_srm(server=machine.server, actor=actor)
        SrmMessage.objects.bulk_create(
            SrmMessage(node=server, kind=MessageKind.RECOVER, actor=actor) for server in servers
        )
        expected = forecast.of_homecoming(locked)
        event = events.record(
            kind=EventKind.ADMIN,
            sentence=say("Recover of {group} was requested.", group=locked.name),
            request=RequestKind.RECOVER,
            group=locked,
            actor=actor,
        )
        forecasts.remember(event, locked, expected)


def _request(node: Server, request: Request, serial: int | None, actor: str) -> None:
    with transaction.atomic():
        group = locks.hold(RedundancyGroup.objects.filter(servers=node)).first()
        if group is None or not group.ha_enabled:
            raise Refused(sentences.HA_OFF)
        runtime = locks.hold(NodeRuntime.objects.filter(server=node)).get()
        machine = Machine.objects.get(server=node)
        if not machine.srm_running:
            raise Refused(sentences.not_reporting(node.name))
        if serial is not None and serial != runtime.serial:
            raise Refused(
                say(
                    "{node} has changed its state since this was confirmed: it is {state}.",
                    node=node.name,
                    state=runtime.state,
                )
            )
        if SrmMessage.objects.filter(node__group=group, kind__in=REQUESTS).exists():
            raise Refused(sentences.REQUEST_UNDER_WAY)
        _check_offered(runtime, request)
        SrmMessage.objects.create(node=node, kind=MessageKind(request.value), actor=actor)
        event = events.record(
            kind=EventKind.ADMIN,
            sentence=_requested(request, node.name),
            request=RequestKind(request.value),
            node=node,
            actor=actor,
        )
        peer = nodes.peer(node)
        if request is Request.FAILOVER and peer is not None:
            forecasts.remember(event, group, forecast.of_takeover(group, peer))
        elif request is Request.FALLBACK:
            forecasts.remember(event, group, forecast.of_homecoming(group))


def _requested(request: Request, node: str) -> str:
    if request is Request.FAILOVER:
        return say("Failover of {node} was requested.", node=node)
    return say("Fallback of {node} was requested.", node=node)


def _check_offered(runtime: NodeRuntime, request: Request) -> None:
    """Refuse at once what the node's SRM, as it is now, would refuse."""
    if not runtime.memory:
        raise Refused(
            say(
                "{request} is not offered: the SRM has not started yet.",
                request=request.value.capitalize(),
            )
        )
    node = node_from_json(runtime.memory)
    if not offers(node, request, lab_now(), policy.current()):
        raise Refused(sentences.why_not(node, request))
