"""The script that makes .venv, as far as it gets without installing: which Python it takes or refuses."""

import subprocess
import sys
from pathlib import Path

import pytest

from cucm_admin.stack.run import BASE_DIR

pytestmark = pytest.mark.process

SCRIPT = BASE_DIR / "cucm_admin" / "stack" / "venv.sh"
TOOLS = ("sh", "cat", "cksum", "head")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A search path with the few programs the script needs, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        real = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout
        (folder / name).symlink_to(real.strip())
    (tmp_path / "requirements.lock").touch()
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)


def run(tools: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), *(words or ("requirements.txt",))],
        cwd=tools.parent,
        env={"PATH": str(tools), **env},
        capture_output=True,
        text=True,
        check=False,
    )


OLD = "import sys; print('Python 3.8.1') if '-V' in sys.argv else sys.exit(1)"
BROKEN_SHIM = "import sys; sys.exit('pyenv: command not found')"
# Runs what it is asked to, but knows no venv.
NO_VENV = "import sys; sys.modules['venv'] = None; exec(sys.argv[2])"
# Pretends to make an environment in which installing always works.
GOOD = """
import os, sys
if '-c' in sys.argv:
    exec(sys.argv[2])
elif 'venv' in sys.argv:
    made = sys.argv[-1]
    os.makedirs(made + '/bin')
    open(made + '/pyvenv.cfg', 'w').close()
    os.symlink(os.path.abspath(sys.argv[0]), made + '/bin/python')
else:
    open('installs', 'a').write(" ".join(sys.argv[-3:]) + chr(10))
"""


@pytest.mark.parametrize(
    ("programs", "asked", "line"),
    [
        ({}, "", "Python 3.11 or newer is needed, and none is on the PATH"),
        ({"python3": OLD}, "", "Python 3.11 or newer is needed, and none is on the PATH"),
        ({"python3.13": BROKEN_SHIM}, "", "Python 3.11 or newer is needed, and none is on"),
        ({"old": OLD}, "old", "Python 3.11 or newer is needed; PYTHON=old is Python 3.8.1"),
        ({}, "nowhere", "Python 3.11 or newer is needed; PYTHON=nowhere is not there"),
        ({"python3": NO_VENV}, "", "python3 has no venv module; on Debian and Ubuntu"),
    ],
)
def test_no_usable_python_is_one_line(
    tools: Path, programs: dict[str, str], asked: str, line: str
) -> None:
    for name, text in programs.items():
        program(tools, name, text)
    done = run(tools, PYTHON=asked)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
    assert not (tools.parent / ".venv").exists()


def test_a_broken_one_is_passed_over_and_installs_happen_once(tools: Path) -> None:
    program(tools, "python3.13", BROKEN_SHIM)
    program(tools, "python3.11", GOOD)
    assert "Making .venv with python3.11" in run(tools).stdout
    installs = tools.parent / "installs"
    once = "--require-hashes -r requirements.lock\n"
    assert installs.read_text() == once
    assert run(tools).stdout == ""
    assert installs.read_text() == once
    (tools.parent / "requirements.lock").write_text("changed")
    assert "Installing requirements.txt" in run(tools).stdout
    assert installs.read_text() == once * 2


def test_another_environment_is_made_beside_it(tools: Path) -> None:
    program(tools, "python3.11", GOOD)
    run(tools)
    (tools.parent / "tests").mkdir()
    (tools.parent / "tests" / "clients.lock").touch()
    other = ("--in", ".venv/clients", "tests/clients.txt")
    assert "Making .venv/clients with python3.11" in run(tools, *other).stdout
    assert run(tools, *other).stdout == ""
    assert (tools.parent / ".venv" / "clients" / "installed-clients.txt").is_file()
    installs = (tools.parent / "installs").read_text().splitlines()
    assert installs[1:] == ["--require-hashes -r tests/clients.lock"]


def test_a_folder_that_is_no_environment_is_not_wiped(tools: Path) -> None:
    program(tools, "python3", GOOD)
    precious = tools.parent / ".venv" / "notes"
    precious.parent.mkdir()
    precious.touch()
    done = run(tools)
    assert done.returncode == 1
    assert "move it away" in done.stderr
    assert list(precious.parent.iterdir()) == [precious]
