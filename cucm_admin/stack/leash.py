"""Tie a command to the life of the process that starts it, then become that command.

The supervisor runs this file by itself (``python -I -S leash.py PARENT COMMAND...``) in front of
every child: between fork and exec only a fresh interpreter is safe to run code in. When the
supervisor is killed without a chance to clean up, the kernel then ends its children.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(signal_number: int) -> None:
    """Ask the kernel to send this process ``signal_number`` when its parent ends.

    Does nothing where there is no such call: the next start looks for leftovers anyway.
    """
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    except (AttributeError, OSError):
        return


def main(parent: int, command: list[str]) -> None:
    """Become ``command``, unless ``parent`` is gone already."""
    end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
