"""The server's host keys: made once, kept for ever, readable by their owner only."""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import asyncssh

# Clients exist that know only the older one.
_KINDS: dict[str, Callable[[], asyncssh.SSHKey]] = {
    "ed25519": partial(asyncssh.generate_private_key, "ssh-ed25519"),
    "rsa": partial(asyncssh.generate_private_key, "ssh-rsa", key_size=3072),
}


def host_keys(folder: Path) -> list[Path]:
    """Return the files of the host keys in ``folder``; make those that are missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [_kept(folder / f"host_{name}", make) for name, make in _KINDS.items()]


def _kept(path: Path, make: Callable[[], asyncssh.SSHKey]) -> Path:
    if not path.exists():
        key = make()
        # Whole or not at all, and never readable by others: mkstemp makes it 0600.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.export_private_key())
            file.flush()
            os.fsync(file.fileno())
        # Of two processes that begin at once, the first one's key stays.
        try:
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
    return path
