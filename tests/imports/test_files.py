"""What is in a file: its forms, its errors, and that an export is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from redundancy.errors import Refused
from redundancy.imports import reads as selectors
from redundancy.imports import users_csv
from redundancy.imports import writes as imports
from redundancy.models import (
    HaEvent,
    ImportPiece,
    ImportRow,
    ImportState,
    PresenceUser,
    Server,
    UserImport,
)
from redundancy.monitor.audit import audit
from redundancy.operations.users import add_users
from redundancy.parameters.writes.enterprise import set_enterprise_parameters
from tests.imports.jobs import GOOD, begin, done, go, homes, problems

pytestmark = pytest.mark.django_db


def test_a_good_file_is_imported() -> None:
    job = done(GOOD)
    assert (job.state, job.sentence) == (ImportState.DONE, "3 users were imported.")
    assert homes() == {
        "ann": ("Ann A", "imp-pub", "imp-pub"),
        "bob": ("", "imp-sub", "imp-sub"),
        "cid": ("Cid", "imp-pub", "imp-pub"),
    }
    event = HaEvent.objects.latest("pk")
    assert (event.sentence, event.actor) == ("3 users were imported from users.csv.", "ann")
    assert audit() == []
    assert not job.kept
    assert not ImportRow.objects.exists()
    assert not ImportPiece.objects.exists()


def test_the_mode_decides_for_who_has_no_node() -> None:
    set_enterprise_parameters(values={"assignment_mode": "None"}, actor="x")
    done("ann,,ann@x,\n")
    set_enterprise_parameters(values={"assignment_mode": "Active-Standby"}, actor="x")
    done("bob,,bob@x,\ncid,,cid@x,\n")
    assert homes() == {
        "ann": ("", None, None),
        "bob": ("", "imp-pub", "imp-pub"),
        "cid": ("", "imp-pub", "imp-pub"),
    }
    assert audit() == []


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(",", ";"),
        GOOD.rstrip("\n"),
        "\ufeff" + GOOD,
        "User ID,Display Name,IM Address,Assigned Node\n" + GOOD,
        "\ufeffuserid;display name;im-address;node\r\n" + GOOD.replace(",", ";"),
        '"ann","Ann A","ann@example.com","IMP-PUB"\n' + GOOD.partition("\n")[2],
        "\n\n" + GOOD.replace("\n", "\n\n"),
        GOOD.replace("ann,", "  ann ,"),
    ],
)
def test_forms_of_the_same_file(text: str) -> None:
    job = done(text)
    assert job.problems == 0, problems(job)
    assert homes()["ann"] == ("Ann A", "imp-pub", "imp-pub")
    assert len(homes()) == 3


def test_quoted_fields() -> None:
    done('ann,"Doe, Ann ""the"" First",ann@x,\n')
    assert homes()["ann"][0] == 'Doe, Ann "the" First'
    done('bob;"Doe; Bob, Jr.";bob@x\n')
    assert homes()["bob"][0] == "Doe; Bob, Jr."
    # The delimiter is what makes the fields of a user, not what is there most often.
    done("cid;c,i,d,d,y;cid@x\n")
    assert homes()["cid"][0] == "c,i,d,d,y"


def test_only_the_first_line_may_name_the_columns_and_one_word_is_a_name() -> None:
    done("ann,Name,ann@x\n")
    assert homes()["ann"][0] == "Name"
    job = done("bob,,bob@x\nuserid,name,imaddress\n")
    assert problems(job)[0][:2] == (2, 3), "it is no header, and no address"


ALREADY = "is in line 1 already"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann,,ann@x\nbob\n", [(2, 0, "3 or 4 fields; this one has 1 field.")]),
        ("ann,,ann@x,,\n", [(1, 0, "has 5 fields")]),
        ('ann,"A,ann@x\nbob,,bob@x\n', [(1, 0, "quoted field does not end")]),
        ('ann,"A"b,ann@x\n', [(1, 0, "quoted field does not end")]),
        (",,ann@x\n", [(1, 1, "User ID must be 1 to 128")]),
        ("a,,\n", [(1, 3, "IM Address must be 1 to 255")]),
        (
            f"{'a' * 129},{'n' * 129},\n",
            [(1, 1, "User ID"), (1, 2, "Display name"), (1, 3, "IM Address")],
        ),
        ("ann,,ann@x,imp-9\n", [(1, 4, "'imp-9' is no IM and Presence server")]),
        (",,ann@x,imp-9\n", [(1, 1, "User ID"), (1, 4, "imp-9")]),
        ("ann,,ann@x\nANN,,b@x\n", [(2, 1, f"User ID ANN {ALREADY}")]),
        ("ann,,ann@x\nbob,,ANN@x\n", [(2, 3, f"IM Address ANN@x {ALREADY}")]),
        ("OLD,,new@x\n", [(1, 1, "User ID OLD is taken already")]),
        ("new,,old@X\n", [(1, 3, "IM Address old@X is taken already")]),
        (b"ann,\xff,ann@x\nbob\n", [(1, 0, "The file is no text in UTF-8")]),
        (b"ann\n\x89PNG\r\n\xff\n\xff\n", [(1, 0, "has 1 field"), (2, 0, "no text in UTF-8")]),
        (b"ann,\x00,ann@x\n", [(1, 2, "printable")]),
        ("a" * 9000 + "\nann,,ann@x\n", [(1, 0, "longer than 8,192 bytes")]),
        ("a" * 8191 + "\n", [(1, 0, "this one has 1 field.")]),
        ("a" * 8192 + "\n", [(1, 0, "longer than 8,192 bytes")]),
        ("userid,im address,name\nann,,ann@x\n", [(1, 0, "The columns must be User ID, Display")]),
        ("User ID,Display Name,IM Address\n", [(1, 0, "There is no user in it")]),
        ("\n\n", [(2, 0, "There is no user in it")]),
    ],
)
def test_errors_name_line_and_column(text: str | bytes, expected: list) -> None:
    add_users(rows=[("old", "", "OLD@x", None)], actor="x")
    job = done(text)
    found = problems(job)
    assert job.state == ImportState.REFUSED
    assert [problem[:2] for problem in found] == [problem[:2] for problem in expected]
    for (*_, rule), (*_, words) in zip(found, expected, strict=True):
        assert words in rule
    assert list(homes()) == ["old"]
    assert job.problems == len(expected)
    assert not ImportRow.objects.exists()


@pytest.mark.parametrize(
    ("names", "given", "meant"),
    [
        (("imp-pub.lab.local", "imp-sub"), "IMP-PUB", "imp-pub.lab.local"),
        (("imp-pub.lab.local", "imp-sub"), "imp-pub.lab.local", "imp-pub.lab.local"),
        (("imp-pub.lab.local", "imp-sub"), "imp-sub.lab.local", "imp-sub"),
        (("imp-a.lab.local", "imp-a"), "imp-a", "imp-a"),
        (("imp-a.lab.local", "imp-a.example.com"), "imp-a", "'imp-a' may be imp-a.example.com and"),
        (("imp-a.lab.local", "imp-sub"), "imp-a.example.com", "is no IM and Presence server"),
        (("10.0.0.1", "10.0.0.2"), "10", "is no IM and Presence server"),
        (("10.0.0.1", "10.0.0.2"), "10.0.0.2", "10.0.0.2"),
    ],
)
def test_a_node_is_named_with_or_without_its_domain(
    names: tuple[str, str], given: str, meant: str
) -> None:
    for server, name in zip(Server.objects.order_by("pk"), names, strict=True):
        Server.objects.filter(pk=server.pk).update(name=name)
    job = done(f"ann,,ann@x,{given}\n")
    if meant in names:
        assert homes() == {"ann": ("", meant, meant)}
    else:
        ((line, column, rule),) = problems(job)
        assert (line, column) == (1, 4)
        assert meant in rule
        assert homes() == {}


def test_as_many_errors_are_listed_as_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "LINES", 2)
    begun = go(begin("ann\n" * 6), 1)
    # As a page that has read the job when the next step ends.
    go(UserImport.objects.get(pk=begun.pk), 1)
    assert begun.problems == len(selectors.problems(begun)) == 2


def test_all_errors_are_counted_and_some_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_PROBLEMS", 5)
    monkeypatch.setattr(imports, "LINES", 3)
    job = done("ann\n" * 4 + "bob,,bob@x\n" * 4)
    assert job.sentence == "10 errors found. Nothing was imported."
    assert [line for line, *_ in problems(job)] == [1, 2, 3, 4, 6]


def test_all_clashes_are_counted_and_some_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_PROBLEMS", 2)
    job = done("".join(f"ann,,a{n}@x\n" for n in range(4)))
    assert job.sentence == "3 errors found. Nothing was imported."
    assert [line for line, *_ in problems(job)] == [2, 3]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ([], "The file is empty"),
        ([b""], "The file is empty"),
        ([b"x" * 700_000, b"x" * 400_000], "must not be larger than 1 MB"),
        (["ann,,ann@x".encode("utf-16")], "UTF-16"),
    ],
)
def test_files_that_are_not_taken(data: list[bytes], rule: str, settings: Settings) -> None:
    settings.MAX_IMPORT_MB = 1
    with pytest.raises(Refused, match=rule) as caught:
        imports.begin_import(name="x", chunks=data, actor="ann")
    assert caught.value.field == "file"
    assert not UserImport.objects.exists()
    assert not ImportPiece.objects.exists()


def test_a_file_of_just_the_size_is_taken(settings: Settings) -> None:
    settings.MAX_IMPORT_MB = 1
    chunks = [b"x" * 1024 * 1024]
    assert imports.begin_import(name="x", chunks=chunks, actor="ann").size == 1024 * 1024
    with pytest.raises(Refused, match="must not be larger than 1 MB"):
        imports.begin_import(name="x", chunks=[*chunks, b"x"], actor="ann")


def test_a_long_line_that_ends_a_piece_is_seen_to_be_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(imports, "PIECE", 8192)
    job = done(b"a" * 8192 + b",,\nann,,ann@x\n")
    assert [(line, rule[:30]) for line, _, rule in problems(job)] == [
        (1, "A line must not be longer than")
    ]


def test_a_step_reads_so_many_lines_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "LINES", 2)
    job = begin(GOOD, at_once=False)
    lines = [(go(job, 1).line, job.rows) for _ in range(2)]
    assert lines == [(2, 2), (3, 3)]
    assert job.read == job.size


def test_a_name_is_no_path() -> None:
    assert begin(GOOD, name=f"{'u' * 300}.csv").file_name == "u" * 255
    assert begin(GOOD, name="").file_name == "users.csv"
    assert begin(GOOD, name="C:\\temp\\users.csv").file_name == "users.csv"
    assert begin(GOOD, name="../../etc/passwd").file_name == "passwd"


def test_lines_that_lie_on_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"u{n},Ünïcødé {n},u{n}@x,\r\n" for n in range(100))
    for piece, lines in ((7, 3), (64, 10), (10_000, 1)):
        monkeypatch.setattr(imports, "PIECE", piece)
        monkeypatch.setattr(imports, "LINES", lines)
        job = go(begin(text, at_once=False))
        assert (job.state, job.rows, job.line, job.read) == ("ready", 100, 100, job.size)
        assert set(job.staged.values_list("display_name", flat=True)) == {
            f"Ünïcødé {n}" for n in range(100)
        }


NASTY = [
    ("=1+1", "+49 30 1", "-x@x"),
    ("@ann", "'quoted'", "'=x@x"),
    ("''=x", "-", "plus+sign@x"),
    ("a,b", 'say "hi"', "semi;colon@x"),
    ("＝1+1", "＋1", "＠x@x"),
    ("－1", "'＝1", "＝full@x"),
]


def test_an_export_is_imported_as_it_was(tmp_path: Path) -> None:
    nodes = list(Server.objects.order_by("name"))
    add_users(
        rows=[(*texts, node) for texts, node in zip(NASTY, [*nodes] * 3, strict=True)],
        actor="x",
    )
    before = set(selectors.export_rows())
    lines = list(users_csv.write(selectors.export_rows()))
    assert lines[0] == "\ufeffUser ID,Display Name,IM Address,Assigned Node\r\n"
    # No field begins as a formula.
    for line in lines[1:]:
        assert not any(part[:1] in set("=+-@＝＋－＠") for part in line.replace('"', "").split(","))
    PresenceUser.objects.all().delete()
    job = done("".join(lines))
    assert job.problems == 0, problems(job)
    assert set(selectors.export_rows()) == before


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


def test_chunks_of_any_size_make_the_same_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "PIECE", 16)
    data = bytes(range(65, 65 + 50))
    for size in (1, 16, 17, 100):
        job = imports.begin_import(name="x", chunks=pieces(data, size), actor="x")
        kept = [bytes(piece.data) for piece in job.pieces.order_by("number")]
        assert kept == [data[0:16], data[16:32], data[32:48], data[48:]]
