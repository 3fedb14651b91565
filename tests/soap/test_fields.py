"""What is written by a table of fields is read by it."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from redundancy.soap.fields import XSI, Field, Invalid, Kind, Reference, fit, read, write

TABLE = (
    Field("uuid", attribute=True),
    Field("name", required=True, longest=20),
    Field("on", Kind.BOOLEAN),
    Field("count", Kind.INTEGER),
    Field("server", Kind.REFERENCE, nillable=True),
    Field("inner", Kind.STRUCT, (Field("text"), Field("flag", Kind.BOOLEAN)), many=True),
)


def element(content: str) -> etree._Element:
    return etree.fromstring(f'<ns:op xmlns:ns="urn:x" xmlns:xsi="{XSI}">{content}</ns:op>')


texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20).map(
    lambda text: fit(text).replace("\r", "")
)
words = st.text(string.ascii_letters, min_size=1, max_size=9)
values = st.fixed_dictionaries(
    {"name": texts.filter(bool)},
    optional={
        "on": st.booleans(),
        "count": st.integers(0, 10**17),
        "server": st.none() | st.builds(Reference, words, words),
        "inner": st.lists(
            st.fixed_dictionaries({"text": texts, "flag": st.booleans()}), min_size=1
        ),
    },
)


@given(values)
def test_what_is_written_is_read(given_values: dict[str, Any]) -> None:
    assert read(element("".join(write(TABLE, given_values))), TABLE) == given_values


def test_elements_are_written_in_the_order_of_the_table() -> None:
    text = "".join(write(TABLE, {"count": 1, "on": True, "name": "n"}))
    assert text == "<name>n</name><on>true</on><count>1</count>"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "name: must be given."),
        ("<name/>", "name: must be given."),
        ('<name xsi:nil="true"/>', "name: must be given."),
        ("<name>a</name><name>b</name>", "name: may be given once only."),
        ("<name>a</name><other/>", "other: there is no such field here."),
        ("<name>a</name><uuid>x</uuid>", "uuid: there is no such field here."),
        ("<name><b/></name>", "name: must be a text, not elements."),
        (f"<name>{'a' * 21}</name>", "name: must not be longer than 20 characters."),
        ("<name>a</name><on>maybe</on>", "on: must be true or false, not 'maybe'."),
        ("<name>a</name><count>-1</count>", "count: must be a whole number, not '-1'."),
        ("<name>a</name><count>٣</count>", "count: must be a whole number, not '٣'."),
        ("<name>a</name><inner><x/></inner>", "inner.x: there is no such field here."),
    ],
)
def test_what_does_not_fit_is_refused_by_field_and_rule(content: str, rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(element(content), TABLE)
    assert str(refused.value) == rule


@pytest.mark.parametrize("word", ["t", "TRUE", "1", " true "])
def test_true_is_said_in_many_ways(word: str) -> None:
    assert read(element(f"<name>a</name><on>{word}</on>"), TABLE)["on"] is True


def test_names_count_without_namespace_and_an_empty_flag_is_none() -> None:
    found = read(element('<x:name xmlns:x="urn:else">a</x:name><on/>'), TABLE)
    assert found == {"name": "a"}


def test_tags_that_nobody_knows_are_passed_over() -> None:
    table = (Field("returnedTags", Kind.TAGS, TABLE),)
    assert read(element("<returnedTags><name/><mac/></returnedTags>"), table) == {
        "returnedTags": {"name", "mac"}
    }
    assert read(element("<returnedTags/>"), table) == {"returnedTags": None}
