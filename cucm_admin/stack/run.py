"""Start the whole product and keep it running until it is told to stop."""

import argparse
import io
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from cucm_admin import env as settings_env
from cucm_admin.stack import checks, leash, leftovers, procfile, valkey
from cucm_admin.stack.console import Console, wants_colour
from cucm_admin.stack.supervisor import OWN_NAME, Spec, Supervisor

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str], env: Mapping[str, str] = os.environ) -> int:
    """Run the stack in the foreground and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m cucm_admin.stack", description=__doc__)
    parser.add_argument(
        "--with-parent",
        action="store_true",
        help="stop when the process that started this one ends",
    )
    if parser.parse_args(arguments).with_parent:
        # make is killed without passing it on.
        leash.end_with_parent(signal.SIGTERM)
    try:
        return start(env)
    except KeyboardInterrupt:
        return 1


def start(env: Mapping[str, str]) -> int:
    """Check, take the data folder and the port, clear up after an earlier start, and serve."""
    folder = settings_env.data_dir(BASE_DIR, env)
    port = checks.port_number(env)
    commands = procfile.load(BASE_DIR / "Procfile")
    embedded = not env.get("REDIS_URL", "").strip()
    names = (*commands, "valkey", OWN_NAME)
    with checks.take_folder(folder):
        state = folder / "stack.json"
        left = leftovers.still_there(
            leftovers.load(state, leftovers.boot_id()), os.fsencode(f"VAR_DIR={folder}")
        )
        leftovers.stop(left)
        # What was killed a moment ago may hold the port until the system has cleared it up.
        with checks.listen(port, patience=3.0 if state.exists() else 0.0) as server:
            if isinstance(sys.stdout, io.TextIOWrapper):
                # A terminal that cannot show a character is no reason to stop.
                sys.stdout.reconfigure(errors="replace")
            console = Console(sys.stdout, names, colour=wants_colour(sys.stdout, env))
            with Supervisor(
                console, state, env=children_env(env, folder), cwd=BASE_DIR
            ) as supervisor:
                if left:
                    supervisor.say(f"Stopped what an earlier start left running: {listed(left)}")
                return serve(supervisor, commands, folder, server, embedded=embedded)


def listed(marks: list[leftovers.ProcessMark]) -> str:
    """Return the names and numbers of processes for a sentence."""
    return ", ".join(f"{mark.name} ({mark.pid})" for mark in marks)


def children_env(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment of the children: that of this process, completed for one machine."""
    return {
        **env,
        "DJANGO_SETTINGS_MODULE": "cucm_admin.settings",
        "VAR_DIR": str(folder),
        "PYTHONUNBUFFERED": "1",
        # One machine's stack is a lab; on several machines it is asked for.
        "FAULT_LAB": env.get("FAULT_LAB", "").strip() or "1",
        # Celery's advice to name another user is for a system service; in a container all is root's.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        # Threads of one process share their free memory, instead of hoarding it each.
        "MALLOC_ARENA_MAX": env.get("MALLOC_ARENA_MAX", "2"),
        # Where setproctitle is installed, gunicorn and Celery write titles over their environment,
        # by which the next start knows what an earlier one left running.
        "SPT_NOENV": "1",
    }


def serve(
    supervisor: Supervisor,
    commands: Mapping[str, list[str]],
    folder: Path,
    server: socket.socket,
    *,
    embedded: bool,
) -> int:
    """Start everything in its order, and serve it until it is over. Return the exit code."""
    if embedded and not start_valkey(supervisor, folder):
        return int(not supervisor.stop_requested)
    code = supervisor.run_once(spec_of(procfile.RELEASE, commands))
    if supervisor.over or code:
        return int(not supervisor.stop_requested)
    for name in commands:
        if name != procfile.RELEASE:
            supervisor.start(spec_of(name, commands, server if name == procfile.WEB else None))
    Greeting(supervisor, server.getsockname()[1])
    supervisor.wait_until(lambda: False)
    return int(supervisor.gave_up is not None)


def spec_of(
    name: str, commands: Mapping[str, list[str]], server: socket.socket | None = None
) -> Spec:
    """Return how to run the process ``name``, with the listening socket ``server`` if it has one."""
    command = tuple(procfile.with_this_python(commands[name]))
    if server is None:
        return Spec(name, command, once=name == procfile.RELEASE)
    descriptor = server.fileno()
    return Spec(name, (*command, "--bind", f"fd://{descriptor}"), pass_fds=(descriptor,))


def start_valkey(supervisor: Supervisor, folder: Path) -> bool:
    """Start the embedded Valkey; return whether it answers."""
    address = settings_env.valkey_socket(folder)
    data = folder / "valkey"
    valkey.make_room(address, data)
    command = tuple(valkey.command(address, data))
    supervisor.start(Spec("valkey", command, ends_last=True, quiet=True))
    if supervisor.wait_until(lambda: valkey.answers(address), seconds=10.0, step=0.05):
        return True
    if not supervisor.over:
        supervisor.say("The embedded Valkey does not answer.")
    return False


class Greeting:
    """Ask for the first page, and when it comes, say where it is.

    The request waits in the socket's queue until the web process is there to answer it.
    """

    def __init__(self, supervisor: Supervisor, port: int) -> None:
        self._supervisor = supervisor
        self._url = f"http://{checks.HOST}:{port}/"
        self._client = socket.create_connection((checks.HOST, port))
        self._client.sendall(f"GET / HTTP/1.0\r\nHost: {checks.HOST}:{port}\r\n\r\n".encode())
        supervisor.watch(self._client, self._answered)

    def _answered(self) -> None:
        self._supervisor.unwatch(self._client)
        self._client.close()
        self._supervisor.say(f"Ready: {self._url}   (Ctrl-C stops everything)")
