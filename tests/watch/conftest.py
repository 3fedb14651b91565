"""The SSH server of the tests of SSH, for a watch over it."""

from tests.ssh.conftest import cluster, keys, people, play

__all__ = ["cluster", "keys", "people", "play"]
