"""Start the whole product and keep it running until it is told to stop."""

import argparse
import contextlib
import io
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from cucm_admin import env as settings_env
from cucm_admin import places
from cucm_admin.stack import checks, leash, leftovers, prepare, procfile, valkey
from cucm_admin.stack.console import Console, wants_colour
from cucm_admin.stack.supervisor import OWN_NAME, Spec, Supervisor

BASE_DIR = places.ROOT


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
    settings_env.keep_private()
    folder = settings_env.data_dir(places.home(), env)
    host, port = checks.bind_address(env), checks.port_number(env)
    commands = procfile.load(BASE_DIR / "Procfile")
    embedded = not env.get("REDIS_URL", "").strip()
    proxied = settings_env.flag("HTTPS", False, env)
    names = (*commands, "valkey", OWN_NAME)
    with checks.take_folder(folder):
        state = folder / "stack.json"
        left = leftovers.still_there(
            leftovers.load(state, leftovers.boot_id()), os.fsencode(f"VAR_DIR={folder}")
        )
        leftovers.stop(left)
        # What was killed a moment ago may hold the port until the system has cleared it up.
        patience = 3.0 if state.exists() else 0.0
        with checks.listen(host, port, patience) as server, contextlib.ExitStack() as open_too:
            sockets: dict[str, socket.socket | None] = {procfile.WEB: server}
            without = []
            for name, extra in ((procfile.SSH, checks.SSH), (procfile.SOAP, checks.SOAP)):
                sockets[name], why = checks.listen_for(extra, host, patience, env)
                if each := sockets[name]:
                    open_too.enter_context(each)
                without += [why] if why else []
            if isinstance(sys.stdout, io.TextIOWrapper):
                # A terminal that cannot show a character is no reason to stop.
                sys.stdout.reconfigure(errors="replace")
            console = Console(sys.stdout, names, colour=wants_colour(sys.stdout, env))
            with Supervisor(
                console, state, env=children_env(env, folder), cwd=BASE_DIR
            ) as supervisor:
                if left:
                    supervisor.say(f"Stopped what an earlier start left running: {listed(left)}")
                for why in without:
                    supervisor.say(why)
                return serve(
                    supervisor, commands, folder, sockets, embedded=embedded, proxied=proxied
                )


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
        "ALARM_ALLOW_PRIVATE": env.get("ALARM_ALLOW_PRIVATE", "").strip() or "1",
        # Celery's advice to name another user is for a system service; in a container all is root's.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        # Threads of one process share their free memory, instead of hoarding it each.
        "MALLOC_ARENA_MAX": env.get("MALLOC_ARENA_MAX", "2"),
        # Where setproctitle is installed, Celery writes titles over its environment, by which the
        # next start knows what an earlier one left running.
        "SPT_NOENV": "1",
    }


def serve(
    supervisor: Supervisor,
    commands: Mapping[str, list[str]],
    folder: Path,
    sockets: Mapping[str, socket.socket | None],
    *,
    embedded: bool,
    proxied: bool,
) -> int:
    """Start everything in its order, and serve it until it is over. Return the exit code.

    ``sockets``: that of each process that listens; None where it is not to run.
    """
    if embedded and not start_valkey(supervisor, folder):
        return int(not supervisor.stop_requested)
    # On one machine the environment is all there is: what it does not give is the default.
    release = {procfile.RELEASE: [*commands[procfile.RELEASE], prepare.DEFAULTS]}
    code = supervisor.run_once(spec_of(procfile.RELEASE, release))
    if supervisor.over or code:
        return int(not supervisor.stop_requested)
    left_out = {procfile.RELEASE, *(name for name, socket in sockets.items() if socket is None)}
    for name in commands:
        if name not in left_out:
            supervisor.start(spec_of(name, commands, sockets.get(name)))
    web = sockets[procfile.WEB]
    assert web is not None
    Greeting(supervisor, *web.getsockname()[:2], proxied=proxied)
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
    return Spec(name, (*command, "--fd", str(descriptor)), pass_fds=(descriptor,))


def start_valkey(supervisor: Supervisor, folder: Path) -> bool:
    """Start the embedded Valkey; return whether it answers."""
    address = settings_env.valkey_socket(folder)
    data = folder / "valkey"
    valkey.make_room(address, data)
    if moved := valkey.put_dump_away(data):
        supervisor.say(moved)
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

    def __init__(self, supervisor: Supervisor, host: str, port: int, *, proxied: bool) -> None:
        self._supervisor = supervisor
        self._proxied = proxied
        # All addresses (0.0.0.0 and ::) have this machine's own among them.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        site = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._url = f"http://{site}/"
        self._client = socket.create_connection((host, port))
        self._client.sendall(f"GET / HTTP/1.0\r\nHost: {site}\r\n\r\n".encode())
        supervisor.watch(self._client, self._answered)

    def _answered(self) -> None:
        self._supervisor.unwatch(self._client)
        self._client.close()
        whose = "for the proxy, as HTTPS is on; " if self._proxied else ""
        self._supervisor.say(f"Ready: {self._url}   ({whose}Ctrl-C stops everything)")
