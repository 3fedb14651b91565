"""A CUCM of the tests: what it answers by AXL, how it misbehaves, and a TLS server in front of it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from cucm_admin.web import certificate
from redundancy.pull.https import Answer
from redundancy.pull.sources import AXL, Source

HOST, USER, PASSWORD = "127.0.0.1", "reader", "Correct-horse-9 <&>"
ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)
TABLES: dict[str, list[dict[str, str]]] = {
    "processnode": [
        {"pkid": "0", "name": "EnterpriseWideData", "tknodeusage": "1", "tkprocessnoderole": "1"},
        {"pkid": "1", "name": "cucm-pub", "tknodeusage": "0", "tkprocessnoderole": "1"},
        {"pkid": "2", "name": "imp-pub", "tknodeusage": "0", "tkprocessnoderole": "2"},
        {"pkid": "3", "name": "imp-sub", "tknodeusage": "1", "tkprocessnoderole": "2"},
    ],
    "enterprisesubcluster": [{"id": "5", "name": "DefaultCUPSubCluster", "haenabled": "t"}],
    "enterprisenode": [
        {
            "id": id,
            "name": name,
            "subclusterid": "5",
            "isprimary": primary,
            "tkhaserverstate": "3",
            "peerhanodeid": peer,
        }
        for id, name, primary, peer in (("2", "imp-pub", "t", "3"), ("3", "imp-sub", "f", "2"))
    ],
    "processconfig": [
        {"paramname": "Critical Service Delay", "paramvalue": "90", "fkprocessnode": "0"},
        {"paramname": "Client Re-Login Upper Limit", "paramvalue": "537", "fkprocessnode": "2"},
    ],
}


def fault(text: str, status: int = 500) -> Answer:
    """Return a fault of AXL."""
    content = (
        "<soapenv:Fault><faultcode>soapenv:Server</faultcode>"
        f"<faultstring>{escape(text)}</faultstring></soapenv:Fault>"
    )
    return Answer(status, {}, ENVELOPE.format(content).encode())


@dataclass
class Cucm:
    """What answers. ``first``: what it answers before all else; ``users``: how many it has.

    ``asked``: operation and statement of each request; ``versions``: those that it knows, empty: all.
    """

    first: list[Answer | None] = field(default_factory=list)
    users: int = 3
    fits: int = 1_000_000
    versions: str = ""
    tables: dict[str, list[dict[str, str]]] = field(default_factory=lambda: dict(TABLES))
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer a request."""
        assert path == "/axl/"
        content = etree.fromstring(body).find("{*}Body")
        assert content is not None
        operation = etree.QName(content[0]).localname
        sql = content[0].findtext("sql") or ""
        self.asked.append((operation, sql))
        self.headers.append(headers)
        if self.first and (answer := self.first.pop(0)) is not None:
            return answer
        version = str(etree.QName(content[0]).namespace).rpartition("/")[2]
        if self.versions and version not in self.versions.split(", "):
            text = f"HTTP Status 599 - Incorrect axl version. Supported axl versions are {self.versions}\n"
            return Answer(599, {}, text.encode())
        if operation == "executeSQLQuery":
            return self._rows(sql)
        if operation == "getCCMVersion":
            version = "<componentVersion><version>14.0.1.12900-161</version></componentVersion>"
            return self._good(operation, version)
        return fault(f"There is no operation {operation!r} here.")

    def _good(self, operation: str, content: str) -> Answer:
        namespace = 'xmlns:ns="http://www.cisco.com/AXL/API/12.5"'
        whole = f"<ns:{operation}Response {namespace}><return>{content}</return></ns:{operation}Response>"
        return Answer(200, {}, ENVELOPE.format(whole).encode())

    def _rows(self, sql: str) -> Answer:
        words = sql.split()
        table = words[words.index("from") + 1]
        if table != "enduser":
            return self._table(self.tables[table])
        if "count(*)" in sql:
            return self._table([{"count": str(self.users)}])
        skip, most = int(words[2]), int(words[4])
        found = range(self.users)[skip : skip + most]
        if len(found) >= self.fits:
            return fault(
                f"Query request too large. Total rows matched: {len(found)} rows. "
                f"Suggestive Row Fetch: less than {self.fits} rows"
            )
        return self._table([{"userid": f"user{n}", "primarynodeid": "2"} for n in found])

    def _table(self, rows: list[dict[str, str]]) -> Answer:
        told = (
            "<row>"
            + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items())
            + "</row>"
            for row in rows
        )
        return self._good("executeSQLQuery", "".join(told))


@dataclass
class Clock:
    """A clock that goes only when somebody waits. ``waited``: how long each time."""

    now: float = 0.0
    waited: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


def source(port: int = 8443, **more: Any) -> Source:
    return Source(AXL, **{"host": HOST, "user": USER, "port": port, **more})


class Handler(BaseHTTPRequestHandler):
    """Answers as the CUCM of its server does."""

    server: "Server"
    body = b""

    def do_POST(self) -> None:
        # What is left unread would reset the connection, and what was answered would be lost.
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.behave(self)

    def log_message(self, *_: Any) -> None: ...


def well(cucm: Cucm) -> Callable[[Handler], None]:
    """Return what answers as it should."""

    def behave(handler: Handler) -> None:
        answer = cucm(handler.path, handler.body, dict(handler.headers))
        handler.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(answer.body)

    return behave


class Server(ThreadingHTTPServer):
    """A server by TLS; ``behave``: what it does with a request."""

    daemon_threads = True

    def __init__(self, behave: Callable[[Handler], None], tls: ssl.SSLContext) -> None:
        super().__init__((HOST, 0), Handler)
        self.behave = behave
        self.tls = tls

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        return self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that leave."""


@contextmanager
def serving(behave: Callable[[Handler], None], folder: Path) -> Iterator[tuple[int, str]]:
    """Yield port and certificate of a server."""
    tls = certificate.context(folder)
    with Server(behave, tls) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], str(folder / "certificate.pem")
        finally:
            server.shutdown()
            thread.join()
