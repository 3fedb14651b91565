"""What is asked by AXL, how a CUCM may misbehave, and what becomes of it; no time passes."""

import io
import logging
import re
from datetime import datetime
from typing import Any

import pytest

from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import read_streams
from redundancy.cluster.snapshot import Snapshot
from redundancy.pull import asking, statements
from redundancy.pull.axl import Axl
from redundancy.pull.https import Answer
from redundancy.pull.sources import PullFailed, Time, check
from redundancy.srm.words import english
from tests.pull.cucm import ENVELOPE, PASSWORD, TABLES, Clock, Cucm, fault, source

AT = datetime(2026, 11, 29, 1, 20)  # noqa: DTZ001 - of the machine that asks
BUSY = Answer(503, {}, b"HTTP Status 503")
RATE = fault("Exceeded allowed rate for Reatime information. Current allowed rate is 18 per minute")


def told(cucm: Cucm, clock: Clock | None = None, seconds: float = 300, **more: Any) -> bytes:
    clock = clock or Clock()
    time = Time(seconds, clock, clock.sleep)
    ((name, data),) = asking.ask(source(**more), PASSWORD, time, AT, cucm)
    assert name.startswith("127.0.0.1.axl")
    return data


def refusal(cucm: Cucm, clock: Clock | None = None, seconds: float = 300) -> str:
    with pytest.raises(PullFailed) as failed:
        told(cucm, clock, seconds)
    return english(failed.value.rule)


def snapshot(data: bytes) -> Snapshot:
    reading = read_streams([("axl.txt", io.BytesIO(data))])
    assert (reading.missed, reading.refused, reading.unused) == ([], [], [])
    (found,) = assemble(reading)
    return found


def test_what_it_tells_is_read_by_the_reader() -> None:
    found = snapshot(told(Cucm()))
    assert found.taken == AT
    group = found.groups["DefaultCUPSubCluster"]
    assert group.ha is not None
    assert (group.ha.text, group.nodes) == ("on", ("imp-pub", "imp-sub"))
    node = found.nodes["imp-pub"]
    told_of = (node.state, node.version, node.role, node.product)
    assert [each and each.text for each in told_of] == [
        "Normal",
        "14.0.1.12900-161",
        "Publisher",
        "IM and Presence",
    ]
    assert found.parameters["Critical Service Delay"].text == "90"
    assert node.parameters["Client Re-Login Upper Limit"].text == "537"
    assert {user.name: user.node for user in found.users.values()} == {
        f"user{n}": "imp-pub" for n in range(3)
    }
    assert found.all_users is not None
    assert found.all_users.text == "3"
    # Its AXL tells neither reasons nor services: that they are not known is not hidden.
    assert node.reason is None
    assert not node.services
    assert not found.disputes


def test_only_fixed_statements_and_reading_operations_are_sent() -> None:
    cucm = Cucm()
    told(cucm)
    assert {operation for operation, _ in cucm.asked} <= statements.OPERATIONS
    fixed = {each.text for each in statements.STATEMENTS}
    sent = {re.sub(r"^select skip \d+ first \d+ ", "select ", sql) for _, sql in cucm.asked if sql}
    assert sent == fixed
    clock = Clock()
    axl = Axl(source(), PASSWORD, Time(60, clock, clock.sleep), cucm)
    for operation in ("executeSQLUpdate", "updateProcessNode", "processHAOperations", ""):
        with pytest.raises(ValueError, match="only read"):
            axl.ask(operation, sql="delete from enduser")
    assert all(operation in statements.OPERATIONS for operation, _ in cucm.asked)


@pytest.mark.parametrize("each", statements.STATEMENTS, ids=lambda each: each.table)
def test_statements_only_select(each: statements.Select) -> None:
    words = re.findall(r"[a-z_]+", each.text)
    assert words[0] == "select"
    assert not {"update", "insert", "delete", "execute", "into", "set"} & set(words)
    assert ";" not in each.text


def test_commands_only_read() -> None:
    beginnings = ("show ", "run sql select ", "utils ha status", "utils service list")
    first, *rest = statements.COMMANDS
    assert first == "set cli pagination off"
    assert all(command.startswith(beginnings) for command in rest)


