"""Every small change of a source file that a test should notice.

The operators are those of mutmut, which itself changes nothing outside functions: SRM's table, its
conditions and its sets of states are data of their modules. So each change is made to the whole file
here, and operators for such data are added.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string

# Nodes in which nothing is decided: what checkers, linters and people read.
_LEFT_OUT = (cst.Annotation, cst.Assert, cst.Decorator, cst.Import, cst.ImportFrom)
# Of these only a part is done here, see `_changes`.
_IN_PART = (operator_arg_removal, operator_string)
# They are changed themselves.
_CONSTANT = (
    cst.BaseNumber,
    cst.SimpleString,
    cst.Tuple,
    cst.List,
    cst.Set,
    cst.Dict,
    cst.Lambda,
    cst.GeneratorExp,
)


@dataclass(frozen=True)
class Mutant:
    """A file with one change. ``before`` and ``after``: the piece that was changed, on one line."""

    path: Path
    line: int
    before: str
    after: str
    _module: cst.Module
    _nodes: tuple[cst.CSTNode, cst.CSTNode]

    @property
    def source(self) -> str:
        """The whole file, changed."""
        old, new = self._nodes
        changed = self._module.deep_replace(old, new)
        assert isinstance(changed, cst.Module)
        return changed.code

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"


def mutants_of(path: Path) -> list[Mutant]:
    """Return every mutant of a file, in the order of its lines."""
    wrapper = MetadataWrapper(cst.parse_module(path.read_text()))
    visitor = _Visitor(path, wrapper.module)
    wrapper.visit(visitor)
    return sorted(visitor.found, key=lambda mutant: mutant.line)


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, path: Path, module: cst.Module) -> None:
        super().__init__()
        self.found: list[Mutant] = []
        self._path, self._module = path, module
        self._members = _members(module)

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _LEFT_OUT) or _is_type(node) or _is_prose(node):
            return False
        seen = {self._module.code_for_node(node)}
        for changed in self._changes(node):
            code = self._module.code_for_node(changed)
            if code not in seen:
                seen.add(code)
                self._add(node, changed)
        return True

    def _add(self, node: cst.CSTNode, changed: cst.CSTNode) -> None:
        position = self.get_metadata(PositionProvider, node, None)
        assert position is not None, node
        before, after = _apart(
            *(" ".join(self._module.code_for_node(piece).split()) for piece in (node, changed))
        )
        line = position.start.line
        self.found.append(Mutant(self._path, line, before, after, self._module, (node, changed)))

    def _changes(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        for kind, operator in mutation_operators:
            if isinstance(node, kind) and operator not in _IN_PART:
                yield from operator(node)
        match node:
            case cst.Expr(value=cst.Call()):
                yield cst.Pass()
            case cst.SimpleString() if " " not in node.value:
                # Prose is judged by the catalogue of translations, as a whole. Other cases of the same
                # letters would be no other mistake.
                yield from list(operator_string(node))[:1]
            case cst.Call():
                yield from _other_arguments(node)
            case cst.Tuple() | cst.List() | cst.Set() | cst.Dict():
                yield from _without_one(node)
            case cst.Attribute(value=base, attr=cst.Name(value=name)) if name.isupper():
                members = self._members[self._module.code_for_node(base)]
                other = members[(members.index(name) + 1) % len(members)]
                yield node.with_changes(attr=cst.Name(other))
            case cst.If(test=cst.Name() | cst.Attribute() | cst.Call() | cst.BooleanOperation()):
                yield node.with_changes(test=_negated(node.test))


def _apart(before: str, after: str) -> tuple[str, str]:
    """Return two pieces of code without most of what they have in common at both ends."""
    same = _in_common(before, after)
    rest = _in_common(before[same:][::-1], after[same:][::-1])
    begin, end = max(0, same - 40), max(0, rest - 20)
    return before[begin : len(before) - end], after[begin : len(after) - end]


def _in_common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _members(module: cst.Module) -> dict[str, list[str]]:
    """Return the constants that the module takes from each name: ``State`` → ``IDLE``, ``NORMAL``."""
    found: dict[str, set[str]] = defaultdict(set)

    class Collector(cst.CSTVisitor):
        def visit_Attribute(self, node: cst.Attribute) -> None:  # noqa: N802 - libcst's name
            if node.attr.value.isupper():
                found[module.code_for_node(node.value)].add(node.attr.value)

    module.visit(Collector())
    return {base: sorted(names) for base, names in found.items()}


def _other_arguments(call: cst.Call) -> Iterator[cst.Call]:
    """Yield the call without each argument that has a name, and with None for each that has none.

    A call that lacks an argument without a name would mostly be no call that a test could miss; and
    constants are changed themselves.
    """
    for number, given in enumerate(call.args):
        rest = [*call.args[:number], *call.args[number + 1 :]]
        if given.keyword is not None:
            yield call.with_changes(args=rest)
        elif not given.star and not _is_constant(given.value):
            none = given.with_changes(value=cst.Name("None"))
            yield call.with_changes(args=[*call.args[:number], none, *call.args[number + 1 :]])


def _without_one(node: cst.Tuple | cst.List | cst.Set | cst.Dict) -> Iterator[cst.CSTNode]:
    elements: Sequence[cst.CSTNode] = node.elements
    if isinstance(node, cst.Tuple) and not node.lpar:
        # The left side of an assignment, or what a function returns.
        return
    for number in range(len(elements)):
        rest = [*elements[:number], *elements[number + 1 :]]
        if isinstance(node, cst.Tuple) and len(rest) == 1:
            rest = [rest[0].with_changes(comma=cst.Comma())]
        if rest or not isinstance(node, cst.Set):
            yield node.with_changes(elements=rest)


def _negated(test: cst.BaseExpression) -> cst.BaseExpression:
    bracketed = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.UnaryOperation(cst.Not(), bracketed)


def _is_constant(node: cst.CSTNode) -> bool:
    match node:
        case cst.Name(value=name):
            return name in ("None", "True", "False")
        case cst.Attribute(attr=cst.Name(value=name)):
            return name.isupper()
    return isinstance(node, _CONSTANT)


def _is_type(node: cst.CSTNode) -> bool:
    """Return whether ``node`` is for checkers only, as ``Row = tuple[Rule, ...]`` is."""
    match node:
        case cst.Assign(value=cst.Call(func=cst.Name(value="TypeVar" | "ParamSpec" | "NewType"))):
            return True
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            bare = name.lstrip("_")
            return name == "__all__" or (bare[:1].isupper() and not bare.isupper())
        case cst.If(test=cst.Name(value="TYPE_CHECKING")):
            return True
    return False


def _is_prose(node: cst.CSTNode) -> bool:
    """Return whether ``node`` is a docstring."""
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.BaseString)
