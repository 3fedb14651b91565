"""Configure functions for the whole cluster: compliance, persistent chat, federation."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F

from redundancy.errors import Refused, Stale
from redundancy.functions import FUNCTION_BY_KEY, FUNCTION_OF_SERVICE
from redundancy.models import ConfiguredFunction, EventKind, NodeRuntime
from redundancy.operations import events, locks
from redundancy.selectors import functions
from redundancy.srm.words import listed, say, together


def set_functions(
    *,
    configured: Mapping[str, bool],
    expected: Mapping[str, bool] | None = None,
    actor: str,
) -> list[str]:
    """Configure functions by their keys, or no longer, and return the keys of those that changed.

    It holds for every node, also for one that is added later. SRM watches the service that carries a
    configured function wherever that is activated.

    Args:
        configured: By the key of the function whether it shall be configured.
        expected: What the administrator saw; when one of them is otherwise by now, nothing is changed.
        actor: User name of who does it.

    Raises:
        Stale: A function is not as ``expected``.
        Refused: There is no such function.

    """
    Refused.unless_none(_unknown(key) for key in configured if key not in FUNCTION_BY_KEY)
    with transaction.atomic():
        locks.one_administrator()
        present = functions.configured()
        _check_fresh(present, expected or {})
        changed = {key: on for key, on in configured.items() if on is not (key in present)}
        if any(FUNCTION_BY_KEY[key].service for key in changed):
            # Every SRM looks at its services anew.
            NodeRuntime.objects.filter(server__group__ha_enabled=True).update(
                due_at=0, version=F("version") + 1
            )
        for key, on in changed.items():
            name = FUNCTION_BY_KEY[key].name
            if on:
                ConfiguredFunction.objects.create(key=key)
                sentence = say("{function} was configured for the cluster.", function=name)
            else:
                ConfiguredFunction.objects.filter(key=key).delete()
                sentence = say("{function} is no longer configured for the cluster.", function=name)
            events.record(kind=EventKind.PARAMETER, sentence=sentence, actor=actor)
    return list(changed)


def configure_service(*, name: str, actor: str) -> None:
    """Configure the function that the service ``name`` carries; do nothing where it carries none."""
    function = FUNCTION_OF_SERVICE.get(name)
    if function is not None:
        set_functions(configured={function.key: True}, actor=actor)


def _unknown(key: str) -> Refused:
    return Refused(say("There is no function {key!r}.", key=key[:40]), field="key")


def _check_fresh(present: frozenset[str], expected: Mapping[str, bool]) -> None:
    changed = [key for key, on in expected.items() if on is not (key in present)]
    if changed:
        names = listed(FUNCTION_BY_KEY[key].name for key in changed)
        raise Stale(
            together(
                [
                    say("Somebody else switched meanwhile: {functions}.", functions=names),
                    say("Nothing was saved. The page shows what is configured now."),
                ]
            )
        )
