"""The SSH server of the tests of SSH, for those of the client, too."""

from tests.ssh.conftest import cluster, keys, people, play

__all__ = ["cluster", "keys", "people", "play"]
