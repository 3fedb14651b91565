"""A client of AXL that can only read: its operations are those of ``statements.OPERATIONS``.

One request a second, and slower where the server says that they are too many: AXL has limits of its own, and
other programs ask there, too.
"""

import base64
import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from lxml import etree

from redundancy.pull.https import Answer, Post
from redundancy.pull.sources import PullFailed, Source, Time, said
from redundancy.pull.statements import OPERATIONS, SQL, Select
from redundancy.srm.words import say

PATH = "/axl/"
_NAMESPACE = "http://www.cisco.com/AXL/API/{}"
# The first that is tried; a server that has others names them.
_VERSION = "12.5"
_VERSIONS = re.compile(r"(?<![\d.])(\d{1,3}\.\d{1,3})(?!\.?\d)")
# Seconds from one request to the next.
APART = 1.0
# How often one question is asked again where requests were too many, and the seconds that are waited at most.
_AGAIN, _LONGEST = 4, 60.0
_RATE = "exceeded allowed rate"
_TOO_LARGE = re.compile(r"Query request too large\b.*?(?:less than (\d{1,9}) rows)?\.?$", re.DOTALL)
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns="{namespace}">'
    "<soapenv:Body><ns:{operation}>{fields}</ns:{operation}></soapenv:Body></soapenv:Envelope>"
)


