"""Files and ZIP files: what is read, what is refused, and that nothing grows without a limit."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from redundancy.cluster.reader import sources
from redundancy.cluster.reader.reading import read
from redundancy.cluster.reader.sources import LARGEST, Unreadable
from tests.cluster.inputs import HA_GUIDE


def zipped(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return data.getvalue()


def test_files_within_a_zip_file_whatever_they_are_called(tmp_path: Path) -> None:
    path = tmp_path / "bundle.pdf"
    inner = zipped(**{"../../etc/passwd": HA_GUIDE.encode(), "b\x1b[31m.exe": b"hello there\n"})
    path.write_bytes(zipped(inner=inner, **{"folder/a": HA_GUIDE.encode()}))
    reading = read([path])
    assert reading.files == [
        f"{path}/inner/../../etc/passwd",
        f"{path}/inner/b?[31m.exe",
        f"{path}/folder/a",
    ]
    assert [each.place.file for each in reading.missed] == [f"{path}/inner/b?[31m.exe"]
    assert len(reading.stretches) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_how_a_file_is_written_is_told_by_more_than_its_first_bytes(tmp_path: Path) -> None:
    old = tmp_path / "old.txt"
    # Lines that end as they did on a Macintosh, the first one a long one.
    old.write_bytes(f"{'=~' * 20}\n{HA_GUIDE}hello\n".replace("\n", "\r").encode())
    assert [each.place.line for each in read([old]).missed] == [6]
    program = tmp_path / "program"
    program.write_bytes(b"#!/bin/sh\nexit 0\n" + bytes(range(256)) * 40)
    assert [file for file, _ in read([program]).refused] == [str(program)]


def test_a_folder_is_its_files(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "b.txt").write_text("x")
    (tmp_path / "a.txt").write_text("x")
    assert read([tmp_path]).files == [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]


def test_a_zip_file_within_two_others_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "1.zip"
    path.write_bytes(zipped(two=zipped(three=zipped(four=HA_GUIDE.encode()))))
    reading = read([path])
    assert [file for file, _ in reading.refused] == [f"{path}/two/three"]
    assert reading.stretches == []


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped(**{f"{n}": bytes(20_000_000).replace(b"\0", b"x") for n in range(3)}))
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    with pytest.raises(Unreadable, match="32 MB"):
        read([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_one_line_of_32_mb_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    path.write_bytes(b"=" * LARGEST)
    tracemalloc.start()
    reading = read([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (reading.lines, reading.cut_lines) == (1, 1)
    assert peak < 5_000_000
    with path.open("ab") as more:
        more.write(b"=")
    with pytest.raises(Unreadable, match="32 MB"):
        read([path])


def test_there_is_a_limit_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    path = tmp_path / "many.zip"
    path.write_bytes(zipped(a=b"x", b=b"x", c=b"x"))
    with pytest.raises(Unreadable, match="more than 3 files"):
        read([path])


def _with_large_directory(data: bytes) -> bytes:
    end = data.rfind(b"PK\x05\x06")
    return data[: end + 12] + (64 * 1024 * 1024).to_bytes(4, "little") + data[end + 16 :]


def _with_sixty_four(data: bytes) -> bytes:
    end = data.rfind(b"PK\x05\x06")
    return data[:end] + b"PK\x06\x07" + bytes(16) + data[end:]


def _encrypted(data: bytes) -> bytes:
    return data.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01").replace(
        b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
    )


@pytest.mark.parametrize("spoil", [_with_large_directory, _with_sixty_four])
def test_a_directory_that_fills_the_memory_is_not_read(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(spoil(zipped(inner=HA_GUIDE.encode())))
    ((_, rule),) = read([path]).refused
    assert "its directory is too large" in rule


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:60] + bytes(40) + data[100:],
        _with_large_directory,
        _with_sixty_four,
        _encrypted,
        lambda data: b"\x1f\x8b" + data,
        lambda data: b"\x00\x01\x02" * 100 + data,
    ],
)
def test_damaged_and_tricky_files_are_named_and_the_others_read(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    good, bad = tmp_path / "a.txt", tmp_path / "b.zip"
    good.write_text(HA_GUIDE)
    bad.write_bytes(
        spoil(zipped(inner=HA_GUIDE.encode() + b"".join(b"%d\n" % n for n in range(500))))
    )
    reading = read([good, bad])
    assert [file for file, _ in reading.refused] in ([str(bad)], [f"{bad}/inner"])
    assert any(each.file == str(good) for each in reading.stretches)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        read([tmp_path / "none.txt"])
