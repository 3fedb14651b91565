"""The command ``cucm-admin`` of an installed package."""

import os
import re
import sys

USAGE = """cucm-admin               start everything in this terminal; Ctrl-C stops it
cucm-admin process NAME  become one process of the Procfile (web, sweep, moves, ssh, soap, beat, release)
cucm-admin COMMAND ...   as manage.py in a checkout: admincli, audit, backup, restore, rehearse, ...
cucm-admin help          list the commands
"""


def become(names: list[str]) -> int:
    """Become the process of the Procfile that is named, as service managers start it.

    A second one of a kind has a number behind its name: ``sweep-2``.
    """
    from cucm_admin import places
    from cucm_admin.stack import procfile

    commands = procfile.load(places.ROOT / "Procfile")
    kind = re.sub(r"-\d+$", "", names[0]) if len(names) == 1 else ""
    if kind not in commands:
        sys.exit(f"cucm-admin process: name one of {', '.join(commands)}")
    command = procfile.with_this_python(commands[kind])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")
    os.execv(command[0], command)


def main() -> int:
    """Start the product, or run the management command that is named."""
    if len(sys.argv) == 1:
        from cucm_admin.stack.run import main as run

        return run([])
    if sys.argv[1] in {"-h", "--help"}:
        sys.stdout.write(USAGE)
        return 0
    if sys.argv[1] == "process":
        return become(sys.argv[2:])
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cucm_admin.settings")
    execute_from_command_line(sys.argv)
    return 0
