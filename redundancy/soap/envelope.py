"""The envelope of a message, SOAP 1.1 and 1.2: opened within limits, and closed around an answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from redundancy.soap.fields import XSI, fit

# Elements within elements.
DEEPEST = 32


class Version(Enum):
    """The version of SOAP: the namespace of its envelope."""

    V11 = "http://schemas.xmlsoap.org/soap/envelope/"
    V12 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def content_type(self) -> str:
        """What an answer calls itself."""
        kind = "text/xml" if self is Version.V11 else "application/soap+xml"
        return f"{kind}; charset=utf-8"


class Malformed(Exception):
    """What came is no message that can be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request: the ``element`` of its operation, the ``namespace`` and ``name`` of that."""

    version: Version
    element: etree._Element
    namespace: str
    name: str


def open_envelope(body: bytes) -> Message:
    """Return what a request asks for.

    Nothing is fetched and no entity is put in: a document type is refused as a whole, as SOAP demands.

    Raises:
        Malformed: It is no XML, has a document type, is nested too deep, or is no envelope with one operation.

    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed(f"This is no well-formed XML: {_line(error)}") from None
    if root.getroottree().docinfo.doctype:
        raise Malformed("A document type (DOCTYPE) is not allowed.")
    if _depth(root) > DEEPEST:
        raise Malformed(f"Elements are nested deeper than {DEEPEST}.")
    versions = {f"{{{version.value}}}Envelope": version for version in Version}
    version = versions.get(str(root.tag))
    if version is None:
        raise Malformed("This is no SOAP envelope.")
    bodies = root.findall(f"{{{version.value}}}Body")
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise Malformed("The envelope must have one Body with one operation in it.")
    element = bodies[0][0]
    name = etree.QName(element)
    return Message(version, element, name.namespace or "", name.localname)


def close_envelope(version: Version, content: Iterable[str]) -> Iterator[str]:
    """Yield a whole message around the XML of ``content``, piece by piece."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{version.value}" xmlns:xsi="{XSI}"><soapenv:Body>'
    )
    yield from content
    yield "</soapenv:Body></soapenv:Envelope>"


def wrap(
    name: str, namespace: str, content: Iterable[str], *, qualified: bool, attributes: str = ""
) -> Iterator[str]:
    """Yield the element of an answer around ``content``, whose elements are in its namespace if ``qualified``.

    ``attributes``: its own, as XML.
    """
    if not namespace:
        opening, tag = f"<{name}", name
    elif qualified:
        opening, tag = f"<{name} xmlns={quoteattr(namespace)}", name
    else:
        opening, tag = f"<ns:{name} xmlns:ns={quoteattr(namespace)}", f"ns:{name}"
    yield f"{opening}{attributes}>"
    yield from content
    yield f"</{tag}>"


def fault(version: Version, text: str, *, detail: str = "", theirs: bool = False) -> str:
    """Return a whole message that tells of a fault.

    ``detail``: XML that says it for programs. ``theirs``: the request is at fault, not the server.
    """
    if version is Version.V11:
        code = "Client" if theirs else "Server"
        inner = (
            f"<faultcode>soapenv:{code}</faultcode><faultstring>{escape(fit(text))}</faultstring>"
            + (f"<detail>{detail}</detail>" if detail else "")
        )
    else:
        code = "Sender" if theirs else "Receiver"
        inner = (
            f"<soapenv:Code><soapenv:Value>soapenv:{code}</soapenv:Value></soapenv:Code>"
            f'<soapenv:Reason><soapenv:Text xml:lang="en">{escape(fit(text))}</soapenv:Text></soapenv:Reason>'
            + (f"<soapenv:Detail>{detail}</soapenv:Detail>" if detail else "")
        )
    return "".join(close_envelope(version, (f"<soapenv:Fault>{inner}</soapenv:Fault>",)))


def _depth(root: etree._Element) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
