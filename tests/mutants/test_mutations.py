"""What `make mutants` changes, and what it leaves alone."""

from pathlib import Path

import pytest

from tests.mutants.mutations import mutants_of


def changes(tmp_path: Path, code: str) -> list[str]:
    path = tmp_path / "module.py"
    path.write_text(code)
    found = [mutant.source for mutant in mutants_of(path)]
    assert len(set(found)) == len(found)
    for source in found:
        compile(source, path, "exec")
    return found


@pytest.mark.parametrize(
    ("code", "mutants"),
    [
        # Data of a module: a row loses an action, leads elsewhere, or is lost.
        (
            "ROWS = {S.IDLE: (Do.TAKE,), S.NORMAL: ()}",
            [
                "ROWS = {S.IDLE: (), S.NORMAL: ()}",
                "ROWS = {S.NORMAL: (Do.TAKE,), S.NORMAL: ()}",
                "ROWS = {S.NORMAL: ()}",
                "ROWS = {S.IDLE: (Do.TAKE,), }",
            ],
        ),
        ("x = {1, 2}", ["x = {2}"]),
        ("x = ['a', 'b']", ["x = ['b']", "x = ['a', ]", "x = ['XXaXX', 'b']"]),
        # Conditions and limits.
        ("x = a >= 3", ["x = a > 3", "x = a >= 4"]),
        ("if a.b: pass", ["if not (a.b): pass"]),
        ("x = lambda s: s and not s.y", ["x = lambda s: s or not s.y", "x = lambda s: s and s.y"]),
        # What is done, and with what.
        ("def f():\n    send()", ["def f():\n    pass"]),
        ("x = f(a, b=c)", ["x = f(None, b=c)", "x = f(a, )"]),
    ],
)
def test_what_is_changed(tmp_path: Path, code: str, mutants: list[str]) -> None:
    assert set(mutants) <= set(changes(tmp_path, code))


@pytest.mark.parametrize(
    "code",
    [
        "from a import b",
        '"""Words for people."""',
        "def f(a: int | None) -> tuple[int, ...]: ...",
        "Row = tuple[Rule, ...]",
        'M = TypeVar("M", bound=Model)',
        "@dataclass(frozen=True)\nclass A: ...",
        "def f(a):\n    assert a is not None",
        '__all__ = ["a", "b"]',
    ],
)
def test_what_is_left_alone(tmp_path: Path, code: str) -> None:
    assert changes(tmp_path, code) == []


def test_a_mutant_is_told_with_its_place_and_without_what_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"\nx = [{'a, ' * 40}b.GO, b.STOP]\n")
    (told,) = [str(mutant) for mutant in mutants_of(path) if mutant.before == "b.GO"]
    assert told == f"{path}:2: b.GO  ->  b.STOP"
    assert all(len(str(mutant)) < 200 + len(str(path)) for mutant in mutants_of(path))
