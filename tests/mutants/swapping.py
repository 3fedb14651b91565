"""Puts the functions of a mutant in place of those of a module that is loaded already.

An import of the product takes seconds, which thousands of mutants can't wait for. A change inside of a
function needs none: whoever holds the function, under whatever name, finds its new code in it.
"""

import gc
import inspect
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any, TypeGuard

from tests.mutants.mutations import Mutant

Functions = dict[str, list[FunctionType]]
# Code as it was and as it is, and whether a function must be there that has it. Of functions that others
# make as they run there may be some already, such as those that an import has made.
Codes = list[tuple[CodeType, CodeType, bool]]


class Unfit(Exception):
    """The mutant differs in what runs when its file is imported, so it needs an import."""


def loaded_functions() -> Functions:
    """Return all functions of this process by the path of their file."""
    found: Functions = defaultdict(list)
    # What tests/conftest.py has frozen is not among the objects.
    gc.unfreeze()
    for thing in gc.get_objects():
        # Not isinstance: a lazy object, such as the user of a request, would come to life by it.
        if type(thing) is FunctionType:
            found[thing.__code__.co_filename].append(thing)
    return found


def new_codes(mutant: Mutant) -> Codes:
    """Return the code of each function that differs, as it was and as it is in the mutant.

    Raises:
        Unfit: It is not a matter of functions alone.
    """
    path = str(mutant.path.absolute())
    old, new = (compile(code, path, "exec") for code in (mutant.path.read_text(), mutant.source))
    if _frame(old) != _frame(new):
        raise Unfit
    pairs = zip(_functions(old), _functions(new), strict=True)
    return [
        (*pair, pair is changed)
        for changed in pairs
        if changed[0] != changed[1]
        for pair in (changed, *_inner(*changed))
    ]


def swap(codes: Codes, functions: list[FunctionType]) -> None:
    """Give the functions their new code.

    Raises:
        Unfit: One of them is not there, or would need variables of another function.
    """
    for old, new, needed in codes:
        found = [function for function in functions if function.__code__ == old]
        if not found and not needed:
            continue
        if not found or old.co_freevars != new.co_freevars:
            raise Unfit
        for function in found:
            function.__code__ = new


def _is_function(code: CodeType) -> bool:
    """Return whether ``code`` is of a function, and not of a module or the body of a class."""
    return bool(code.co_flags & inspect.CO_OPTIMIZED)


def _frame(code: CodeType) -> tuple[Any, ...]:
    """Return all that decides what an import does, without what stands in functions."""
    inner = [each for each in code.co_consts if _is_code(each)]
    values = [repr(each) for each in code.co_consts if not _is_code(each)]
    return (
        code.co_code,
        code.co_names,
        tuple(values),
        tuple((each.co_name, () if _is_function(each) else _frame(each)) for each in inner),
    )


def _inner(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the code of each function that differs among those which a function makes as it runs."""
    before, after = ([*filter(_is_code, code.co_consts)] for code in (old, new))
    if len(before) == len(after):
        for pair in zip(before, after, strict=True):
            if pair[0] != pair[1]:
                yield pair
                yield from _inner(*pair)


def _is_code(value: Any) -> TypeGuard[CodeType]:
    return isinstance(value, CodeType)


def _functions(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if _is_code(each):
            if _is_function(each):
                yield each
            else:
                yield from _functions(each)
