"""What must be true before anything is started. Each failure ends the process with one line."""

import errno
import fcntl
import ipaddress
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cucm_admin.env import BadSetting, number

DEFAULT_PORT = 8000


@dataclass(frozen=True, slots=True)
class Extra:
    """A port that the product does without when nobody asked for it: its ``setting`` and the ``usual`` one."""

    name: str
    setting: str
    usual: int


SSH = Extra("SSH", "SSH_PORT", 2222)
SOAP = Extra("SOAP", "SOAP_PORT", 8443)


def port_number(env: Mapping[str, str] = os.environ) -> int:
    """Return ``PORT``, the port of the web pages."""
    raw = env.get("PORT", "").strip()
    if not raw:
        return DEFAULT_PORT
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= 65535):
        raise BadSetting("PORT", f"must be a whole number from 1 to 65535, not {raw!r}")
    return int(raw)


def listen_for(
    extra: Extra,
    host: str,
    patience: float = 0.0,
    env: Mapping[str, str] = os.environ,
    *,
    must: bool = False,
) -> tuple[socket.socket | None, str]:
    """Return a socket on the port of ``extra``, or None with a sentence that says why there is none.

    A port that was asked for must be free, and so ``must`` the usual one be where nothing else is started.
    """
    asked = must or bool(env.get(extra.setting, "").strip())
    port = int(number(extra.setting, extra.usual, 0, 65535, env))
    if not port:
        return None, ""
    try:
        return listen(host, port, patience, extra.setting), ""
    except BadSetting:
        if asked:
            raise
        busy = f"port {port} is in use. {extra.setting} chooses another one"
        return None, f"{extra.name} is not served: {busy}"


def bind_address(env: Mapping[str, str] = os.environ) -> str:
    """Return ``BIND``, the address of this machine that the web pages listen on."""
    raw = env.get("BIND", "127.0.0.1").strip() or "127.0.0.1"
    try:
        return str(ipaddress.ip_address(raw.strip("[]")))
    except ValueError:
        raise BadSetting(
            "BIND", f"must be an address such as 127.0.0.1, 0.0.0.0 (all) or ::1, not {raw!r}"
        ) from None


def take_folder(folder: Path) -> TextIO:
    """Return the lock that keeps ``folder`` for one running stack, held while the file is open.

    The system itself releases it when the process ends, however it ends.
    """
    path = folder / "stack.lock"
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
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


def listen(host: str, port: int, patience: float = 0.0, name: str = "PORT") -> socket.socket:
    """Return a socket that listens on ``port`` of this machine's address ``host``.

    It is opened here, once, and handed to the web server: nobody can take the port between the
    check and its use, and while the web server restarts, browsers wait instead of being refused.
    ``patience`` is how many seconds a port may stay busy, for what is just ending; ``name`` the
    setting that gives the port.
    """
    deadline = time.monotonic() + patience
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        server = socket.socket(family, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host, port))
            server.listen(128)
        except OSError as error:
            server.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise BadSetting("BIND", f"{host} is no address of this machine") from None
            if error.errno != errno.EADDRINUSE:
                raise BadSetting(name, f"cannot use {port}: {error.strerror}") from None
            if time.monotonic() >= deadline:
                raise BadSetting(
                    name, f"{port} is in use by another program; choose another one"
                ) from None
            time.sleep(0.1)
        else:
            return server
