"""Reads of service parameters: the stored value, or the default of the catalogue."""

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETERS, Parameter
from redundancy.models import Server, ServiceParameter

Typed = str | int | bool


def typed(parameter: Parameter, text: str) -> Typed:
    """Return a stored value as what it is: True or False, or a number."""
    return text == "True" if parameter.unit == "bool" else int(text)


def value(key: str, server: Server | None = None) -> Typed:
    """Return the present value of the parameter; ``server`` for one that each node has."""
    stored = ServiceParameter.objects.filter(key=key, server=server).first()
    parameter = PARAMETER_BY_KEY[key]
    return typed(parameter, stored.value if stored else parameter.default)


def clusterwide() -> dict[str, Typed]:
    """Return every clusterwide parameter by its key, in one query."""
    return _present(None, per_node=False)


def of_node(server: Server) -> dict[str, Typed]:
    """Return every parameter that each node has for itself, by its key, in one query."""
    return _present(server, per_node=True)


def _present(server: Server | None, *, per_node: bool) -> dict[str, Typed]:
    stored = dict(ServiceParameter.objects.filter(server=server).values_list("key", "value"))
    return {
        parameter.key: typed(parameter, stored.get(parameter.key, parameter.default))
        for parameter in PARAMETERS
        if parameter.per_node == per_node
    }
