"""Set and reset the service parameters of SRM."""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETER_PAIRS, Parameter
from redundancy.clock import lab_now
from redundancy.errors import Refused, Stale
from redundancy.models import (
    EventKind,
    NodeRuntime,
    PresenceSession,
    ReloginLimits,
    Server,
    ServiceParameter,
)
from redundancy.operations import events, locks, rules
from redundancy.selectors import parameters as selectors
from redundancy.selectors.limits import KEYS as RELOGIN_KEYS
from redundancy.selectors.limits import last_login
from redundancy.srm.words import say


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
            parameter = PARAMETER_BY_KEY[key]
            owner = server if parameter.per_node else None
            store(
                ServiceParameter.objects.filter(key=key, server=owner),
                {"key": key, "server": owner, "value": text},
                name=_name_on(parameter, server),
                old=present[key],
                default=parameter.default,
                actor=actor,
            )
        if server is not None and changed.keys() & set(RELOGIN_KEYS):
            _note_limits(server)
        if any(not PARAMETER_BY_KEY[key].per_node for key in changed):
            # A node sleeps until a time that it reckoned with the old values.
            NodeRuntime.objects.filter(server__group__ha_enabled=True).update(
                due_at=0, version=F("version") + 1
            )


def store(
    rows: QuerySet[Any],
    new: dict[str, Any],
    *,
    name: str,
    old: str,
    default: str,
    actor: str,
) -> None:
    """Keep the parameter ``name`` as the row ``new`` in place of ``rows``; the default needs no row.

    The history tells of it.
    """
    if new["value"] == default:
        rows.delete()
    elif not rows.update(value=new["value"]):
        rows.create(**new)
    events.record(
        kind=EventKind.PARAMETER,
        sentence=say(
            "{parameter} was changed from {old} to {new}.",
            parameter=name,
            old=old,
            new=new["value"],
        ),
        node=new.get("server"),
        actor=actor,
        changes=events.changed(
            "parameter",
            new["key"],
            server=new["server"].pk if new.get("server") else None,
            value=new["value"],
        ),
    )


def _note_limits(server: Server) -> None:
    """Write down the node's re-login limits: clients keep those of their login.

    Those that held at no client's login are deleted, but the newest, so that a move's statement does
    not grow with the number of changes.
    """
    now = lab_now()
    values = selectors.of_node(server)
    lower, upper = (int(values[key]) for key in RELOGIN_KEYS)
    ReloginLimits.objects.create(server=server, at=now, lower=lower, upper=upper)
    rows = list(server.relogin_limits.order_by("at", "pk"))
    logins = PresenceSession.objects.annotate(login=last_login(now))
    counts = {
        f"row{row.pk}": Count("pk", filter=Q(login__gte=row.at, login__lt=after.at))
        for row, after in pairwise(rows)
    }
    kept = logins.aggregate(**counts) if counts else {}
    unused = [row.pk for row in rows[:-1] if not kept[f"row{row.pk}"]]
    ReloginLimits.objects.filter(pk__in=unused).delete()


def _name_on(parameter: Parameter, server: Server | None) -> str:
    """Return the name of a parameter, with its node where each node has its own."""
    if server is None or not parameter.per_node:
        return parameter.name
    return say("{parameter} on {node}", parameter=parameter.name, node=server.name)


def _known(key: str, server: Server | None) -> Parameter:
    """Return the parameter; refuse one that does not exist, or that each node has when none is meant."""
    parameter = PARAMETER_BY_KEY.get(key)
    if parameter is None:
        raise Refused(say("There is no parameter {key!r}.", key=key[:40]), field="key")
    if server is None:
        if parameter.per_node:
            rule = say("{parameter} is set for each server; choose one.", parameter=parameter.name)
            raise Refused(rule, field="server")
        return parameter
    rules.check_is_node(server, field="server")
    if not Server.objects.filter(pk=server.pk).exists():
        raise Refused(
            say("Server {server} does not exist any more.", server=server.name), field="server"
        )
    return parameter


def _check_scope(key: str, server: Server | None) -> Parameter:
    """Return the parameter; refuse a clusterwide one of a server, too."""
    parameter = _known(key, server)
    if server is not None and not parameter.per_node:
        raise Refused(
            say("{parameter} is clusterwide; no server has its own.", parameter=parameter.name),
            field="server",
        )
    return parameter


def check_fresh(
    *, expected: Mapping[str, str], present: Mapping[str, str], server: Server | None
) -> None:
    """Refuse when a value was changed since the administrator saw it, and name each.

    Raises:
        Stale: A value of ``present``, those of ``server`` among them, is not as ``expected``.

    """
    Stale.unless_none(
        Refused(
            say(
                "{parameter} was changed meanwhile: it was {seen}, and is {now} now.",
                parameter=_name_on(PARAMETER_BY_KEY[key], server),
                seen=seen,
                now=present[key],
            ),
            field=key,
        )
        for key, seen in expected.items()
        if present[key] != seen
    )


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
    Refused.unless_none([*refusals, *_broken_pairs(sound, changed)])
    return new


def canonical(parameter: Parameter, value: str) -> str:
    """Return the value in the one form in which it is stored; refuse what is out of its limits."""
    text = value.strip()
    rule = ""
    if parameter.unit == "bool":
        text = text.capitalize()
        if text not in {"True", "False"}:
            rule = say("{parameter} must be True or False.", parameter=parameter.name)
    # ASCII digits only: int() would take underscores and digits of other scripts.
    elif re.fullmatch(r"[0-9]{1,10}", text) and parameter.low <= int(text) <= parameter.high:
        text = str(int(text))
    else:
        rule = say(
            "{parameter} must be a whole number from {limits}.",
            parameter=parameter.name,
            limits=parameter.limits,
        )
    if rule:
        raise Refused(rule, field=parameter.key)
    return text


def check_together(values: Mapping[str, str]) -> None:
    """Refuse values that contradict each other; of one node, clusterwide, or both."""
    Refused.unless_none(_broken_pairs(values, ()))


def _broken_pairs(values: Mapping[str, str], changed: Collection[str]) -> list[Refused]:
    """Return each contradiction, at the one of its two parameters that is being changed."""
    return [
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
        for key, other, holds, rule in PARAMETER_PAIRS
        if {key, other} <= values.keys() and not holds(int(values[key]), int(values[other]))
    ]
