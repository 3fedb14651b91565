"""What is written is for its own user only, and the secret key is there whole or not at all."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cucm_admin import env
from cucm_admin.stack import valkey


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def open_mask() -> Iterator[None]:
    """Begin as a shell does, which lets others read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def folder_of(path: Path) -> Path:
    return env.data_dir(path, {"VAR_DIR": str(path)})


def test_the_folder_is_made_for_its_user(tmp_path: Path, open_mask: None) -> None:
    assert mode(folder_of(tmp_path / "var")) == 0o700


def test_an_open_folder_is_closed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    folder.chmod(0o2775)
    folder_of(folder)
    assert mode(folder) & 0o777 == 0o700
    assert capsys.readouterr().err == ""


def test_a_folder_for_all_is_left_alone_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o1777)
    folder_of(tmp_path)
    assert mode(tmp_path) == 0o1777
    told = capsys.readouterr().err
    assert told.startswith(f"VAR_DIR: other users may look into {tmp_path}, which is a folder for")
    assert told.count("\n") == 1


def test_a_folder_that_cannot_be_closed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(self: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    tmp_path.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", refuse)
    folder_of(tmp_path)
    assert capsys.readouterr().err == (
        f"VAR_DIR: other users may look into {tmp_path}, and that cannot be changed: "
        "Operation not permitted\n"
    )


def test_files_are_for_this_user_except_sources(
    tmp_path: Path, open_mask: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["manage.py", "makemigrations"])
    env.keep_private()
    (tmp_path / "source").touch()
    monkeypatch.setattr("sys.argv", ["celery", "-A", "cucm_admin", "worker"])
    env.keep_private()
    (tmp_path / "data").touch()
    assert (mode(tmp_path / "source"), mode(tmp_path / "data")) == (0o644, 0o600)


def test_what_an_older_version_left_open_is_closed(tmp_path: Path, open_mask: None) -> None:
    others = tmp_path / "notes.txt"
    linked = tmp_path / "elsewhere"
    ours = [tmp_path / "db.sqlite3", tmp_path / "trace" / "7" / "srm.log", tmp_path / "static.sum"]
    for file in (*ours, others, linked / "file"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "collections").symlink_to(linked)
    (tmp_path / "trace" / "link").symlink_to(others)
    assert env.make_all_private(tmp_path) == []
    assert {mode(file) for file in ours} == {0o600}
    assert mode(tmp_path / "trace" / "7") == 0o700
    assert mode(others) == mode(linked / "file") == 0o644


def test_the_key_is_made_once(tmp_path: Path, open_mask: None) -> None:
    """Also when several processes start at once."""
    keys: list[str] = []
    start = threading.Barrier(8)

    def take() -> None:
        start.wait()
        keys.append(env.secret_key(tmp_path, {}))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert len(keys[0]) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert mode(tmp_path / "secret_key") == 0o600


def test_a_key_that_cannot_be_written_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SystemExit, match=r"^VAR_DIR: cannot use .*/secret_key: No space left"):
        env.secret_key(tmp_path, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("held", [b"", b"\n", b"short", b"x" * 31, b"\xff" * 60, bytes(60)])
def test_a_key_that_is_not_whole_is_refused(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "secret_key").write_bytes(held)
    with pytest.raises(SystemExit, match=r"^VAR_DIR: .*/secret_key holds no whole key: put it "):
        env.secret_key(tmp_path, {})
    assert (tmp_path / "secret_key").read_bytes() == held


def test_a_key_of_the_environment(tmp_path: Path) -> None:
    assert env.secret_key(tmp_path, {"SECRET_KEY": "k" * 32}) == "k" * 32
    with pytest.raises(SystemExit, match=r"^SECRET_KEY: must have 32 characters or more$"):
        env.secret_key(tmp_path, {"SECRET_KEY": "k" * 31})
    assert list(tmp_path.iterdir()) == []


def test_a_dump_of_valkey_is_put_away(tmp_path: Path) -> None:
    assert valkey.put_dump_away(tmp_path) == ""
    for content in ("junk", "more junk"):
        (tmp_path / "dump.rdb").write_text(content)
        assert valkey.put_dump_away(tmp_path).startswith(f"Moved {tmp_path}/dump.rdb to ")
        assert (tmp_path / "dump.rdb.unused").read_text() == content
        assert not (tmp_path / "dump.rdb").exists()