def test_a_second_lies_between_two_requests() -> None:
    cucm, clock = Cucm(), Clock()
    told(cucm, clock)
    assert clock.waited == [1.0] * (len(cucm.asked) - 1)


def test_users_are_asked_for_in_parts_and_in_smaller_ones_where_they_are_too_many() -> None:
    cucm = Cucm(users=12_345)
    assert len(snapshot(told(cucm)).users) == 12_345
    parts = [re.findall(r"\d+", sql) for _, sql in cucm.asked if "skip" in sql]
    assert parts == [["0", "5000"], ["5000", "5000"], ["10000", "5000"]]
    cucm = Cucm(users=1_500, fits=700)
    assert len(snapshot(told(cucm)).users) == 1_500
    parts = [re.findall(r"\d+", sql) for _, sql in cucm.asked if "skip" in sql]
    assert parts == [["0", "5000"], ["0", "699"], ["699", "699"], ["1398", "699"]]


def test_a_cucm_that_takes_no_part_or_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "its users cannot be read: Query request too large" in refusal(Cucm(users=500, fits=50))
    monkeypatch.setattr(asking, "MOST_USERS", 10_000)
    assert "more than 10,000 users" in refusal(Cucm(users=15_001))


@pytest.mark.parametrize("busy", [BUSY, RATE])
def test_too_many_requests_are_waited_for_longer_each_time(busy: Answer) -> None:
    cucm, clock = Cucm(first=[None, busy, busy, busy]), Clock()
    assert snapshot(told(cucm, clock)).groups
    assert clock.waited[1:4] == [2.0, 4.0, 8.0]


@pytest.mark.parametrize("busy", [BUSY, RATE])
def test_too_many_requests_for_ever_end_in_bounded_time(busy: Answer) -> None:
    cucm, clock = Cucm(first=[busy] * 100), Clock()
    assert "too many requests" in refusal(cucm, clock)
    assert len(cucm.asked) == 5
    assert clock.now == 2 + 4 + 8 + 16


def test_what_the_server_says_of_waiting_counts_within_reason() -> None:
    cucm, clock = Cucm(first=[Answer(503, {"retry-after": "40"}, b"")]), Clock()
    told(cucm, clock)
    assert clock.waited[0] == 40
    # Longer than a minute, and longer than there is time.
    for said, seconds in (("61", 300), ("30", 20)):
        cucm, clock = Cucm(first=[Answer(503, {"retry-after": said}, b"")]), Clock()
        assert "too many requests" in refusal(cucm, clock, seconds)
        assert clock.now == 0


def test_all_together_has_a_time() -> None:
    cucm, clock = Cucm(), Clock()
    assert refusal(cucm, clock, seconds=4.5) == "Host: it was not over after 4 seconds."
    assert len(cucm.asked) == 5


def test_the_version_is_one_that_the_server_knows() -> None:
    cucm = Cucm(versions="10.5, 11.0, 9.1")
    assert snapshot(told(cucm)).groups
    assert '"CUCM:DB ver=11.0 executeSQLQuery"' in {each["SOAPAction"] for each in cucm.headers}
    strange = [Answer(599, {}, b"HTTP Status 599 - Incorrect axl version.")]
    assert "knows no version of AXL" in refusal(Cucm(first=list(strange)))


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (Answer(401, {}, b""), "User, Password: 127.0.0.1 lets nobody in with these by AXL."),
        (Answer(403, {}, b""), "User: reader may not use AXL on 127.0.0.1."),
        (
            Answer(302, {"location": "http://10.0.0.1/"}, b""),
            "leads to another address, which is not followed (HTTP 302)",
        ),
        (Answer(404, {}, b"<html/>"), "answers by HTTP 404; is AXL activated there?"),
        (Answer(200, {}, b"<html><body/></html>"), "is no answer of AXL"),
        (Answer(200, {}, b"hello"), "is no answer of AXL"),
        (Answer(200, {}, b""), "is no answer of AXL"),
        (Answer(200, {}, ENVELOPE.format("<x/>").encode()), "is no answer of AXL"),
        (
            Answer(200, {}, b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + ENVELOPE.format("&e;").encode()),
            "is no answer of AXL",
        ),
        (
            fault("Syntax error"),
            "does not answer for the table processnode: Syntax error.",
        ),
    ],
)
def test_what_is_no_good_answer_is_told_by_its_reason(answer: Answer, rule: str) -> None:
    cucm = Cucm(first=[answer])
    assert rule in refusal(cucm)
    # A wrong password is not tried again.
    assert len(cucm.asked) == 1


