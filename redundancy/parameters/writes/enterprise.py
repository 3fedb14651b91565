"""Set enterprise parameters (*System > Enterprise Parameters*)."""

from collections.abc import Iterable, Mapping

from django.db import transaction

from redundancy.catalog import ENTERPRISE_PARAMETERS
from redundancy.errors import Refused
from redundancy.models import EnterpriseParameter
from redundancy.operations import locks
from redundancy.parameters.writes.parameters import store
from redundancy.selectors import enterprise
from redundancy.srm.words import say

_BY_KEY = {parameter.key: parameter for parameter in ENTERPRISE_PARAMETERS}


def set_enterprise_parameters(*, values: Mapping[str, str], actor: str) -> int:
    """Set parameters by their keys and return how many that changed.

    It decides for users from now on; nobody who has a node is moved, and no client that waits for
    its login waits for longer.
    """
    Refused.unless_none(refusal for pair in values.items() if (refusal := judge(*pair)))
    with transaction.atomic():
        locks.one_administrator()
        present = enterprise.values()
        changed = {key: value for key, value in values.items() if value != present[key]}
        for key, value in changed.items():
            store(
                EnterpriseParameter.objects.filter(key=key),
                {"key": key, "value": value},
                name=_BY_KEY[key].name,
                old=present[key],
                default=_BY_KEY[key].default,
                actor=actor,
            )
    return len(changed)


def reset_enterprise_parameters(*, keys: Iterable[str], actor: str) -> int:
    """Give these parameters their default again and return how many that changed."""
    return set_enterprise_parameters(
        values={key: _BY_KEY[key].default for key in keys}, actor=actor
    )


def judge(key: str, value: str) -> Refused | None:
    """Return why a parameter cannot have this value; None when it can."""
    parameter = _BY_KEY.get(key)
    if parameter is None:
        return Refused(say("There is no enterprise parameter {key!r}.", key=key[:40]), field="key")
    if value in parameter.choices:
        return None
    choices = ", ".join(parameter.choices)
    rule = say("{parameter} must be {choices}.", parameter=parameter.name, choices=choices)
    return Refused(rule, field=key)
