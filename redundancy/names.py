"""Names of nodes: as they are, or as a host name alone or with a domain. Pure."""

from collections.abc import Iterable


class NodeNames:
    """Finds nodes by name, written as it is or as its host name alone or with a domain."""

    def __init__(self, names: Iterable[tuple[int, str]]) -> None:
        self._whole: dict[str, tuple[int, str]] = {}
        self._hosts: dict[str, list[tuple[int, str]]] = {}
        for pk, name in names:
            self._whole[name.lower()] = (pk, name)
            self._hosts.setdefault(_host(name), []).append((pk, name))

    def meant(self, name: str) -> list[tuple[int, str]]:
        """Return key and name of the nodes that ``name`` may mean: of one when it is its whole name."""
        if (same := self._whole.get(name.lower())) is not None:
            return [same]
        alike = self._hosts.get(_host(name), [])
        # Two different domains are two different nodes.
        return [each for each in alike if name.lower() == _host(name) or "." not in each[1]]


def _host(name: str) -> str:
    """Return the host name of a server in lower case; an IP address has none, and stays as it is."""
    host = name.lower().partition(".")[0]
    return name.lower() if host.isdecimal() or ":" in name else host