@pytest.mark.parametrize(
    "row",
    [
        {"pkid": "1", "name": "x", "tknodeusage": "0"},
        {"pkid": "1", "name": "x", "tknodeusage": "0", "tkprocessnoderole": "1", "more": "1"},
        {"name": "x", "pkid": "1", "tknodeusage": "0", "tkprocessnoderole": "1"},
    ],
)
def test_other_columns_are_refused(row: dict[str, str]) -> None:
    rule = refusal(Cucm(tables={**TABLES, "processnode": [row]}))
    assert "has other columns in the table processnode than those asked for" in rule


def test_no_value_makes_a_line_of_its_own() -> None:
    rows = [{"id": "5", "name": "A\nNode 1 Name : evil State: Normal", "haenabled": "t"}]
    data = told(Cucm(tables={**TABLES, "enterprisesubcluster": rows}))
    assert b"\nNode 1 Name" not in data
    assert "evil" not in snapshot(data).nodes


def test_answers_have_a_size_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redundancy.pull.telling.LARGEST", 20_000)
    assert "must not be larger than" in refusal(Cucm(users=2_000))


def test_the_name_of_the_text_says_that_nothing_was_verified() -> None:
    assert source().title == "127.0.0.1.axl.txt"
    assert source(verify=False).title == "127.0.0.1.axl-not-verified.txt"
    assert "was not verified, as was chosen" in english(source(verify=False).trust)


def test_the_password_is_told_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    cucm = Cucm()
    data = told(cucm)
    authorization = cucm.headers[0]["Authorization"]
    assert authorization.startswith("Basic ")
    secrets = (PASSWORD, authorization.removeprefix("Basic "))
    # A server that says again what it was told.
    echo = f"refused: {PASSWORD} {authorization}"
    with pytest.raises(PullFailed) as failed:
        told(Cucm(first=[fault(echo)]))
    context: BaseException | None = failed.value
    while context is not None:
        for secret in secrets:
            assert secret not in f"{context!r}{context}"
        context = context.__cause__ or (
            None if context.__suppress_context__ else context.__context__
        )
    for secret in secrets:
        assert secret.encode() not in data
        assert secret not in caplog.text
        assert secret not in repr(source())


@pytest.mark.parametrize(
    ("wrong", "password", "rule"),
    [
        ({"host": "https://cucm/"}, "x", "Host: must be a host name"),
        ({"host": "cucm:8443"}, "x", "Host: must be a host name"),
        ({"host": "a@b"}, "x", "Host: must be a host name"),
        ({"host": ""}, "x", "Host: must be a host name"),
        ({"host": "x" * 300}, "x", "Host: must be a host name"),
        ({"port": 0}, "x", "Port: must be from 1 to 65535."),
        ({"port": 65536}, "x", "Port: must be from 1 to 65535."),
        ({"user": ""}, "x", "User: must have 1 to 128 printable characters, and no colon."),
        ({"user": "a:b"}, "x", "User: must have 1 to 128"),
        ({"user": "a\nb"}, "x", "User: must have 1 to 128"),
        ({}, "", "Password: must have 1 to 128 printable characters."),
        ({}, "a\r\nX-Header: b", "Password: must have 1 to 128 printable characters."),
    ],
)
def test_fields_that_cannot_be_right_are_refused(
    wrong: dict[str, Any], password: str, rule: str
) -> None:
    with pytest.raises(PullFailed) as failed:
        check(source(**wrong), password)
    assert english(failed.value.rule).startswith(rule)
