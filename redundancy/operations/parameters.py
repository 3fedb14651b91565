"""Set and reset the service parameters of SRM."""

import re
from collections.abc import Callable, Iterable, Mapping

from django.db import transaction
from django.db.models import F

from redundancy.catalog import PARAMETER_BY_KEY, Parameter
from redundancy.errors import Refused
from redundancy.models import EventKind, NodeRuntime, Server, ServerType, ServiceParameter
from redundancy.operations import events, limits, locks
from redundancy.selectors import parameters as selectors

_TOGETHER: tuple[tuple[str, str, str, Callable[[int, int], bool]], ...] = (
    ("admin_rpc_port", "must not be", "service_port", lambda a, b: a != b),
    ("initialization_timeout", "must not be below", "heartbeat_timeout", lambda a, b: a >= b),
    ("heartbeat_timeout", "must be at least twice", "heartbeat_interval", lambda a, b: a >= 2 * b),
    ("relogin_lower", "must not be above", "relogin_upper", lambda a, b: a <= b),
)


def set_parameter(
    *, key: str, value: str, server: Server | None = None, actor: str
) -> ServiceParameter | None:
    """Set a parameter and return its row; None when it has its default again, which needs no row.

    Does nothing when it has that value. ``server`` belongs to a parameter that each node has.
    """
    with transaction.atomic():
        set_parameters(values={key: value}, server=server, actor=actor)
        return ServiceParameter.objects.filter(key=key, server=server).first()


def reset_parameters(*, keys: Iterable[str], server: Server | None = None, actor: str) -> None:
    """Give parameters, all clusterwide or all of one node, their default again, where the others allow it."""
    defaults = {key: _known(key, server).default for key in keys}
    set_parameters(values=defaults, server=server, actor=actor)


def reset_parameter(*, key: str, server: Server | None = None, actor: str) -> None:
    """Give one parameter its default again, where the others allow it."""
    reset_parameters(keys=[key], server=server, actor=actor)


def set_parameters(*, values: Mapping[str, str], server: Server | None = None, actor: str) -> None:
    """Set parameters, by their keys, that are judged together, as they will hold together."""
    new = {key: canonical(_known(key, server), value) for key, value in values.items()}
    with transaction.atomic():
        locks.one_administrator()
        rows = ServiceParameter.objects.filter(server=server)
        stored = dict(rows.values_list("key", "value"))
        present = selectors.of_node(server) if server else selectors.clusterwide()
        check_together({key: str(value) for key, value in present.items()} | new)
        old = {key: stored.get(key, PARAMETER_BY_KEY[key].default) for key in new}
        changed = {key: text for key, text in new.items() if text != old[key]}
        for key, text in changed.items():
            parameter = PARAMETER_BY_KEY[key]
            if text == parameter.default:
                rows.filter(key=key).delete()
            else:
                ServiceParameter.objects.update_or_create(
                    key=key, server=server, defaults={"value": text}
                )
            where = f" on {server.name}" if server else ""
            events.record(
                kind=EventKind.PARAMETER,
                sentence=f"{parameter.name}{where} was changed from {old[key]} to {text}.",
                node=server,
                actor=actor,
            )
        if server is not None and changed.keys() & set(limits.KEYS):
            limits.remember(server)
        if changed and server is None:
            # A node sleeps until a time that it reckoned with the old values.
            NodeRuntime.objects.filter(server__group__ha_enabled=True).update(
                due_at=0, version=F("version") + 1
            )


def _known(key: str, server: Server | None) -> Parameter:
    parameter = PARAMETER_BY_KEY.get(key)
    if parameter is None:
        raise Refused(f"There is no parameter {key[:40]!r}.", field="key")
    if not parameter.per_node:
        if server is not None:
            raise Refused(
                f"{parameter.name} is clusterwide; no server has its own.", field="server"
            )
    elif server is None:
        raise Refused(f"{parameter.name} is set for each server; choose one.", field="server")
    elif server.server_type != ServerType.IMP:
        raise Refused(
            f"{server.name} is not a server of type {ServerType.IMP.label}.", field="server"
        )
    return parameter


def canonical(parameter: Parameter, value: str) -> str:
    """Return the value in the one form in which it is stored; refuse what is out of its limits."""
    text = value.strip()
    if parameter.unit == "bool":
        if text.lower() not in {"true", "false"}:
            raise Refused(f"{parameter.name} must be True or False.", field="value")
        return text.capitalize()
    unit = " seconds" if parameter.unit == "s" else ""
    # ASCII digits only: int() would take underscores and digits of other scripts.
    if not re.fullmatch(r"[0-9]{1,10}", text) or not parameter.low <= int(text) <= parameter.high:
        raise Refused(
            f"{parameter.name} must be a whole number from {parameter.low} to {parameter.high}{unit}.",
            field="value",
        )
    return str(int(text))


def check_together(values: Mapping[str, str]) -> None:
    """Refuse values that contradict each other; of one node, clusterwide, or both."""
    for key, words, other, holds in _TOGETHER:
        if key in values and not holds(int(values[key]), int(values[other])):
            names = PARAMETER_BY_KEY[key].name, PARAMETER_BY_KEY[other].name
            raise Refused(
                f"{names[0]} ({values[key]}) {words} the {names[1]} ({values[other]}).",
                field="value",
            )
