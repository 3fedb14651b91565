import sys
from pathlib import Path

import pytest

from cucm_admin.stack import procfile


def test_commands_by_name() -> None:
    text = "# comment\n\nweb: gunicorn app --name 'a b'\nrelease: python -m thing\n"
    assert procfile.parse(text) == {
        "web": ["gunicorn", "app", "--name", "a b"],
        "release": ["python", "-m", "thing"],
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("web gunicorn", "not of the form"),
        ("web:", "not of the form"),
        ("web: x", "there is no release"),
        ("beat: x", "there is no release and no web"),
        (None, "No such file"),
    ],
)
def test_an_unusable_file_ends_with_one_line(
    tmp_path: Path, text: str | None, complaint: str
) -> None:
    path = tmp_path / "Procfile"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SystemExit, match=f"Procfile: .*{complaint}") as ended:
        procfile.load(path)
    assert "\n" not in str(ended.value)


def test_programs_come_from_this_environment() -> None:
    assert procfile.with_this_python(["python", "-m", "x"]) == [sys.executable, "-m", "x"]
    assert procfile.with_this_python(["celery", "beat"]) == [sys.executable, "-m", "celery", "beat"]
