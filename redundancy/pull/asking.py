"""What is asked by AXL, in which order, and what becomes of the answers."""

from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from redundancy.pull import statements
from redundancy.pull.axl import Axl, Fault, TooLarge
from redundancy.pull.https import Post, poster
from redundancy.pull.sources import PullFailed, Source, Time
from redundancy.pull.statements import Select
from redundancy.pull.telling import Text
from redundancy.srm.words import say

# Users that are asked for at once, at least and at most; and how many there may be.
_FEWEST, _PART = 100, 5_000
MOST_USERS = 200_000
# Groups and nodes that are asked for one by one.
_MOST_EACH = 50


def ask(
    source: Source, password: str, time: Time, at: datetime, post: Post | None = None
) -> list[tuple[str, bytes]]:
    """Return what a CUCM, or a node of IM and Presence, tells by AXL. Raises PullFailed; all or nothing.

    Reasons of states, services and versions are told by one of the two alone; where the server does not know
    the operation they are not told.
    """
    axl = Axl(source, password, time, post or poster(source, time))
    text = Text(at)
    rows = {
        each.table: _table(axl, text, each)
        for each in (
            statements.SERVERS,
            statements.GROUPS,
            statements.NODES,
            statements.PARAMETERS,
        )
    }
    _states(axl, text, _column(rows, statements.GROUPS, "name"))
    _services(axl, text)
    _versions(axl, text, _column(rows, statements.NODES, "name"))
    _users(axl, text)
    return [(source.title, text.data())]


def _table(axl: Axl, text: Text, statement: Select) -> list[tuple[str, ...]]:
    rows = axl.select(statement)
    text.table(statement.text, statement.columns, rows)
    return rows


def _column(
    rows: dict[str, list[tuple[str, ...]]], statement: Select, column: str
) -> tuple[str, ...]:
    at = statement.columns.index(column)
    return tuple(row[at] for row in rows[statement.table][:_MOST_EACH])


def _users(axl: Axl, text: Text) -> None:
    """Ask for the users in parts: how many there are before, so that who came or went meanwhile is noticed."""
    counted = axl.select(statements.COUNT)
    text.table(statements.COUNT.text, ("(count(*))",), counted)
    rows: list[tuple[str, ...]] = []
    part = _PART
    while True:
        try:
            found = axl.select(statements.USERS, statements.USERS.part(len(rows), part))
        except TooLarge as large:
            if part <= _FEWEST:
                raise PullFailed(_too_many(large.text)) from None
            part = max(_FEWEST, min(part // 2, large.fit - 1 if large.fit else part))
            continue
        rows += found
        if len(found) > part or len(rows) > MOST_USERS:
            raise PullFailed(_too_many(say("more than {most:,} users", most=MOST_USERS)))
        if len(found) < part:
            break
    text.table(statements.USERS.text, statements.USERS.columns, rows)


def _too_many(why: str) -> str:
    return say("Host: its users cannot be read: {why}.", why=why.rstrip("."))


def _states(axl: Axl, text: Text, groups: tuple[str, ...]) -> None:
    for group in groups:
        try:
            found = axl.ask(statements.HA_STATUS, subClusterName=group)
        except Fault:
            # CUCM's own AXL does not know it.
            return
        nodes = [
            (_told(node, "hostId"), _told(node, "nodeState"), _told(node, "nodeReason"))
            for node in found.iter("node")
        ]
        if nodes:
            text.states(group, nodes)


def _services(axl: Axl, text: Text) -> None:
    try:
        found = axl.ask(statements.SERVICES)
    except Fault:
        return
    for node in found.iter("node"):
        services = list(_each_service(node))
        if services:
            text.services(_told(node, "nodeName"), services)


def _each_service(node: etree._Element) -> Iterator[tuple[str, str, str]]:
    for name in node.iter("serviceName"):
        service = name.getparent()
        assert service is not None  # it is below the node
        yield name.text or "", _told(service, "status"), _told(service, "reasonCode")


def _versions(axl: Axl, text: Text, nodes: tuple[str, ...]) -> None:
    for node in nodes:
        try:
            found = axl.ask(statements.VERSION, processNodeName=node)
        except Fault:
            # That of a node of IM and Presence does not know it.
            return
        if version := found.findtext("componentVersion/version"):
            text.version(node, version)


def _told(element: etree._Element, name: str) -> str:
    return (element.findtext(name) or "").strip()
