"""What ``run sql`` lets through, and how it is written for the database."""

import pytest

from redundancy.cli.sql import parse_select
from redundancy.errors import Refused

TABLES = ("enduser", "enterprisenode")


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
        # Without a number behind it, the word is a name.
        ("select first from enduser", "SELECT [first] FROM [enduser]"),
        (
            "select first 1 userid from enduser order by userid desc, pkid asc",
            "SELECT [userid] FROM [enduser] ORDER BY [userid] DESC, [pkid] LIMIT 1",
        ),
        (
            "select u.*, n.name node from enduser u, enterprisenode as n where u.pkid=n.id",
            "SELECT [u].*, [n].[name] AS [node] FROM [enduser] AS [u], [enterprisenode] AS [n]"
            " WHERE [u].[pkid] = [n].[id]",
        ),
        (
            "select 1 from enduser u left outer join enterprisenode n on u.x=n.id join enduser on 1=1",
            "SELECT 1 FROM [enduser] AS [u] LEFT JOIN [enterprisenode] AS [n] ON [u].[x] = [n].[id]"
            " JOIN [enduser] ON 1 = 1",
        ),
        (
            "select count(*), count(distinct a) c from enduser group by a, 2 having count(*) > 1",
            "SELECT count(*), count(DISTINCT [a]) AS [c] FROM [enduser] GROUP BY [a], 2"
            " HAVING count(*) > 1",
        ),
        (
            "select unique nvl(a, 'x') from enduser where not (a is not null or b is null)",
            "SELECT DISTINCT coalesce([a], 'x') FROM [enduser]"
            " WHERE NOT ([a] IS NOT NULL OR [b] IS NULL)",
        ),
        (
            "select a from enduser where a in (1, 2) and b not in (select id from enterprisenode)"
            " and c like 'x%' and d not between 1 and 2 and exists (select 1 from enduser)",
            "SELECT [a] FROM [enduser] WHERE [a] IN (1, 2) AND [b] NOT IN (SELECT [id] FROM"
            " [enterprisenode]) AND [c] LIKE 'x%' AND [d] NOT BETWEEN 1 AND 2"
            " AND EXISTS (SELECT 1 FROM [enduser])",
        ),
        (
            "select case a when 1 then 'x' else -2.5 end, cast(a as char), (a+1)*2||'' from enduser",
            "SELECT CASE [a] WHEN 1 THEN 'x' ELSE  -2.5 END, CAST([a] AS text),"
            " ([a] + 1) * 2 || '' FROM [enduser]",
        ),
        (
            "select a from enduser union all select id from enterprisenode order by 1",
            "SELECT [a] FROM [enduser] UNION ALL SELECT [id] FROM [enterprisenode] ORDER BY 1",
        ),
        (
            "select s.a from (select first 2 a from enduser) s",
            "SELECT [s].[a] FROM (SELECT [a] FROM [enduser] LIMIT 2) AS [s]",
        ),
        # Texts in either mark; what looks like SQL in them is text.
        (
            """select "it's", 'say ""', 'o''clock; drop table x -- 日本' from enduser""",
            """SELECT 'it''s', 'say ""', 'o''clock; drop table x -- 日本' FROM [enduser]""",
        ),
        # A name is a name, also where the database has a word of its own.
        ("select current_user from enduser", "SELECT [current_user] FROM [enduser]"),
        # Two minus signs do not become a comment.
        ("select a--1 from enduser", "SELECT [a] -  -1 FROM [enduser]"),
    ],
)
def test_a_select_is_written_anew(text: str, sql: str) -> None:
    # Brackets in place of the quotation marks keep the table readable.
    marked = parse_select(text, TABLES, "\x01").sql
    assert marked.count("\x01") % 2 == 0
    pieces = marked.split("\x01")
    shown = "".join(f"[{p}]" if number % 2 else p for number, p in enumerate(pieces))
    assert shown == sql


def test_relations_are_named_once() -> None:
    text = "select 1 from enterprisenode, enduser where 1 in (select 2 from enterprisenode)"
    assert parse_select(text, TABLES, '"').relations == ("enterprisenode", "enduser")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        *(
            (text, "only SELECT is allowed")
            for text in (
                "delete from enduser",
                "update enduser set userid = 'x'",
                "insert into enduser values (1)",
                "drop table enduser",
                "with x as (select 1) select * from x",
                "(select * from enduser)",
                "table enduser",
                "pragma query_only = 0",
                "attach 'x' as y",
                "explain select * from enduser",
                "set transaction read write",
                "begin",
                ";",
            )
        ),
        ("select 1 from enduser; delete from enduser", "only one statement"),
        ("select 1 from enduser;;", "only one statement"),
        *(
            (text, "there is no table")
            for text in (
                "select * from auth_user",
                "select * from sqlite_master",
                "select * from redundancy_server",
                "select * from enduser, auth_user",
                "select * from enduser join auth_user on 1=1",
                "select * from enduser where 1 in (select id from auth_user)",
                "select * from (select * from auth_user) x",
                "select (select password from auth_user) from enduser",
                "select * from enduser union select * from auth_user",
                "select * from public.enduser",
                "select * from generate_series(1, 9)",
                "select * from lateral (select 1 from enduser) x",
                # A name given in the statement is not a table.
                "select * from enduser auth_user, auth_user",
            )
        ),
        *(
            (text, "there is no function")
            for text in (
                "select pg_sleep(10) from enduser",
                "select query_to_xml('select 1', true, true, '') from enduser",
                "select load_extension('x') from enduser",
                "select set_config('transaction_read_only', 'off', false) from enduser",
                "select a from enduser where a = any (select 1 from enduser)",
                "select 1 from enduser where pg_read_file('/etc/passwd') like 'x'",
            )
        ),
        *(
            (text, "was not expected")
            for text in (
                "select",
                "select *",
                "select 1",
                "select * from",
                "select , from enduser",
                "select * from enduser where",
                "select * from enduser limit 3",
                "select * from enduser.x",
                "select * from enduser for update",
                "select * into x from enduser",
                "select * from (table auth_user) x",
                "select * from (select 1 from enduser)",
                "select a from enduser where a not 1",
                "select pg_catalog.pg_sleep(1) from enduser",
                "select sum(*) from enduser",
                "select cast(a as regclass) from enduser",
                "select e'x' from enduser",
                "select * from enduser -- why",
                "select * from enduser /* why */",
                "select (1 from enduser",
                "select select from enduser",
                "select count(* from enduser",
            )
        ),
        *(
            (text, "cannot be read from")
            for text in (
                "select 'x from enduser",
                "select a::text from enduser",
                "select $1 from enduser",
                "select `a` from enduser",
                "select [a] from enduser",
                "select 1abc from enduser",
                "select ä from enduser",
                "select ? from enduser",
            )
        ),
        (r"select 'a\' from enduser", "backslash"),
        ("select first 1.5 * from enduser", "whole number"),
        (f"select first {'9' * 5000} * from enduser", "whole number"),
        ("select first 1 a from enduser union select 1 from enduser", "do not go with UNION"),
        ("select a from enduser union select skip 1 1 from enduser", "do not go with UNION"),
        (f"select {'(' * 3000}1{')' * 3000} from enduser", "nested"),
        (f"select {'case ' * 3000}1 from enduser", "nested"),
        (f"select {'abs(' * 3000}1 from enduser", "nested"),
    ],
)
def test_anything_else_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Refused, match=rule) as caught:
        parse_select(text, TABLES, "`")
    assert caught.value.rule.startswith("run sql: ")
    assert len(caught.value.rule) < 250
