"""The command of an installed package, and the units by which systemd runs it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cucm_admin.stack import command, procfile
from cucm_admin.stack.run import BASE_DIR

UNITS = BASE_DIR / "contrib" / "systemd"
PROGRAM = "/opt/cucm-admin/bin/cucm-admin"


def become(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """Return the command that this process would have become."""
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, argv: became.append(argv))
    monkeypatch.setattr(sys, "argv", ["cucm-admin", "process", *words])
    command.main()
    return became[0]


@pytest.mark.parametrize(
    "name", ["web", "sweep", "sweep-2", "moves", "ssh", "soap", "beat", "release"]
)
def test_a_process_is_that_of_the_procfile(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    written = procfile.load(BASE_DIR / "Procfile")[name.partition("-")[0]]
    assert become(monkeypatch, name) == procfile.with_this_python(written)


@pytest.mark.parametrize("words", [[], ["other"], ["-2"], ["sweep", "moves"], ["sweep-x"]])
def test_an_unknown_process_is_refused(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    with pytest.raises(SystemExit, match="name one of release, web, sweep, moves, ssh, soap, beat"):
        become(monkeypatch, *words)


def test_each_process_of_the_procfile_is_among_those_to_enable() -> None:
    text = (BASE_DIR / "docs" / "operations.md").read_text()
    (line,) = re.findall(r"^systemctl enable --now (.*)$", text, flags=re.MULTILINE)
    processes = procfile.load(BASE_DIR / "Procfile").keys() - {procfile.RELEASE}
    assert set(line.split()) == {f"cucm-admin@{name}" for name in processes} | {"cucm-admin.target"}
    # So they are what the target starts.
    assert "WantedBy=cucm-admin.target" in (UNITS / "cucm-admin@.service").read_text()


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units_and_finds_them_hardened(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        text = unit.read_text()
        assert unit.suffix == ".target" or PROGRAM in text
        # Verified, too, is whether the program is there.
        (tmp_path / unit.name).write_text(text.replace(PROGRAM, "/bin/true"))
    names = sorted(f"./{unit.name}" for unit in UNITS.iterdir())
    verify = ["systemd-analyze", "verify", "--man=no", *names]
    done = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    for name in names:
        if not name.endswith(".target"):
            # 1.5 of 10 at most; what an unhardened service has is above 9.
            judge = ["systemd-analyze", "security", "--offline=true", "--threshold=15", name]
            judged = subprocess.run(judge, cwd=tmp_path, capture_output=True, text=True, timeout=60)
            assert judged.returncode == 0, judged.stdout[-2000:] + judged.stderr
