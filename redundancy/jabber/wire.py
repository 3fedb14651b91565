"""Messages to the Client Profile Agent, over one HTTP connection that is kept open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote, urlsplit

from lxml import etree

from redundancy.soap.envelope import Malformed, Version, close_envelope, open_envelope, wrap
from redundancy.soap.epas.service import EPAS
from redundancy.soap.fields import Field, Invalid, read, write

NAMESPACE = EPAS.namespaces[-1]
PATH = "/EPASSoap/service"
# Wall seconds for an answer besides those that are waited for, and bytes of it.
SECONDS, LARGEST = 30.0, 8_000_000
# What Jabber logs where nobody answers in time, or nobody at all, or not what is expected.
UNREACHABLE, TIMEOUT = "LERR_CUP_UNREACHABLE", "LERR_CUP_TIMEOUT"
INTERNAL, AUTHENTICATION = "LERR_CUP_INTERNAL_ERROR", "LERR_JABBER_AUTH <17>"
# The code of a failure that is said in Jabber's words.
WORDS = {"wrong-password": AUTHENTICATION}


class NotDone(Exception):
    """What was asked for was not done. ``code``: that of the failure, or Jabber's word; ``node``: where it would be."""

    def __init__(self, code: str, reason: str, node: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.node = node

    @property
    def word(self) -> str:
        """Return how it is counted."""
        return WORDS.get(self.code, self.code)


@dataclass(slots=True)
class Line:
    """A connection to the web process at ``host`` and ``port``; not for several threads at once."""

    host: str
    port: int
    _http: HTTPConnection | None = field(default=None, repr=False)

    def ask(
        self,
        operation: str,
        values: Mapping[str, object],
        *,
        node: str = "",
        waits: float = 0.0,
    ) -> dict[str, object]:
        """Return the ``success`` of an operation at ``node``; empty: at whichever serves the user.

        Raises:
            NotDone: It failed, or there was no answer that can be read.

        """
        table = EPAS.operations[operation]
        body = _message(operation, table.request, values)
        path = f"/node/{quote(node, safe='')}{PATH}" if node else PATH
        status, answer = self._post(path, body, waits)
        try:
            message = open_envelope(answer)
            if message.name != table.answer_name:
                raise NotDone(INTERNAL, _fault_text(message.element) or f"HTTP status {status}")
            found = read(message.element, table.response)
        except (Malformed, Invalid) as error:
            raise NotDone(INTERNAL, f"HTTP status {status}: {error}") from None
        if failure := found.get("failure"):
            raise NotDone(
                failure.get("code") or INTERNAL,
                failure.get("reason") or "",
                failure.get("node") or "",
            )
        success: dict[str, object] = found.get("success") or {}
        return success

    def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _post(self, path: str, body: bytes, waits: float) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
        # A connection that was kept may have been closed meanwhile: then once more.
        for again in (self._http is not None, False):
            if self._http is None:
                self._http = HTTPConnection(self.host, self.port)
            self._http.timeout = SECONDS + waits
            if self._http.sock is not None:
                self._http.sock.settimeout(SECONDS + waits)
            try:
                self._http.request("POST", path, body, headers)
                response = self._http.getresponse()
                answer = response.read(LARGEST + 1)
                if len(answer) > LARGEST:
                    raise HTTPException("the answer is too long")
            except TimeoutError:
                self.close()
                raise NotDone(TIMEOUT, "no answer in time") from None
            except (OSError, HTTPException) as error:
                self.close()
                if again:
                    continue
                raise NotDone(UNREACHABLE, str(error) or type(error).__name__) from None
            if response.will_close:
                self.close()
            return response.status, answer
        raise AssertionError("unreachable")


def _message(operation: str, table: Sequence[Field], values: Mapping[str, object]) -> bytes:
    content = wrap(operation, NAMESPACE, write(table, values), qualified=True)
    return "".join(close_envelope(Version.V12, content)).encode()


def _fault_text(element: etree._Element) -> str:
    return " ".join(
        str(each.text or "").strip() for each in element.iter("{*}Text", "{*}faultstring")
    )


def where(url: str) -> tuple[str, int]:
    """Return host and port of ``url``.

    Raises:
        ValueError: It is not like ``http://HOST:PORT``.

    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("must be like http://127.0.0.1:8000")
    return parts.hostname, parts.port or 80
