"""Read the Procfile: the one place where the commands of the processes are written."""

import shlex
import sys
from pathlib import Path

# The set-up step, run to its end before all others; and the one that gets the listening socket.
RELEASE = "release"
WEB = "web"
# They may be switched off, and the product does without their port when nobody asked for that one.
SSH, SOAP = "ssh", "soap"


def parse(text: str) -> dict[str, list[str]]:
    """Return the command of each process type of a Procfile, by name."""
    commands = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, command = line.partition(":")
        if not colon or not command.strip():
            raise ValueError(f"not of the form 'name: command': {line!r}")
        commands[name.strip()] = shlex.split(command)
    return commands


def load(path: Path) -> dict[str, list[str]]:
    """Return the commands of the file ``path``, or end with one line that says what is wrong."""
    try:
        commands = parse(path.read_text())
    except (OSError, ValueError) as error:
        raise SystemExit(f"Procfile: {error}") from None
    if missing := {RELEASE, WEB} - commands.keys():
        raise SystemExit(f"Procfile: there is no {' and no '.join(sorted(missing))}")
    return commands


def with_this_python(command: list[str]) -> list[str]:
    """Return ``command`` run by the interpreter that runs now, whatever the search path holds."""
    program, *arguments = command
    if program == "python":
        return [sys.executable, *arguments]
    return [sys.executable, "-m", program, *arguments]