class Fault(Exception):
    """The server did not do what was asked. ``text``: why, as it says."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class TooLarge(Fault):
    """The answer would have too many rows. ``fit``: fewer than so many are taken; 0: it does not say."""

    def __init__(self, text: str, fit: int) -> None:
        super().__init__(text)
        self.fit = fit


class Axl:
    """A server that is asked."""

    def __init__(self, source: Source, password: str, time: Time, post: Post) -> None:
        self._source, self._time, self._post = source, time, post
        pair = base64.b64encode(f"{source.user}:{password}".encode()).decode()
        # Not to be found in what a server says either.
        self._secrets = password, pair
        self._authorization = f"Basic {pair}"
        self._version = _VERSION
        self._next = 0.0

    def select(self, statement: Select, text: str = "") -> list[tuple[str, ...]]:
        """Return the rows of a statement, each with its columns; ``text``: of a part of them.

        Raises:
            TooLarge: It has too many rows.
            PullFailed: It cannot be had, or not with these columns.

        """
        try:
            returned = self.ask(SQL, sql=text or statement.text)
        except TooLarge:
            raise
        except Fault as fault:
            raise PullFailed(
                say(
                    "Host: {host} does not answer for the table {table}: {why}.",
                    host=self._source.host,
                    table=statement.table,
                    why=fault.text.rstrip("."),
                )
            ) from None
        # A function is called by its name alone.
        names = tuple(column.partition("(")[0] for column in statement.columns)
        return [self._row(statement, names, row) for row in returned.iterchildren("row")]

    def _row(
        self, statement: Select, names: tuple[str, ...], row: etree._Element
    ) -> tuple[str, ...]:
        cells = [(cell.tag, cell.text or "") for cell in row.iterchildren("*")]
        told = tuple(str(tag).lower() for tag, _ in cells)
        if told != names:
            raise PullFailed(
                say(
                    "Host: {host} has other columns in the table {table} than those asked for: {columns}.",
                    host=self._source.host,
                    table=statement.table,
                    columns=said(", ".join(told), *self._secrets) or "-",
                )
            )
        return tuple(
            "NULL" if not text and column in statement.keys else text
            for column, (_, text) in zip(statement.columns, cells, strict=True)
        )

    def ask(self, operation: str, **fields: str) -> etree._Element:
        """Return what an operation returns. Raises Fault where the server says why not, else PullFailed."""
        if operation not in OPERATIONS:
            raise ValueError(f"{operation} is not one of those that only read")
        tried = 0
        while True:
            answer = self._send(operation, fields)
            if answer.status == 599 and not tried:
                self._choose_version(answer)
            elif answer.status != 503 and _RATE not in _text(answer).lower():
                return self._returned(operation, answer)
            elif tried >= _AGAIN:
                raise self._busy()
            else:
                self._wait(answer, tried)
            tried += 1

    def _send(self, operation: str, fields: Mapping[str, str]) -> Answer:
        """Send a question, no sooner than a second after the one before."""
        if (early := self._next - self._time.clock()) > 0:
            self._time.pause(early)
        self._next = self._time.clock() + APART
        body = _ENVELOPE.format(
            namespace=_NAMESPACE.format(self._version),
            operation=operation,
            fields="".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items()),
        )
        headers = {
            "Authorization": self._authorization,
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"CUCM:DB ver={self._version} {operation}"',
            "User-Agent": "cucm-admin",
            "Connection": "close",
        }
        return self._post(PATH, body.encode(), headers)

    def _choose_version(self, answer: Answer) -> None:
        known = _VERSIONS.findall(_text(answer).partition("ersions are")[2])
        if not known:
            raise PullFailed(
                say("Host: {host} knows no version of AXL that is asked.", host=self._source.host)
            )
        self._version = max(known, key=lambda text: [int(part) for part in text.split(".")])

    def _wait(self, answer: Answer, tried: int) -> None:
        """Wait as long as the server says, within reason, or longer each time."""
        told = answer.headers.get("retry-after", "").strip()
        seconds = float(told) if re.fullmatch(r"\d{1,6}", told) else 2.0 * 2**tried
        if seconds > _LONGEST or seconds >= self._time.left():
            raise self._busy()
        self._time.pause(max(seconds, APART))

    def _busy(self) -> PullFailed:
        return PullFailed(
            say(
                "Host: {host} says that there are too many requests. Try again later.",
                host=self._source.host,
            )
        )

    def _returned(self, operation: str, answer: Answer) -> etree._Element:
        host, status = self._source.host, answer.status
        if status == 401:
            raise PullFailed(
                say("User, Password: {host} lets nobody in with these by AXL.", host=host)
            )
        if status == 403:
            raise PullFailed(
                say("User: {user} may not use AXL on {host}.", user=self._source.user, host=host)
            )
        if 300 <= status < 400:
            raise PullFailed(
                say(
                    "Host: {host} leads to another address, which is not followed (HTTP {status}).",
                    host=host,
                    status=status,
                )
            )
        if status not in {200, 500}:
            raise PullFailed(
                say(
                    "Host: {host} answers by HTTP {status}; is AXL activated there?",
                    host=host,
                    status=status,
                )
            )
        content = self._content(answer)
        if content is not None and etree.QName(content).localname == "Fault":
            raise self._fault(content)
        if content is not None and etree.QName(content).localname == f"{operation}Response":
            returned = content.find("return")
            if returned is not None and status == 200:
                return returned
        raise self._no_answer()

    def _content(self, answer: Answer) -> etree._Element | None:
        """Return what is in the body of a message. Raises PullFailed where it is no message."""
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
        )
        try:
            root = etree.fromstring(answer.body, parser)
        except (etree.XMLSyntaxError, ValueError):
            raise self._no_answer() from None
        if root.getroottree().docinfo.doctype:
            raise self._no_answer()
        body = root.find("{*}Body")
        return body[0] if body is not None and len(body) else None

    def _no_answer(self) -> PullFailed:
        return PullFailed(
            say("Host: what {host} answers is no answer of AXL.", host=self._source.host)
        )

    def _fault(self, content: etree._Element) -> Fault:
        whole = content.findtext("faultstring") or content.findtext(".//axlmessage") or ""
        text = said(whole, *self._secrets)
        if found := _TOO_LARGE.search(whole):
            return TooLarge(text, int(found[1] or 0))
        return Fault(text)


def _text(answer: Answer) -> str:
    """Return the text of an answer that is no good one; nothing of a good one, which may be long."""
    return "" if answer.status == 200 else answer.body[:10_000].decode("utf-8", "replace")
