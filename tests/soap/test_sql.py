"""executeSQLQuery and executeSQLUpdate."""

import pytest
from lxml import etree

from redundancy.models import RedundancyGroup
from redundancy.soap.axl.sql import elements
from redundancy.sql import reading
from tests.soap.asking import Asking, envelope, fault, fields

# Statements are read by a connection of their own.
pytestmark = pytest.mark.django_db(transaction=True)


def query(axl: Asking, sql: str) -> list[list[tuple[str, str | None]]]:
    answer = axl.ask("executeSQLQuery", fields(sql=sql))
    return [[(str(cell.tag), cell.text) for cell in row] for row in answer.iterfind("return/row")]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            "select name, HAEnabled from enterprisesubcluster",
            [[("name", "DefaultCUPSubCluster"), ("haenabled", "f")]],
        ),
        ("select count(*) from enduser", [[("count", "1000")]]),
        (
            "select n.name as Node from enterprisenode n where n.name = 'imp-sub'",
            [[("node", "imp-sub")]],
        ),
        (
            'select n.isprimary, "a&b" from enterprisenode n where isprimary = "t"',
            [[("isprimary", "t"), ("expression", "a&b")]],
        ),
        (
            "select tracelevel from processnodeservice where tkservice = 1 and servername = 'imp-pub'",
            [[("tracelevel", None)]],
        ),
        ("select name from processnode where name = 'nobody'", []),
    ],
)
def test_rows_have_elements_of_their_columns(
    axl: Asking, group: RedundancyGroup, sql: str, rows: list[list[tuple[str, str | None]]]
) -> None:
    assert query(axl, sql) == rows


@pytest.mark.parametrize(
    "sql",
    [
        "select nothing from enduser",
        "select * from users",
        "delete from enduser",
        "select name frm enduser",
        "select 1; select 2",
    ],
)
def test_what_is_not_understood_is_a_syntax_error(
    axl: Asking, group: RedundancyGroup, sql: str
) -> None:
    code, text = fault(axl.ask("executeSQLQuery", fields(sql=sql), 500))
    assert code == "-201"
    assert text.startswith("A syntax error has occurred: ")


def test_an_answer_that_is_too_large_names_what_would_fit(
    axl: Asking, group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGEST", 5000)
    code, text = fault(axl.ask("executeSQLQuery", fields(sql="select * from enduser"), 500))
    assert code != "-201"
    assert text.startswith(
        "Query request too large. Total rows matched: 1000 rows. Suggestive Row Fetch: less than "
    )


def test_nothing_is_changed_by_sql(axl: Asking, group: RedundancyGroup) -> None:
    answer = axl.ask("executeSQLUpdate", fields(sql="delete from enduser"), 500)
    assert "executeSQLUpdate changes nothing here" in fault(answer)[1]
    assert query(axl, "select count(*) from enduser") == [[("count", "1000")]]


def test_every_heading_becomes_an_element() -> None:
    headings = ("Name", "pn.Name", "count(*)", "max( x )", "a || b", "'x'", "a.b.c", "1")
    names = elements(headings)
    assert names == ("name", "name", "count", "max", *("expression",) * 4)
    for name in names:
        etree.fromstring(f"<{name}/>")


def test_the_version_of_a_server(axl: Asking, group: RedundancyGroup) -> None:
    version = axl.ask("getCCMVersion", fields(processNodeName="imp-pub"))
    assert str(version.findtext("return/componentVersion/version")).startswith("14.")
    answer = axl.ask("getCCMVersion", fields(processNodeName="nowhere"), 500)
    assert fault(answer)[0] == "-691"


def test_the_number_of_a_request_is_echoed(axl: Asking, group: RedundancyGroup) -> None:
    body = envelope("getCCMVersion").replace(
        "<ns:getCCMVersion>", '<ns:getCCMVersion sequence="42">'
    )
    answer = etree.fromstring(axl.post(body).content).find(".//{*}getCCMVersionResponse")
    assert answer is not None
    assert answer.get("sequence") == "42"
    assert axl.ask("getCCMVersion").get("sequence") is None
