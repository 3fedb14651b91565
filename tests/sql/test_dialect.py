"""What of the dialect is let through, and how it is written for the databases."""

import pytest

from redundancy.errors import Refused
from redundancy.sql.allowed import check
from redundancy.sql.dialect import LONGEST, parse
from redundancy.sql.writing import write

TABLES = {
    "enduser": ("userid", "pkid", "a", "b", "c", "d", "x", "first"),
    "enterprisenode": ("id", "name", "tk"),
}
NOW = "2026-03-01 10:00:00.000"


def written(text: str, vendor: str = "sqlite") -> tuple[str, tuple[str, ...], dict[str, str]]:
    """Return the statement for a database with brackets for the marks of names, its tables and headings."""
    statement = parse(text)
    used = check(statement, TABLES)
    sql, headings = write(statement, vendor, NOW)
    pieces = sql.split("`" if vendor == "sqlite" else '"')
    shown = "".join(f"[{p}]" if number % 2 else p for number, p in enumerate(pieces))
    return shown, used, headings


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("select * from enduser", "SELECT * FROM [enduser]"),
        ("SELECT UserID FROM EndUser;", "SELECT [userid] FROM [enduser]"),
        ("select skip 2 first 3 * from enduser", "SELECT * FROM [enduser] LIMIT 3 OFFSET 2"),
        ("select first 3 * from enduser", "SELECT * FROM [enduser] LIMIT 3"),
        ("select first 0 * from enduser", "SELECT * FROM [enduser] LIMIT 0"),
        ("select skip 0 first 1 * from enduser", "SELECT * FROM [enduser] LIMIT 1"),
        (
            "select skip 2 * from enduser",
            "SELECT * FROM [enduser] LIMIT 9223372036854775807 OFFSET 2",
        ),
        ("select first 2 unique a from enduser", "SELECT DISTINCT [a] FROM [enduser] LIMIT 2"),
        # Without a number behind it, the word is a name.
        ("select first from enduser", "SELECT [first] FROM [enduser]"),
        (
            "select first 1 userid from enduser order by userid desc, pkid asc",
            "SELECT [userid] FROM [enduser] ORDER BY [userid] DESC, [pkid] ASC LIMIT 1",
        ),
        (
            "select u.*, n.name node from enduser u, enterprisenode as n where u.pkid=n.id",
            "SELECT [u].*, [n].[name] AS [node] FROM [enduser] AS [u], [enterprisenode] AS [n]"
            " WHERE [u].[pkid] = [n].[id]",
        ),
        (
            "select a from enduser u left outer join enterprisenode n on u.x=n.id join enduser on 1=1",
            "SELECT [a] FROM [enduser] AS [u] LEFT OUTER JOIN [enterprisenode] AS [n] ON [u].[x] = [n].[id]"
            " JOIN [enduser] ON 1 = 1",
        ),
        (
            "select a from enduser group by a, 2 having count(*) > 1",
            "SELECT [a] FROM [enduser] GROUP BY [a], 2 HAVING COUNT(*) > 1",
        ),
        (
            "select a from enduser where a in (1, 2) and b not in (select id from enterprisenode)"
            " and c like 'x%' and d not between 1 and 2 and exists (select 1 from enduser)",
            "SELECT [a] FROM [enduser] WHERE [a] IN (1, 2) AND NOT [b] IN (SELECT [id] FROM"
            " [enterprisenode]) AND [c] LIKE 'x%' AND NOT [d] BETWEEN 1 AND 2"
            " AND EXISTS(SELECT 1 FROM [enduser])",
        ),
        (
            "select a from enduser union all select id from enterprisenode order by 1",
            "SELECT [a] FROM [enduser] UNION ALL SELECT [id] FROM [enterprisenode] ORDER BY 1",
        ),
        (
            "select s.a from (select first 2 a from enduser) s",
            "SELECT [s].[a] FROM (SELECT [a] FROM [enduser] LIMIT 2) AS [s]",
        ),
        (
            "select a from enduser where a matches 'i[a-m]p-?.*'",
            "SELECT [a] FROM [enduser] WHERE [a] GLOB 'i[a-m]p-?.*'",
        ),
    ],
)
def test_a_select_is_written_anew(text: str, sql: str) -> None:
    shown, _, headings = written(text)
    assert (shown, headings) == (sql, {})


@pytest.mark.parametrize(
    ("item", "sql"),
    [
        ("count(distinct a)", "COUNT(DISTINCT [a])"),
        ("nvl(a, 'x')", "COALESCE([a], 'x')"),
        ("case a when 1 then 'x' else -2.5 end", "CASE [a] WHEN 1 THEN 'x' ELSE -2.5 END"),
        ("to_char(a)", "CAST([a] AS TEXT)"),
        ("cast(a as char)", "CAST([a] AS TEXT)"),
        ("a::varchar(3)", "SUBSTRING(CAST([a] AS TEXT), 1, 3)"),
        ("to_char(A)::int", "CAST(CAST([a] AS TEXT) AS INTEGER)"),
        ("(a+1)*2||''", "([a] + 1) * 2 || ''"),
        ("CURRENT", f"'{NOW}'"),
        # Texts in either mark; what looks like SQL in them is text.
        ('"it\'s"', "'it''s'"),
        ("'say \"\"'", "'say \"\"'"),
        ("'o''clock; drop table x -- 日本'", "'o''clock; drop table x -- 日本'"),
        # Two minus signs do not become a comment.
        ("a--1", "[a] - -1"),
    ],
)
def test_an_item_that_is_no_column_keeps_the_heading_that_was_typed(item: str, sql: str) -> None:
    assert written(f"select b, {item} from enduser") == (
        f"SELECT [b], {sql} AS [(1)] FROM [enduser]",
        ("enduser",),
        {"(1)": item},
    )


