import contextlib
import os
import socket
from pathlib import Path

import pytest

from cucm_admin import env
from cucm_admin.stack import checks

HOST = "127.0.0.1"


@pytest.mark.parametrize(
    ("raw", "port"), [("", 8000), ("8123", 8123), (" 1 ", 1), ("65535", 65535)]
)
def test_port(raw: str, port: int) -> None:
    assert checks.port_number({"PORT": raw}) == port


@pytest.mark.parametrize("raw", ["0", "65536", "-1", "8000.0", "http", "80 80", "٨٠", "1" * 50])
def test_bad_port(raw: str) -> None:
    with pytest.raises(SystemExit, match=r"^PORT: must be a whole number from 1 to 65535"):
        checks.port_number({"PORT": raw})


def test_busy_port(free_port: int) -> None:
    with (
        checks.listen(HOST, free_port),
        pytest.raises(SystemExit, match=rf"^PORT: {free_port} is in use by another program"),
    ):
        checks.listen(HOST, free_port)


@pytest.mark.parametrize(
    ("raw", "host"), [("", HOST), (" 0.0.0.0 ", "0.0.0.0"), ("::1", "::1"), ("[::1]", "::1")]
)
def test_address(raw: str, host: str) -> None:
    assert checks.bind_address({"BIND": raw}) == host
    assert checks.bind_address({}) == HOST


@pytest.mark.parametrize("raw", ["localhost", "127.0.0.1:80", "all", "127.0.0.256"])
def test_bad_address(raw: str) -> None:
    with pytest.raises(SystemExit, match=r"^BIND: must be an address such as 127\.0\.0\.1"):
        checks.bind_address({"BIND": raw})


def test_an_address_of_another_machine(free_port: int) -> None:
    with pytest.raises(SystemExit, match=r"^BIND: 192\.0\.2\.1 is no address of this machine"):
        checks.listen("192.0.2.1", free_port)


def test_the_pages_are_for_the_given_address_only(free_port: int) -> None:
    with checks.listen(HOST, free_port) as server:
        assert server.getsockname() == (HOST, free_port)


def test_a_folder_is_for_one_stack(tmp_path: Path) -> None:
    with (
        checks.take_folder(tmp_path),
        pytest.raises(SystemExit, match=rf"^VAR_DIR: .* in use .* process {os.getpid()}$"),
    ):
        checks.take_folder(tmp_path)
    with checks.take_folder(tmp_path):
        pass


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=r"^VAR_DIR: cannot make the folder .*: Not a directory"):
        env.data_dir(tmp_path, {"VAR_DIR": str(tmp_path / "file" / "var")})
    with pytest.raises(SystemExit, match=r"^VAR_DIR: cannot write "):
        checks.take_folder(tmp_path / "missing")


def test_the_socket_stays_short_enough_to_listen_on(tmp_path: Path) -> None:
    assert env.valkey_socket(tmp_path) == tmp_path / "valkey.sock"
    deep = tmp_path / ("x" * 120)
    short = env.valkey_socket(deep)
    assert short != env.valkey_socket(tmp_path / ("y" * 120))
    assert short == env.valkey_socket(deep)
    short.parent.mkdir(mode=0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server, contextlib.ExitStack() as after:
        after.callback(short.unlink, missing_ok=True)
        server.bind(str(short))


@pytest.mark.parametrize(
    ("given", "url", "broker"),
    [
        ("", "unix:///a%20b/valkey.sock", "redis+socket:///a%20b/valkey.sock"),
        ("redis://h:1/2", "redis://h:1/2", "redis://h:1/2"),
        ("rediss://h/2", "rediss://h/2", "rediss://h/2"),
        ("unix:///s?db=3", "unix:///s?db=3", "redis+socket:///s?virtual_host=3"),
    ],
)
def test_redis_address(given: str, url: str, broker: str) -> None:
    assert env.redis_url(Path("/a b"), {"REDIS_URL": given}) == url
    assert env.broker_url(url) == broker


def test_database_address() -> None:
    assert env.database_url(Path("/a b"), {}) == "sqlite:////a%20b/db.sqlite3"
    url = "postgres://user@host/name"
    assert env.database_url(Path("/a b"), {"DATABASE_URL": url}) == url


@pytest.mark.parametrize("url", ["mysql://h/x", "name", "sqlite:///"])
def test_bad_database_address(url: str) -> None:
    with pytest.raises(SystemExit, match=r"^DATABASE_URL: must "):
        env.database_url(Path("/a"), {"DATABASE_URL": url})


def test_bad_redis_address() -> None:
    with pytest.raises(SystemExit, match=r"^REDIS_URL: must begin with"):
        env.redis_url(Path("/a"), {"REDIS_URL": "localhost:6379"})


@pytest.mark.parametrize("name", ["SSH", "SOAP"])
def test_what_is_extra_does_without_the_usual_port_and_not_without_one_that_was_asked_for(
    free_port: int, name: str
) -> None:
    extra = checks.Extra(name, f"{name}_PORT", free_port)
    assert checks.listen_for(extra, HOST, env={extra.setting: "0"})[0] is None
    with checks.listen(HOST, free_port):
        served, why = checks.listen_for(extra, HOST, env={})
        assert served is None
        assert f"port {free_port} is in use" in why
        with pytest.raises(SystemExit, match=f"{extra.setting}: {free_port} is in use"):
            checks.listen_for(extra, HOST, env={extra.setting: str(free_port)})
        with pytest.raises(SystemExit, match=extra.setting):
            checks.listen_for(extra, HOST, env={}, must=True)
    served, why = checks.listen_for(extra, HOST, env={})
    assert served is not None
    with served:
        assert (served.getsockname()[1], why) == (free_port, "")
