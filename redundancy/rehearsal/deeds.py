"""Do on the running system what a step says: by operations, as an administrator would."""

from collections.abc import Callable, Mapping

from redundancy.faultlab import writes as faults
from redundancy.models import RedundancyGroup, Server
from redundancy.operations import actions, groups, power, presence, services
from redundancy.rehearsal.actions import Action, Verb
from redundancy.rehearsal.cast import ACTOR, activate, server_named, set_on

_ON_NODE: dict[Verb, Callable[..., object]] = {
    Verb.POWER_OFF: power.power_off,
    Verb.POWER_ON: power.power_on,
    Verb.SHUT_DOWN: power.shut_down,
    Verb.REBOOT: power.reboot,
    Verb.START_SRM: power.start_srm,
    Verb.STOP_SRM: power.stop_srm,
    Verb.RESTART_SRM: power.restart_srm,
}
_ON_SERVICE: dict[Verb, Callable[..., object]] = {
    Verb.START_SERVICE: services.start_service,
    Verb.STOP_SERVICE: services.stop_service,
    Verb.RESTART_SERVICE: services.restart_service,
}
_ON_GROUP: dict[Verb, Callable[..., object]] = {
    Verb.ENABLE_HA: groups.enable_ha,
    Verb.DISABLE_HA: groups.disable_ha,
    Verb.RECOVER: actions.request_recover,
    Verb.CUT_LINK: faults.cut_link,
    Verb.RESTORE_LINK: faults.restore_link,
    Verb.FAIL_NEXT_MOVE: faults.fail_next_move,
    Verb.HOLD_MOVES: faults.hold_moves,
    Verb.RELEASE_MOVES: faults.release_moves,
}
_REQUESTS: dict[Verb, Callable[..., object]] = {
    Verb.FAILOVER: actions.request_failover,
    Verb.FALLBACK: actions.request_fallback,
}


def do(action: Action, group: RedundancyGroup, nodes: Mapping[str, Server]) -> None:
    """Do it in ``group``, whose servers are ``nodes`` by the names of the scenario.

    Raises:
        Refused: It was refused at once.

    """
    verb = action.verb
    node, other = (
        server_named(nodes[name].name) if name else None for name in (action.node, action.other)
    )
    if verb in _ON_NODE:
        _ON_NODE[verb](server=node, actor=ACTOR)
    elif verb in _ON_SERVICE:
        _ON_SERVICE[verb](server=node, name=action.service, actor=ACTOR)
    elif verb in _ON_GROUP:
        _ON_GROUP[verb](group=group, actor=ACTOR)
    elif verb in _REQUESTS:
        _REQUESTS[verb](node=node, serial=None, actor=ACTOR)
    elif node is not None:
        _do_with_values(action, group, node, other)
    else:
        match verb:
            case Verb.SET_PARAMETER:
                set_on(nodes.values(), action.parameter, action.value)
            case Verb.DELAY_LINK:
                faults.delay_link(group=group, seconds=action.seconds, actor=ACTOR)
            case Verb.LOSE_HEARTBEATS:
                faults.lose_heartbeats(group=group, percent=action.percent, actor=ACTOR)
            case Verb.PAUSE_OBSERVER:
                faults.pause_observer(seconds=action.seconds, actor=ACTOR)


def _do_with_values(
    action: Action, group: RedundancyGroup, node: Server, other: Server | None
) -> None:
    match action.verb:
        case Verb.ACTIVATE:
            activate(node, action.service)
        case Verb.DEACTIVATE:
            services.set_activated(server=node, name=action.service, activated=False, actor=ACTOR)
        case Verb.SIGN_OUT:
            presence.sign_out_share(node=node, percent=action.percent, actor=ACTOR)
        case Verb.SIGN_IN:
            presence.sign_in_share(node=node, percent=action.percent, actor=ACTOR)
        case Verb.FAIL_NEXT_START:
            faults.fail_next_start(node=node, actor=ACTOR)
        case Verb.CUT_LINK_ONE_WAY:
            faults.cut_link(group=group, sender=node, receiver=other, actor=ACTOR)
