"""The password of a pull: from the environment, from a file of its own, or typed. Never an argument, never kept."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from redundancy.pull.sources import PullFailed
from redundancy.secret_files import is_private
from redundancy.srm.words import say

_LARGEST = 4096


def password_of(given: str, file: Path | None = None, ask: Callable[[], str] | None = None) -> str:
    """Return the password: the first line of ``file``, else what the environment has given, else what ``ask`` returns.

    Raises:
        PullFailed: There is none, or the file cannot be read, or others could read it, too.

    """
    if file is not None:
        return _read(file)
    if given:
        return given
    if ask is not None:
        return ask()
    raise PullFailed(say("Password: there is nobody to ask for it, and none is given."))


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if not is_private(mode):
                raise PullFailed(
                    say(
                        "Password file: {file} has the mode {mode}; it must be 600, for its owner alone.",
                        file=str(file),
                        mode=f"{mode:03o}",
                    )
                )
            data = opened.read(_LARGEST)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise PullFailed(
            say("Password file: {file} cannot be read: {why}.", file=str(file), why=why)
        ) from None
    return data.decode("utf-8", "replace").partition("\n")[0].rstrip("\r")
