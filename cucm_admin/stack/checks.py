"""What must be true before anything is started. Each failure ends the process with one line."""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from cucm_admin.env import BadSetting

HOST = "127.0.0.1"
DEFAULT_PORT = 8000


def port_number(env: Mapping[str, str] = os.environ) -> int:
    """Return ``PORT``, the port of the web pages."""
    raw = env.get("PORT", "").strip()
    if not raw:
        return DEFAULT_PORT
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= 65535):
        raise BadSetting("PORT", f"must be a whole number from 1 to 65535, not {raw!r}")
    return int(raw)


def take_folder(folder: Path) -> TextIO:
    """Return the lock that keeps ``folder`` for one running stack, held while the file is open.

    The system itself releases it when the process ends, however it ends.
    """
    path = folder / "stack.lock"
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+")
    except OSError as error:
        raise BadSetting("VAR_DIR", f"cannot write {path}: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = file.read().strip() or "unknown"
        raise BadSetting(
            "VAR_DIR", f"{folder} is in use by another start of this product: process {owner}"
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def listen(port: int, patience: float = 0.0) -> socket.socket:
    """Return a socket that listens on ``port`` of this machine only.

    It is opened here, once, and handed to the web server: nobody can take the port between the
    check and its use, and while the web server restarts, browsers wait instead of being refused.
    ``patience`` is how many seconds a port may stay busy, for what is just ending.
    """
    deadline = time.monotonic() + patience
    while True:
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
            server.listen(128)
        except OSError as error:
            server.close()
            if error.errno != errno.EADDRINUSE:
                raise BadSetting("PORT", f"cannot use {port}: {error.strerror}") from None
            if time.monotonic() >= deadline:
                raise BadSetting(
                    "PORT", f"{port} is in use by another program; choose another one"
                ) from None
            time.sleep(0.1)
        else:
            return server
