"""The walks of docs/architecture.md pass files and functions that exist."""

import ast
import re
from pathlib import Path

from cucm_admin.stack.run import BASE_DIR

TEXT = " ".join((BASE_DIR / "docs" / "architecture.md").read_text().split())
FILE = re.compile(r"`([\w/]+\.py)`")
# `name` in `file`, and (`name` in `file`).
NAMED = re.compile(r"`(\w+)` in `([\w/]+\.py)`")


def _defined(path: Path) -> set[str]:
    body = ast.parse(path.read_text()).body
    targets = [
        target
        for node in body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)} | {
        target.id for target in targets if isinstance(target, ast.Name)
    }


def test_the_files_exist() -> None:
    named = {name for name in FILE.findall(TEXT) if "/" in name}
    assert len(named) > 25
    assert {name for name in named if not (BASE_DIR / name).is_file()} == set()


def test_the_functions_are_in_them() -> None:
    pairs = NAMED.findall(TEXT)
    assert len(pairs) > 10
    assert [pair for pair in pairs if pair[0] not in _defined(BASE_DIR / pair[1])] == []


def test_each_room_of_the_house_is_drawn() -> None:
    rooms = {path.parent.name for path in (BASE_DIR / "redundancy").glob("*/__init__.py")}
    drawn = set(re.findall(r"(\w+)/", (BASE_DIR / "docs" / "architecture.md").read_text()))
    assert rooms - {"migrations", "templatetags"} <= drawn
