"""The settings in the README are those that the program reads, in both directions."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from cucm_admin.stack import checks
from cucm_admin.stack.run import BASE_DIR
from tests.docs.documents import DOCUMENTS, README, code, table

# Names under which the program reads the environment.
ENVIRONMENTS = {"env", "os.environ", "settings_env"}
MAKEFILE = (BASE_DIR / "Makefile").read_text()


def reads(tree: ast.AST) -> Iterator[tuple[str, object]]:
    """Each variable that is read, with its default where that is a literal; ``""``: none."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=owner, attr=method),
                args=[ast.Constant(value=str(name)), *rest],
            ) if method != "setdefault":
                default = rest[0].value if rest and isinstance(rest[0], ast.Constant) else ""
            case (
                ast.Subscript(value=owner, slice=ast.Constant(value=str(name)))
                | ast.Compare(left=ast.Constant(value=str(name)), comparators=[owner])
            ):
                default = ""
            case _:
                continue
        if ast.unparse(owner) in ENVIRONMENTS:
            yield name, default


@cache
def read_by_program() -> dict[str, list[object]]:
    found: dict[str, list[object]] = {"PORT": [checks.DEFAULT_PORT]}
    for folder in ("cucm_admin", "redundancy", "topology"):
        for path in (BASE_DIR / folder).rglob("*.py"):
            for name, default in reads(ast.parse(path.read_text())):
                found.setdefault(name, []).append(default)
    script = (BASE_DIR / "cucm_admin" / "stack" / "venv.sh").read_text()
    for name in re.findall(r"\$\{(\w+):-\}", script):
        found.setdefault(name, [])
    return found


def read_by_make() -> set[str]:
    own = re.findall(r"^(\w+) :?=", MAKEFILE, flags=re.MULTILINE)
    # MAKE is how make calls itself.
    return set(re.findall(r"\$\((\w+)\)", MAKEFILE)) - {*own, "MAKE"}


def in_table() -> dict[str, str]:
    """Each setting of the table with its default."""
    found: dict[str, str] = {}
    for names, defaults, _meaning in table(README, "## Configuration"):
        several = re.findall(r"`(\w+)`", names)
        each = defaults.split(", ") if len(several) > 1 else [defaults]
        found |= dict(zip(several, each if len(each) > 1 else each * len(several), strict=True))
    return found


def named(spans: list[str]) -> set[str]:
    """The variables that are written in code: with a value, or by a name of several words."""
    return {
        name
        for span in spans
        for name in re.findall(r"\b[A-Z][A-Z0-9_]+(?==)|^[A-Z0-9]+_[A-Z0-9_]+$", span)
    }


def test_what_is_read_is_in_the_readme() -> None:
    assert read_by_program().keys() - in_table().keys() == set()
    assert read_by_make() - named(code(README)) == set()


def test_what_is_in_a_document_is_read() -> None:
    known = read_by_program().keys() | read_by_make()
    assert in_table().keys() - known == set()
    assert set(re.findall(r"-u (\w+)", MAKEFILE)) - known == set()
    assert {name for path in DOCUMENTS for name in named(code(path))} - known == set()


def spelled(default: object) -> str:
    return {True: "on", False: "off"}[default] if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("name", sorted(in_table()))
def test_the_default_in_the_readme_is_that_of_the_code(name: str) -> None:
    documented = re.split("[ ;]", in_table()[name].strip("`"))[0].strip("`")
    defaults = {spelled(default) for default in read_by_program()[name]} - {""}
    # What is worked out (a folder, a key, a password) is described in words.
    assert documented in (defaults or {documented})
    assert defaults or not re.fullmatch(r"\d+|on|off", documented)