def test_a_pattern_is_a_regular_expression_where_the_database_has_no_other() -> None:
    text = "select a from enduser where a matches 'i[^a-m]p-?.*'"
    sql, _, _ = written(text, "postgresql")
    assert sql == r"SELECT [a] FROM [enduser] WHERE [a] ~ '^i[^a-m]p\-.\..*$'"


def test_tables_are_named_once() -> None:
    text = "select id from enterprisenode, enduser where 1 in (select 2 from enterprisenode)"
    assert written(text)[1] == ("enterprisenode", "enduser")


@pytest.mark.parametrize(
    ("rule", "texts"),
    [
        (
            "only SELECT is allowed",
            [
                "delete from enduser",
                "update enduser set userid = 'x'",
                "insert into enduser values (1)",
                "drop table enduser",
                "with x as (select 1) select * from x",
                "(select * from enduser)",
                "pragma query_only = 0",
                "explain select * from enduser",
                "set transaction read write",
                "",
                ";",
            ],
        ),
        (
            "only one statement",
            ["select 1 from enduser; delete from enduser", "select 1 from enduser;;"],
        ),
        (
            "there is no table",
            [
                "select * from auth_user",
                "select * from sqlite_master",
                "select * from enduser, auth_user",
                "select * from enduser join auth_user on 1=1",
                "select a from enduser where 1 in (select id from auth_user)",
                "select * from (select * from auth_user) x",
                "select (select password from auth_user) from enduser",
                "select * from enduser union select * from auth_user",
                # A name given in the statement is not a table.
                "select * from enduser auth_user, auth_user",
            ],
        ),
        (
            "there is no column",
            [
                "select nothing from enduser",
                "select password from enduser",
                "select current_user from enduser",
                "select sqlite_version from enduser",
                # A whole row, and a function of it, in PostgreSQL.
                "select enduser from enduser",
                "select n.row_to_json from enterprisenode n",
                "select a from enduser order by ctid",
            ],
        ),
        (
            "there is no function",
            [
                "select pg_sleep(10) from enduser",
                "select * from generate_series(1, 9)",
                "select query_to_xml('select 1', true, true, '') from enduser",
                "select load_extension('x') from enduser",
                "select a from enduser where pg_read_file('/etc/passwd') like 'x'",
                "select group_concat(a) from enduser",
            ],
        ),
        (
            "is not understood",
            [
                "select * from public.enduser",
                "select pg_catalog.pg_sleep(1) from enduser",
                "select * from enduser for update",
                "select * into x from enduser",
                "select a from enduser where a = any (select 1 from enduser)",
                "select * from lateral (select 1 from enduser) x",
                "select count(a) over (partition by b) from enduser",
                "select a from enduser tablesample bernoulli (10)",
                "select a from enduser natural join enterprisenode",
                "select a from enduser full outer join enterprisenode on 1=1",
                "select cast(a as regclass) from enduser",
                "select distinct on (a) a from enduser",
            ],
        ),
        ("FROM must follow", ["select", "select *", "select 1"]),
        (
            "was not expected",
            [
                "select * from",
                "select * from enduser limit 3",
                "select * from enduser where",
                "select * from enduser -- why",
                "select * from enduser /* why */",
                "select (1 from enduser",
                "select e'x' from enduser",
            ],
        ),
        ("no type", ["select date '2020-01-01' from enduser", "select a::json from enduser"]),
        (
            "cannot be read from",
            [
                "select $1 from enduser",
                "select `a` from enduser",
                "select [a] from enduser",
                "select n'x' from enduser",
                "select 1abc from enduser",
                "select ä from enduser",
                "select ? from enduser",
            ],
        ),
        ("not ended", ["select 'x from enduser"]),
        ("backslash", [r"select 'a\' from enduser"]),
        (
            "whole number",
            ["select first 1.5 * from enduser", f"select first {'9' * 5000} * from enduser"],
        ),
        (
            "do not go with UNION",
            [
                "select first 1 a from enduser union select 1 from enduser",
                "select a from enduser union select skip 1 1 from enduser",
            ],
        ),
        ("in quotation marks", ["select a from enduser where a matches b"]),
        ("brackets are closed", ["select a from enduser where a matches '[a'"]),
        ("no format", ["select to_char(a, '%Y') from enduser"]),
        (
            "nested",
            [
                f"select {'(' * 3000}1{')' * 3000} from enduser",
                f"select {'case ' * 3000}1 from enduser",
                f"select {'abs(' * 3000}1 from enduser",
                f"select {'not ' * 3000}1 from enduser",
                f"select {'-' * 3000}1 from enduser",
            ],
        ),
        ("at most", [f"select {'1,' * LONGEST}1 from enduser"]),
    ],
)
def test_anything_else_is_refused(rule: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(Refused, match=rule) as caught:
            written(text)
        assert len(caught.value.rule) < 250, text
