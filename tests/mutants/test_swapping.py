"""How `make mutants` changes functions that are loaded already, and which mutants need an import."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from django.utils.functional import SimpleLazyObject

from tests.mutants.mutations import Mutant, mutants_of
from tests.mutants.swapping import Unfit, loaded_functions, new_codes, swap

CODE = """
from contextlib import contextmanager

LIMIT = 3

def above(number, limit=LIMIT):
    return [one for one in (number,) if one > limit]

@contextmanager
def opened(log):
    log.append("open")
    yield
    log.append("shut")

def more_than(limit):
    def more(number):
        return number > limit
    return more

more_than_two = more_than(2)

class Counter:
    step = 1
    @property
    def double(self):
        return self.step * 2
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[ModuleType]:
    path = tmp_path / "swapped.py"
    path.write_text(CODE)
    spec = importlib.util.spec_from_file_location("swapped", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("swapped", None)


def mutant(module: ModuleType, before: str, after: str) -> Mutant:
    found = mutants_of(Path(str(module.__file__)))
    (mutant,) = [each for each in found if CODE.replace(before, after) == each.source]
    return mutant


def change(module: ModuleType, before: str, after: str) -> None:
    codes = new_codes(mutant(module, before, after))
    swap(codes, loaded_functions()[str(module.__file__)])


def test_what_was_loaded_with_the_tests_is_found() -> None:
    assert swap in loaded_functions()[swap.__code__.co_filename]


def test_lazy_objects_are_not_asked_what_they_are() -> None:
    asked: list[str] = []
    lazy = SimpleLazyObject(lambda: asked.append("asked"))
    loaded_functions()
    assert asked == []
    assert lazy is not None


def test_a_function_changes_for_whoever_holds_it(module: ModuleType) -> None:
    held = module.above
    assert held(3) == []
    change(module, "one > limit", "one >= limit")
    assert held(3) == [3]


def test_a_decorated_function_changes(module: ModuleType) -> None:
    held, log = module.opened, list[str]()
    change(module, 'log.append("shut")', "pass")
    with held(log):
        pass
    assert log == ["open"]


def test_a_property_changes(module: ModuleType) -> None:
    held = module.Counter()
    change(module, "self.step * 2", "self.step / 2")
    assert held.double == 0.5


def test_a_function_that_an_import_has_made_changes_and_those_made_later(
    module: ModuleType,
) -> None:
    held = module.more_than_two
    assert not held(2)
    change(module, "number > limit", "number >= limit")
    assert held(2)
    assert module.more_than(5)(5)


@pytest.mark.parametrize(
    ("before", "after"),
    [("LIMIT = 3", "LIMIT = 4"), ("step = 1", "step = 2"), ("LIMIT = 3", "LIMIT = None")],
)
def test_what_an_import_decides_needs_an_import(
    module: ModuleType, before: str, after: str
) -> None:
    with pytest.raises(Unfit):
        new_codes(mutant(module, before, after))


def test_a_function_that_is_not_there_is_no_swap(module: ModuleType) -> None:
    codes = new_codes(mutant(module, "one > limit", "one >= limit"))
    with pytest.raises(Unfit):
        swap(codes, [])
