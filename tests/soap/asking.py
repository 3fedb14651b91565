"""Requests as programs send them, by hand."""

import base64
from typing import Any
from xml.sax.saxutils import escape

from django.test import Client
from lxml import etree

NAMESPACE = "http://www.cisco.com/AXL/API/{}"
ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:ns="{namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Header/><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)


def basic(username: str, password: str) -> str:
    """Return the header of Basic authentication."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def envelope(operation: str, content: str = "", namespace: str = NAMESPACE.format("14.0")) -> str:
    """Return a message that asks for ``operation`` with the XML ``content`` in it."""
    body = f"<ns:{operation}>{content}</ns:{operation}>"
    return ENVELOPE.format(namespace=escape(namespace), body=body)


def fields(**values: str) -> str:
    """Return simple elements."""
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def fault(answer: etree._Element) -> tuple[str | None, str]:
    """Return code and text of a fault of AXL."""
    text = str(answer.findtext("faultstring"))
    assert answer.findtext(".//axlmessage") == text
    return answer.findtext(".//axlcode"), text


class Asking:
    """A program that asks at ``path`` as a user."""

    def __init__(self, path: str, username: str, password: str) -> None:
        self.path = path
        self.header = basic(username, password)
        self.http = Client()

    def post(self, body: str | bytes, **headers: Any) -> Any:
        """Return the answer to a body."""
        headers = {"HTTP_AUTHORIZATION": self.header} | headers
        return self.http.post(self.path, body, content_type="text/xml; charset=utf-8", **headers)

    def ask(
        self, operation: str, content: str = "", status: int = 200, **more: str
    ) -> etree._Element:
        """Return what is in the body of the answer, as an element; ``status`` is the one that must come."""
        response = self.post(envelope(operation, content, **more))
        text = b"".join(response.streaming_content) if response.streaming else response.content
        assert response.status_code == status, text
        body = etree.fromstring(text).find("{*}Body")
        assert body is not None
        return body[0]
