"""A session at the prompt ``admin:``: fixed commands that only read are typed, and all that comes is kept."""

import asyncio
import re
import socket
from collections.abc import Sequence
from pathlib import Path

import asyncssh

from redundancy.pull.connecting import connected
from redundancy.pull.sources import LARGEST, PullFailed, Source, Time, said
from redundancy.pull.statements import COMMANDS
from redundancy.srm.words import say

_PROMPT = re.compile(rb"(?:^|[\r\n])admin:\Z")
_PAGING = re.compile(
    rb"Press <enter> for 1 line, <space> for one page, or <q> to quit(?:\x1b\[[0-9;]*m)?\s*\Z"
)
_QUESTION = re.compile(rb"Continue \(y/n\)\?\s*\Z")
# Where they stand: at the end of what came.
_TAIL = 200
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
_FAILED = b"Executed command unsuccessfully"
_BLOCK = 65_536
# Of a terminal: what is wider would be wrapped, what is longer be cut into pages.
_WIDTH, _ROWS = 1_000, 1_000


class _Client(asyncssh.SSHClient):
    """Takes the host key that was given, and remembers another one that is not known."""

    def __init__(self, source: Source) -> None:
        self._given = source.host_key
        self.key: asyncssh.SSHKey | None = None

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002 - the signature is asyncssh's
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        """Take the key, or refuse it."""
        self.key = key
        return bool(self._given) and key.get_fingerprint() == self._given


def ask(
    source: Source, password: str, time: Time, commands: Sequence[str] = COMMANDS
) -> list[tuple[str, bytes]]:
    """Return the transcript of a session. Raises PullFailed; all or nothing."""
    known = _known_hosts(source)
    sock = connected(source, time)
    try:
        sock.setblocking(False)
        data = asyncio.run(_hold(source, password, time, known, sock, commands))
    except TimeoutError:
        raise time.over() from None
    finally:
        sock.close()
    return [(source.title, data)]


def _known_hosts(source: Source) -> asyncssh.SSHKnownHosts:
    if source.host_key:
        return asyncssh.import_known_hosts("")
    default = Path("~/.ssh/known_hosts").expanduser()
    path = Path(source.known_hosts) if source.known_hosts else default
    if not source.known_hosts and not path.exists():
        return asyncssh.import_known_hosts("")
    try:
        return asyncssh.read_known_hosts(str(path))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else ""
        raise PullFailed(
            say(
                "Known hosts: {file} cannot be used: {why}.",
                file=str(path),
                why=why or say("it has no list of host keys"),
            )
        ) from None


async def _hold(
    source: Source,
    password: str,
    time: Time,
    known: asyncssh.SSHKnownHosts,
    sock: socket.socket,
    commands: Sequence[str],
) -> bytes:
    client = _Client(source)
    async with asyncio.timeout(time.left()):
        try:
            connection, _ = await asyncssh.create_connection(
                lambda: client,
                sock=sock,
                # With a socket that is given it would be known by its address alone.
                host_key_alias=source.host,
                known_hosts=known,
                username=source.user,
                password=password,
                config=None,
                client_keys=None,
                agent_path=None,
                x509_trusted_certs=None,
                preferred_auth="password,keyboard-interactive",
                login_timeout=0,
            )
        except asyncssh.PermissionDenied:
            raise PullFailed(
                say("User, Password: {host} lets nobody in with these by SSH.", host=source.host)
            ) from None
        except asyncssh.HostKeyNotVerifiable as error:
            raise _unknown(source, client, str(error)) from None
        except (OSError, asyncssh.Error) as error:
            raise _broken(source, error, password) from None
        try:
            process = await connection.create_process(
                term_type="dumb", term_size=(_WIDTH, _ROWS), encoding=None
            )
            return await _Conversation(source, process).hold(commands)
        except (OSError, asyncssh.Error) as error:
            raise _broken(source, error, password) from None
        finally:
            connection.abort()


def _unknown(source: Source, client: _Client, why: str) -> PullFailed:
    if client.key is None:
        return PullFailed(
            say("Host key: {host} is not trusted: {why}.", host=source.host, why=said(why))
        )
    return PullFailed(
        say(
            "Host key: {host} shows {fingerprint} ({algorithm}), which is not the one that was given, nor a known one. "
            "Compare it with the server's own before it is trusted.",
            host=source.host,
            fingerprint=client.key.get_fingerprint(),
            algorithm=client.key.get_algorithm(),
        )
    )


def _broken(source: Source, error: Exception, password: str) -> PullFailed:
    why = said(str(error), password) or type(error).__name__
    return PullFailed(say("Host: the session with {host} broke: {why}.", host=source.host, why=why))


class _Conversation:
    """What is typed, and what comes."""

    def __init__(self, source: Source, process: "asyncssh.SSHClientProcess[bytes]") -> None:
        self._source, self._process = source, process
        self._came = bytearray()

    async def hold(self, commands: Sequence[str]) -> bytes:
        """Type the commands one by one, and return all that came."""
        await self._until_prompt()
        for command in commands:
            self._type(f"{command}\r")
            answer = await self._until_prompt()
            self._judge(command, answer)
        return bytes(self._came)

    def _type(self, text: str) -> None:
        self._process.stdin.write(text.encode())

    async def _until_prompt(self) -> bytes:
        """Return what comes up to the next prompt. Pages are turned, and questions answered by no."""
        begin = mark = len(self._came)
        while True:
            block = await self._process.stdout.read(_BLOCK)
            if not block:
                raise PullFailed(
                    say(
                        "Host: {host} ended the session before it was over.", host=self._source.host
                    )
                )
            self._came += block
            if len(self._came) > LARGEST:
                limit = LARGEST // 1024 // 1024
                raise PullFailed(
                    say(
                        "Host: its answers must not be larger than {limit} MB together.",
                        limit=limit,
                    )
                )
            tail = bytes(self._came[max(mark, len(self._came) - _TAIL) :])
            if _PROMPT.search(tail):
                return bytes(self._came[begin:])
            if _PAGING.search(tail) or _QUESTION.search(tail):
                self._type(" " if _PAGING.search(tail) else "n\r")
                mark = len(self._came)

    def _judge(self, command: str, answer: bytes) -> None:
        """Raise PullFailed where the answer is of another command, or a part of the cluster's data is missing."""
        text = _ESCAPES.sub(b"", answer).lstrip()
        if not text.startswith(command.encode()):
            raise PullFailed(
                say(
                    "Host: {host} shows something else than what is typed at its prompt.",
                    host=self._source.host,
                )
            )
        if command.startswith("run sql ") and _FAILED in text:
            lines = text.decode("utf-8", "replace").splitlines()[1:]
            why = next((line for line in lines if line.strip()), "")
            raise PullFailed(
                say(
                    "Host: {host} does not carry out {command}: {why}.",
                    host=self._source.host,
                    command=command,
                    why=said(why).rstrip("."),
                )
            )
