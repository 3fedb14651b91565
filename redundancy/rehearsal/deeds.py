"""Do on the running system what a step says: by operations, as an administrator would."""

from collections.abc import Callable, Mapping
from functools import partial

from redundancy.models import RedundancyGroup, Server
from redundancy.operations import (
    actions,
    activation,
    groups,
    power,
    presence,
    replication,
    services,
)
from redundancy.rehearsal.actions import FAULTS, Action, Verb
from redundancy.rehearsal.cast import ACTOR, activate, server_named, set_on

# Of each verb the operation, and what it takes besides the actor.
_OPERATIONS: dict[str, tuple[Callable[..., object], tuple[str, ...]]] = {
    Verb.ENABLE_HA: (groups.enable_ha, ("group",)),
    Verb.DISABLE_HA: (groups.disable_ha, ("group",)),
    Verb.STOP_SRM: (power.stop_srm, ("server",)),
    Verb.START_SRM: (power.start_srm, ("server",)),
    Verb.RESTART_SRM: (power.restart_srm, ("server",)),
    Verb.STOP_SERVICE: (services.stop_service, ("server", "name")),
    Verb.START_SERVICE: (services.start_service, ("server", "name")),
    Verb.RESTART_SERVICE: (services.restart_service, ("server", "name")),
    Verb.ACTIVATE: (activate, ("server", "name")),
    Verb.DEACTIVATE: (partial(activation.set_activated, activated=False), ("server", "name")),
    Verb.POWER_OFF: (power.power_off, ("server",)),
    Verb.SHUT_DOWN: (power.shut_down, ("server",)),
    Verb.REBOOT: (power.reboot, ("server",)),
    Verb.POWER_ON: (power.power_on, ("server",)),
    Verb.FAILOVER: (partial(actions.request_failover, serial=None), ("node",)),
    Verb.FALLBACK: (partial(actions.request_fallback, serial=None), ("node",)),
    Verb.RECOVER: (actions.request_recover, ("group",)),
    Verb.SET_PARAMETER: (set_on, ("nodes", "key", "value")),
    Verb.MONITOR: (partial(replication.set_monitor, on=True), ("server",)),
    Verb.IGNORE: (partial(replication.set_monitor, on=False), ("server",)),
    Verb.SIGN_OUT: (partial(presence.sign_share, out=True), ("node", "percent")),
    Verb.SIGN_IN: (partial(presence.sign_share, out=False), ("node", "percent")),
    **{sentence: (act.do, act.takes) for sentence, act in FAULTS.items()},
}


def do(action: Action, group: RedundancyGroup, nodes: Mapping[str, Server]) -> None:
    """Do it in ``group``, whose servers are ``nodes`` by the names of the scenario; Refused as operations do."""
    given = action.values | {"group": group, "nodes": nodes.values()}
    for role in ("node", "server", "sender", "receiver"):
        name = str(given[role])
        given[role] = server_named(nodes[name].name) if name else None
    operation, takes = _OPERATIONS[action.verb]
    operation(**{name: given[name] for name in takes}, actor=ACTOR)
