"""The package as somebody installs it: built, put into an empty environment, and started by its command."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

from cucm_admin.stack.run import BASE_DIR
from tests.stack.test_run import signs_in
from tests.stacks import Stack, find_port

pytestmark = [pytest.mark.long, pytest.mark.live]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel, and of the checkout only the other packages."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    offline = ("--no-index", "--no-deps")
    build = (*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, BASE_DIR)
    subprocess.run(build, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (home,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (home / "others.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = folder.glob("*.whl")
    python = ("--python", folder / "venv" / "bin" / "python")
    subprocess.run([*pip, *python, "install", *offline, wheel], check=True)
    return folder / "venv" / "bin"


@pytest.fixture
def variables(installed: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has just logged in; where the data goes is not said."""
    return {"PATH": os.defpath, "HOME": str(tmp_path), "PORT": str(find_port())}


@pytest.fixture
def stack(installed: Path, variables: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    folder = tmp_path / ".local" / "share" / "cucm-admin" / "var"
    command = (str(installed / "cucm-admin"),)
    # Told only to the test's own eyes; the command gets what ``variables`` holds.
    made = Stack(variables, tmp_path / "log", command, cwd=tmp_path, folder=folder)
    yield made
    made.stop()


def test_the_command_starts_the_whole_product(
    stack: Stack, installed: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    stack.wait_for(f"Ready: {stack.url}/")
    shown = re.search(r"Sign in as: admin   password: (\S+)", stack.text)
    assert shown is not None
    assert signs_in(stack.url, shown[1])
    request = urllib.request.Request(f"{stack.url}/login/", headers={"Accept-Language": "pt-BR"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        page = answer.read().decode()
    assert "Senha" in page, "the catalogue of translations is in it"
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        with urllib.request.urlopen(stack.url + path, timeout=20) as answer:
            assert answer.status == 200
    assert (stack.folder / "db.sqlite3").is_file()
    kept = tmp_path / "kept"
    told = subprocess.run(
        [installed / "cucm-admin", "backup", kept],
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (told.returncode, kept.is_file()) == (0, True), told
    stack.process.send_signal(signal.SIGINT)
    assert stack.exit_code() == 0, stack.text


def test_it_asks_for_what_the_list_of_requirements_names(installed: Path) -> None:
    (metadata,) = (installed.parent / "lib").glob("python*/site-packages/cucm_admin-*/METADATA")
    asked = Parser().parsestr(metadata.read_text()).get_all("Requires-Dist") or []
    lines = (BASE_DIR / "requirements.txt").read_text().splitlines()
    listed = [line.replace("_", "-") for line in lines if line and not line.startswith("#")]
    assert {each.lower() for each in asked} == {each.lower() for each in listed}
