"""Set and reset the service parameters of SRM."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping

from django.db import transaction
from django.db.models import F

from redundancy.catalog import PARAMETER_BY_KEY, Parameter
from redundancy.errors import Refused, Stale
from redundancy.models import EventKind, NodeRuntime, Server, ServerType, ServiceParameter
from redundancy.operations import events, locks
from redundancy.parameters.writes import limits
from redundancy.selectors import parameters as selectors
from redundancy.selectors.limits import KEYS as RELOGIN_KEYS
from redundancy.srm.words import mark, say

# Two parameters, what must hold for their values, and the sentence where it does not.
_TOGETHER: tuple[tuple[str, str, Callable[[int, int], bool], str], ...] = (
    (
        "admin_rpc_port",
        "service_port",
        lambda a, b: a != b,
        mark("{parameter} ({value}) must not be the {other} ({limit})."),
    ),
    (
        "initialization_timeout",
        "heartbeat_timeout",
        lambda a, b: a >= b,
        mark("{parameter} ({value}) must not be below the {other} ({limit})."),
    ),
    (
        "heartbeat_timeout",
        "heartbeat_interval",
        lambda a, b: a >= 2 * b,
        mark("{parameter} ({value}) must be at least twice the {other} ({limit})."),
    ),
    (
        "relogin_lower",
        "relogin_upper",
        lambda a, b: a <= b,
        mark("{parameter} ({value}) must not be above the {other} ({limit})."),
    ),
)


def set_parameter(
    *, key: str, value: str, server: Server | None = None, actor: str
) -> ServiceParameter | None:
    """Set a parameter and return its row; None when it has its default again, which needs no row.

    Does nothing when it has that value. ``server`` belongs to a parameter that each node has.
    """
    _check_scope(key, server)
    with transaction.atomic():
        try:
            set_parameters(values={key: value}, server=server, actor=actor)
        except Refused as refused:
            raise Refused(refused.rule, field="value") from None
        return ServiceParameter.objects.filter(key=key, server=server).first()


def reset_parameters(*, keys: Iterable[str], server: Server | None = None, actor: str) -> None:
    """Give parameters, all clusterwide or all of one node, their default again, where the others allow it."""
    defaults = {key: _check_scope(key, server).default for key in keys}
    set_parameters(values=defaults, server=server, actor=actor)


def reset_parameter(*, key: str, server: Server | None = None, actor: str) -> None:
    """Give one parameter its default again, where the others allow it."""
    reset_parameters(keys=[key], server=server, actor=actor)


def set_parameters(
    *,
    values: Mapping[str, str],
    server: Server | None = None,
    expected: Mapping[str, str] | None = None,
    actor: str,
) -> None:
    """Set parameters, by their keys, that are judged together, as they will hold together.

    Args:
        values: Of clusterwide parameters, and of those that ``server`` has for itself.
        server: The node whose own parameters are among them.
        expected: The values that the administrator saw; when one of them is another by now, nothing
            is changed.
        actor: User name of who does it.

    Raises:
        Stale: A value is not as ``expected``.
        Refused: Rules are broken; every one of them is named, with the key as its field.

    """
    with transaction.atomic():
        locks.one_administrator()
        for key in values:
            _known(key, server)
        present = selectors.texts(server)
        check_fresh(expected=expected or {}, present=present, server=server)
        new = _checked(values, present)
        changed = {key: text for key, text in new.items() if text != present[key]}
        for key, text in changed.items():
            _store(PARAMETER_BY_KEY[key], server, present[key], text, actor)
        if server is not None and changed.keys() & set(RELOGIN_KEYS):
            limits.remember(server)
        if any(not PARAMETER_BY_KEY[key].per_node for key in changed):
            # A node sleeps until a time that it reckoned with the old values.
            NodeRuntime.objects.filter(server__group__ha_enabled=True).update(
                due_at=0, version=F("version") + 1
            )


def _store(parameter: Parameter, server: Server | None, old: str, new: str, actor: str) -> None:
    owner = server if parameter.per_node else None
    if new == parameter.default:
        ServiceParameter.objects.filter(key=parameter.key, server=owner).delete()
    else:
        ServiceParameter.objects.update_or_create(
            key=parameter.key, server=owner, defaults={"value": new}
        )
    events.record(
        kind=EventKind.PARAMETER,
        sentence=_changed(parameter, owner, old, new),
        node=owner,
        actor=actor,
    )


def _changed(parameter: Parameter, owner: Server | None, old: str, new: str) -> str:
    return say(
        "{parameter} was changed from {old} to {new}.",
        parameter=_named(parameter, owner),
        old=old,
        new=new,
    )


def _changed_meanwhile(parameter: Parameter, owner: Server | None, seen: str, now: str) -> str:
    return say(
        "{parameter} was changed meanwhile: it was {seen}, and is {now} now.",
        parameter=_named(parameter, owner),
        seen=seen,
        now=now,
    )


def _named(parameter: Parameter, owner: Server | None) -> str:
    """Return the name of a parameter, with its node where it is of one."""
    if owner is None:
        return parameter.name
    return say("{parameter} on {node}", parameter=parameter.name, node=owner.name)


def _known(key: str, server: Server | None) -> Parameter:
    """Return the parameter; refuse one that does not exist, or that each node has when none is meant."""
    parameter = PARAMETER_BY_KEY.get(key)
    if parameter is None:
        raise Refused(say("There is no parameter {key!r}.", key=key[:40]), field="key")
    if parameter.per_node and server is None:
        raise Refused(
            say("{parameter} is set for each server; choose one.", parameter=parameter.name),
            field="server",
        )
    if server is not None and server.server_type != ServerType.IMP:
        raise Refused(
            say(
                "{server} is not a server of type {type}.",
                server=server.name,
                type=ServerType.IMP.label,
            ),
            field="server",
        )
    if server is not None and not Server.objects.filter(pk=server.pk).exists():
        raise Refused(
            say("Server {server} does not exist any more.", server=server.name), field="server"
        )
    return parameter


def _check_scope(key: str, server: Server | None) -> Parameter:
    """Return the parameter; refuse a clusterwide one of a server, too."""
    parameter = PARAMETER_BY_KEY.get(key)
    if parameter is not None and not parameter.per_node and server is not None:
        raise Refused(
            say("{parameter} is clusterwide; no server has its own.", parameter=parameter.name),
            field="server",
        )
    return _known(key, server)


def check_fresh(
    *, expected: Mapping[str, str], present: Mapping[str, str], server: Server | None
) -> None:
    """Refuse when a value was changed since the administrator saw it, and name each.

    Raises:
        Stale: A value of ``present``, those of ``server`` among them, is not as ``expected``.

    """
    stale = []
    for key, seen in expected.items():
        if present[key] != seen:
            parameter = PARAMETER_BY_KEY[key]
            owner = server if parameter.per_node else None
            rule = _changed_meanwhile(parameter, owner, seen, present[key])
            stale.append(Refused(rule, field=key))
    if stale:
        raise Stale.together(stale)


def _checked(values: Mapping[str, str], present: Mapping[str, str]) -> dict[str, str]:
    """Return the values as they are stored; refuse with every rule that they break."""
    new: dict[str, str] = {}
    refusals: list[Refused] = []
    for key, value in values.items():
        try:
            new[key] = canonical(PARAMETER_BY_KEY[key], value)
        except Refused as refused:
            refusals.append(refused)
    # What is no value by itself says nothing together with others.
    sound = {key: text for key, text in present.items() if key not in values} | new
    changed = {key for key, text in new.items() if text != present[key]}
    refusals += _broken_together(sound, changed)
    if refusals:
        raise Refused.together(refusals)
    return new


def canonical(parameter: Parameter, value: str) -> str:
    """Return the value in the one form in which it is stored; refuse what is out of its limits."""
    text = value.strip()
    if parameter.unit == "bool":
        if text.lower() not in {"true", "false"}:
            raise Refused(
                say("{parameter} must be True or False.", parameter=parameter.name),
                field=parameter.key,
            )
        return text.capitalize()
    # ASCII digits only: int() would take underscores and digits of other scripts.
    if not re.fullmatch(r"[0-9]{1,10}", text) or not parameter.low <= int(text) <= parameter.high:
        raise Refused(
            say(
                "{parameter} must be a whole number from {limits}.",
                parameter=parameter.name,
                limits=parameter.limits,
            ),
            field=parameter.key,
        )
    return str(int(text))


def check_together(values: Mapping[str, str]) -> None:
    """Refuse values that contradict each other; of one node, clusterwide, or both."""
    broken = _broken_together(values, ())
    if broken:
        raise Refused.together(broken)


def _broken_together(values: Mapping[str, str], changed: Collection[str]) -> list[Refused]:
    """Return each contradiction, at the one of its two parameters that is being changed."""
    broken = []
    for key, other, holds, rule in _TOGETHER:
        if key not in values or other not in values or holds(int(values[key]), int(values[other])):
            continue
        broken.append(
            Refused(
                say(
                    rule,
                    parameter=PARAMETER_BY_KEY[key].name,
                    value=values[key],
                    other=PARAMETER_BY_KEY[other].name,
                    limit=values[other],
                ),
                field=other if other in changed and key not in changed else key,
            )
        )
    return broken
