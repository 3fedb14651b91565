"""What an element of a request or an answer holds: read, written and described by the same table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

XSI = "http://www.w3.org/2001/XMLSchema-instance"
# Characters of a text that no field of its own limits further.
LONGEST = 4096
# The key of what an element with attributes says itself (CONTENT).
TEXT_OF = ""
_NIL = f"{{{XSI}}}nil"
BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
# What XML 1.0 cannot carry, however it is written.
_UNFIT = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF])


class Invalid(Exception):
    """A request does not say what the operation needs. The text names the field and the rule."""


class Kind(Enum):
    """What a value is. Read and written as: see each."""

    # ``str``.
    TEXT = "string"
    # ``bool``; read also from t, f, 1, 0. An empty element counts as one that is not there.
    BOOLEAN = "boolean"
    # ``int``.
    INTEGER = "integer"
    # ``Reference``: the name of another item, or its attribute uuid.
    REFERENCE = "reference"
    # ``dict`` of the fields in it; when written, also of its attributes.
    STRUCT = "struct"
    # ``dict`` of its attributes, with what it says itself as TEXT_OF.
    CONTENT = "content"
    # ``set`` of names of fields that the answer is to carry; None: all. Others are passed over.
    TAGS = "tags"
    # ``list`` of ``str``, read from the text of an element, or of the elements in it: clients differ.
    # Described as elements ``item`` in it; with ``many`` as any number of texts.
    TEXTS = "texts"
    # Written only: pairs of a name and a text, whose names are known when the answer is.
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Reference:
    """Another item: by its name, or by its UUID in braces. What is not known is empty."""

    name: str = ""
    uuid: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.uuid)


@dataclass(frozen=True, slots=True)
class Field:
    """An element, or an attribute of the element around it.

    ``fields``: those in it, in the order of the schema (STRUCT, TAGS). ``required``: a request must give it,
    and not nil. ``many``: any number of such elements; a list. ``longest``: characters of a text.
    ``nillable``: the description says that it may be nil; who reads gets None in any case.
    """

    name: str
    kind: Kind = Kind.TEXT
    fields: "tuple[Field, ...]" = ()
    required: bool = False
    many: bool = False
    attribute: bool = False
    nillable: bool = False
    longest: int = LONGEST


def read(element: etree._Element, fields: Sequence[Field], path: str = "") -> dict[str, Any]:
    """Return what is in ``element``, by name: a value, a list of values of ``many``, None for nil.

    Names count without their namespace: clients differ in it.

    Raises:
        Invalid: A field is unknown, missing, given twice or not of its kind.

    """
    known = {field.name: field for field in fields}
    values: dict[str, Any] = {}
    values |= _read_attributes(element, fields, path)
    for child in element:
        name = etree.QName(child).localname
        field = known.get(name)
        if field is None or field.attribute:
            raise Invalid(f"{path}{name}: there is no such field here.")
        value = _read_value(child, field, path)
        if value is _ABSENT:
            continue
        if field.kind is Kind.TEXTS:
            values.setdefault(name, []).extend(value)
        elif field.many:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise Invalid(f"{path}{name}: may be given once only.")
        else:
            values[name] = value
    for field in fields:
        if field.required and values.get(field.name) in (None, "", Reference()):
            raise Invalid(f"{path}{field.name}: must be given.")
    return values


def _read_attributes(element: etree._Element, fields: Iterable[Field], path: str) -> dict[str, Any]:
    return {
        field.name: value
        for field in fields
        if field.attribute
        and (given := element.get(field.name)) is not None
        and (value := _read_text(given, field, path)) is not _ABSENT
    }


_ABSENT = object()


def _read_value(element: etree._Element, field: Field, path: str) -> Any:
    if element.get(_NIL, "").strip() in ("true", "1"):
        return None
    if field.kind is Kind.TAGS:
        return {etree.QName(child).localname for child in element} or None
    if field.kind is Kind.STRUCT:
        return read(element, field.fields, f"{path}{field.name}.")
    if field.kind is Kind.TEXTS:
        return [_read_text(text, field, path) for text in _texts_in(element) if text.strip()]
    if len(element):
        raise Invalid(f"{path}{field.name}: must be a text, not elements.")
    text = element.text or ""
    if field.kind is Kind.CONTENT:
        said = {TEXT_OF: _read_text(text, field, path)}
        return said | _read_attributes(element, field.fields, f"{path}{field.name}.")
    if field.kind is Kind.REFERENCE:
        uuid = element.get("uuid", "")
        return Reference(_read_text(text, field, path).strip(), _read_text(uuid, field, path))
    return _read_text(text, field, path)


def _texts_in(element: etree._Element) -> list[str]:
    return [each.text or "" for each in element] if len(element) else [element.text or ""]


def _read_text(text: str, field: Field, path: str) -> Any:
    if len(text) > field.longest:
        raise Invalid(f"{path}{field.name}: must not be longer than {field.longest} characters.")
    word = text.strip()
    if field.kind is Kind.BOOLEAN:
        if not word:
            return _ABSENT
        if word.lower() not in BOOLEANS:
            raise Invalid(f"{path}{field.name}: must be true or false, not {word[:40]!r}.")
        return BOOLEANS[word.lower()]
    if field.kind is Kind.INTEGER:
        if not (word.isascii() and word.isdecimal() and len(word) <= 18):
            raise Invalid(f"{path}{field.name}: must be a whole number, not {word[:40]!r}.")
        return int(word)
    return text


def write(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the elements of ``values`` as XML in the order of ``fields``; what has no value is left out.

    None is written as nil. A list of ``many`` may be any iterable: it is gone through as it is written.
    """
    for field in fields:
        if field.attribute or field.name not in values:
            continue
        value = values[field.name]
        for each in value if field.many else (value,):
            yield from _write_value(field, each)


def attributes(fields: Iterable[Field], values: Mapping[str, Any]) -> str:
    """Return the attributes among ``fields`` as XML, each behind a space; what has no value is left out."""
    return "".join(
        f" {each.name}={quoteattr(fit(values[each.name]))}"
        for each in fields
        if each.attribute and values.get(each.name) is not None
    )


def _write_value(field: Field, value: Any) -> Iterator[str]:
    name = field.name
    if value is None:
        yield f'<{name} xsi:nil="true"/>'
    elif field.kind is Kind.CONTENT:
        yield f"<{name}{attributes(field.fields, value)}>{escape(fit(value[TEXT_OF]))}</{name}>"
    elif field.kind is Kind.STRUCT:
        yield f"<{name}{attributes(field.fields, value)}>"
        yield from write(field.fields, value)
        yield f"</{name}>"
    elif field.kind is Kind.ROW:
        cells = "".join(f"<{cell}>{escape(fit(text))}</{cell}>" for cell, text in value)
        yield f"<{name}>{cells}</{name}>"
    elif field.kind is Kind.REFERENCE:
        uuid = f" uuid={quoteattr(value.uuid)}" if value.uuid else ""
        yield f"<{name}{uuid}>{escape(fit(value.name))}</{name}>"
    elif field.kind is Kind.BOOLEAN:
        yield f"<{name}>{'true' if value else 'false'}</{name}>"
    else:
        yield f"<{name}>{escape(fit(value))}</{name}>"


def fit(value: object) -> str:
    """Return a value as a text without what XML cannot carry."""
    return str(value).translate(_UNFIT)
