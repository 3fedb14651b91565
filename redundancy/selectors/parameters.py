"""Reads of service parameters: the stored value, or the default of the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Expression, F, QuerySet
from django.db.models.functions import Lower

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETERS, Parameter
from redundancy.models import Server, ServiceParameter
from redundancy.selectors import find
from redundancy.selectors.find import Criterion

Typed = str | int | bool

PER_NODE = tuple(parameter for parameter in PARAMETERS if parameter.per_node)
# Fields of *Find where*: name in the address -> column.
FIELDS: dict[str, str] = {"server": "server__name", "value": "value"}
_COLUMNS: dict[str, F | Expression] = {
    "parameter": F("key"),
    "server": Lower("server__name"),
    "value": F("value"),
}


def typed_value(parameter: Parameter, text: str) -> Typed:
    """Return a stored value as what it is: True or False, or a number."""
    return text == "True" if parameter.unit == "bool" else int(text)


def value(key: str, server: Server | None = None) -> Typed:
    """Return the present value of the parameter; ``server`` for one that each node has."""
    stored = ServiceParameter.objects.filter(key=key, server=server).first()
    parameter = PARAMETER_BY_KEY[key]
    return typed_value(parameter, stored.value if stored else parameter.default)


def clusterwide() -> dict[str, Typed]:
    """Return every clusterwide parameter by its key, in one query."""
    return {key: typed_value(PARAMETER_BY_KEY[key], text) for key, text in texts().items()}


def of_node(server: Server) -> dict[str, Typed]:
    """Return every parameter that each node has for itself, by its key, in one query."""
    return {
        key: typed_value(PARAMETER_BY_KEY[key], text)
        for key, text in of_nodes([server.pk])[server.pk].items()
    }


def texts(server: Server | None = None) -> dict[str, str]:
    """Return every clusterwide parameter as it is stored, and those of ``server``; by their keys."""
    stored = ServiceParameter.objects.filter(server=None).values_list("key", "value")
    found = {parameter.key: parameter.default for parameter in PARAMETERS if not parameter.per_node}
    found |= dict(stored)
    return found if server is None else found | of_nodes([server.pk])[server.pk]


def of_nodes(server_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Return the parameters that each of these nodes has for itself, as they are stored; one query."""
    found = {pk: {parameter.key: parameter.default for parameter in PER_NODE} for pk in server_ids}
    rows = ServiceParameter.objects.filter(server__in=list(found))
    for pk, key, text in rows.values_list("server_id", "key", "value"):
        assert pk is not None
        found[pk][key] = text
    return found


@dataclass(frozen=True, slots=True)
class PairValue:
    """A parameter that both nodes of a group have, and its value on each, in the order of the group."""

    parameter: Parameter
    cells: tuple[tuple[Server, str], ...]

    @property
    def matches(self) -> bool:
        """Whether both nodes have the same value."""
        return len({value for _, value in self.cells}) < 2


def of_pair(servers: Sequence[Server]) -> list[PairValue]:
    """Return the parameters that must match between the nodes of a group."""
    values = of_nodes(server.pk for server in servers)
    return [
        PairValue(each, tuple((server, values[server.pk][each.key]) for server in servers))
        for each in PER_NODE
    ]


def find_modified(criteria: Iterable[Criterion], sort: str) -> QuerySet[ServiceParameter]:
    """Return the parameters that match and differ from their default, each with its server."""
    rows = ServiceParameter.objects.select_related("server")
    return find.order(find.apply(rows, criteria, FIELDS), sort, _COLUMNS)
