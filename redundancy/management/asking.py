"""Ask a cluster itself on the command line: the arguments, the password, the transcript."""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from redundancy.pull.passwords import password_of
from redundancy.pull.pulling import pull
from redundancy.pull.sources import AXL, PORTS, SSH, PullFailed, Source
from redundancy.srm.words import english

# What goes with a host alone, and what with one kind of asking.
_ALL = ("user", "port", "password_file", "transcript")
_ONLY = {AXL: ("ca", "no_verify"), SSH: ("known_hosts", "host_key")}
Texts = list[tuple[str, bytes]]


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    asked = parser.add_argument_group(
        "asking a cluster", "The password is typed, or taken from CLUSTER_PASSWORD or a file."
    )
    for kind, what in ((AXL, "by AXL"), (SSH, "over SSH, at the prompt admin:")):
        asked.add_argument(
            f"--{kind}",
            action="append",
            default=[],
            metavar="HOST",
            help=f"in place of FILE: ask this server {what}; may be given several times",
        )
    asked.add_argument("--user", default="", help="whose password it is")
    asked.add_argument(
        "--port", type=int, help=f"of the server; else {PORTS[AXL]} for AXL, {PORTS[SSH]} for SSH"
    )
    asked.add_argument(
        "--ca", default="", metavar="FILE", help="with --axl: the certificates to be trusted (PEM)"
    )
    asked.add_argument(
        "--no-verify", action="store_true", help="with --axl: do not verify the certificate"
    )
    asked.add_argument(
        "--known-hosts",
        default="",
        metavar="FILE",
        help="with --ssh: the host keys that are known; else ~/.ssh/known_hosts",
    )
    asked.add_argument(
        "--host-key",
        default="",
        metavar="SHA256:…",
        help="with --ssh: the fingerprint of the host key that is trusted in their place",
    )
    asked.add_argument(
        "--password-file", type=Path, metavar="FILE", help="its first line; of mode 600"
    )
    asked.add_argument(
        "--transcript", type=Path, metavar="FILE", help="write what the servers answer, too"
    )


def sources(options: dict[str, Any]) -> list[Source]:
    """Return the servers to be asked; none where files are given. Raises CommandError."""
    kinds = [kind for kind in (AXL, SSH) if options[kind]]
    given = [name for name in (*_ALL, *_ONLY[AXL], *_ONLY[SSH]) if options[name]]
    if not kinds:
        if given:
            raise CommandError(f"{_option(given[0])} goes with --axl or --ssh.", returncode=2)
        return []
    if len(kinds) > 1 or options["files"]:
        raise CommandError("Give one of FILE, --axl and --ssh.", returncode=2)
    (kind,) = kinds
    for other in {AXL, SSH} - {kind}:
        if wrong := [name for name in _ONLY[other] if options[name]]:
            raise CommandError(f"{_option(wrong[0])} goes with --{other}.", returncode=2)
    if options["known_hosts"] and options["host_key"]:
        raise CommandError("--known-hosts is given without --host-key.", returncode=2)
    if options["ca"] and options["no_verify"]:
        raise CommandError("--ca is given without --no-verify.", returncode=2)
    port = PORTS[kind] if options["port"] is None else options["port"]
    return [
        Source(
            kind,
            host,
            options["user"],
            port,
            ca=options["ca"],
            verify=not options["no_verify"],
            known_hosts=options["known_hosts"],
            host_key=options["host_key"],
        )
        for host in dict.fromkeys(options[kind])
    ]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def answers(asked: list[Source], options: dict[str, Any]) -> Texts:
    """Return what all of them tell, and write it where that was wanted. Raises CommandError: then nothing is."""
    typed = (lambda: getpass.getpass("Password: ")) if sys.stdin.isatty() else None
    with _transcript(options["transcript"]) as write:
        try:
            given = os.environ.get("CLUSTER_PASSWORD", "")
            password = password_of(given, options["password_file"], typed)
            texts = [text for each in asked for text in pull(each, password)]
        except PullFailed as failed:
            raise CommandError(english(failed.rule), returncode=2) from None
        for _, data in texts:
            write(data)
    return texts


@contextmanager
def _transcript(path: Path | None) -> Iterator[Any]:
    """Yield what writes to a file that was not there; it is removed again where the work fails."""
    if path is None:
        yield lambda _data: None
        return
    try:
        # Before anybody is asked.
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CommandError(f"{path}: it cannot be written: {why}.", returncode=2) from None
    try:
        with open(number, "wb") as file:  # noqa: PTH123 - it is open already
            yield file.write
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        why = error.strerror or type(error).__name__
        raise CommandError(f"{path}: it cannot be written: {why}.", returncode=2) from None
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
